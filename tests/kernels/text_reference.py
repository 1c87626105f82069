"""The same tokens and counts in plain Python over `unicodedata`: slow, short and obviously right."""

import unicodedata

from assay.kernels.text import Tokens

UNSPACED_NAMES = (
    "CJK",
    "HIRAGANA",
    "KATAKANA",
    "HENTAIGANA",
    "BOPOMOFO",
    "HALFWIDTH KATAKANA",
    "IDEOGRAPHIC ITERATION",
    "IDEOGRAPHIC CLOSING",
    "IDEOGRAPHIC NUMBER",
    "VERTICAL KANA",
    "VERTICAL IDEOGRAPHIC",
    "HANGZHOU",
    "MASU MARK",
    "NUSHU",
    "THAI",
    "LAO",
    "KHMER",
    "MYANMAR",
)


def role(sign: str) -> str:
    category = unicodedata.category(sign)
    if sign in "'’":
        return "apostrophe"
    if category[0] == "M" or sign in "\u200c\u200d":
        return "mark"
    if category[0] not in "LN":
        return "separator"
    unspaced = category != "Nd" and unicodedata.name(sign, "").startswith(UNSPACED_NAMES)
    return "single" if unspaced else "word"


def words(text: str) -> list[str]:
    """The tokens of `text` as they stand in it."""
    found: list[str] = []
    open_role = "separator"
    for index, sign in enumerate(text):
        kind = role(sign)
        follower = role(text[index + 1]) if index + 1 < len(text) else "separator"
        inside = (
            (kind == "mark" and open_role != "separator")
            or (kind == "word" and open_role == "word")
            or (kind == "apostrophe" and open_role == "word" and follower == "word")
        )
        if inside:
            found[-1] += sign
        elif kind in {"word", "single"}:
            found.append(sign)
            open_role = kind
        else:
            open_role = "separator"
    return found


def folded(word: str) -> str:
    """`word` regardless of case, one character for one."""
    signs = (sign.casefold() if len(sign.casefold()) == 1 else sign.lower()[0] for sign in word)
    return "".join(signs).replace("’", "'")


def spans(tokens: Tokens, row: int, text: str) -> list[str]:
    """The tokens of a row as the kernel cut them."""
    raw = text.encode()
    where = slice(tokens.offsets[row], tokens.offsets[row + 1])
    return [
        raw[start:end].decode() for start, end in zip(tokens.starts[where], tokens.ends[where], strict=True)
    ]
