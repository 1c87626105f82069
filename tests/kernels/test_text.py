import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.kernels import scripts
from assay.kernels.text import characters, survey, tokens
from tests.kernels.text_reference import folded, role, spans, words

SENTENCES = {
    "English": ("It's 42 o'clock, isn't it?", ["It's", "42", "o'clock", "isn't", "it"]),
    "German": ("Größe über Straßen-Äpfel", ["Größe", "über", "Straßen", "Äpfel"]),
    "French": ("L’été à Nîmes, ça va ?", ["L’été", "à", "Nîmes", "ça", "va"]),
    "Greek": ("Ο Σίσυφος, και πάλι", ["Ο", "Σίσυφος", "και", "πάλι"]),
    "Russian": ("«Ёлка» — это дерево", ["Ёлка", "это", "дерево"]),
    "Arabic": ("اللُّغَة العربية، ٤٢", ["اللُّغَة", "العربية", "٤٢"]),
    "Hindi": ("हिन्दी में लिखो।", ["हिन्दी", "में", "लिखो"]),
    "Chinese": ("我爱北京。GPT4好", ["我", "爱", "北", "京", "GPT4", "好"]),
    "Japanese": ("カタカナと漢字、です", list("カタカナと漢字") + list("です")),
    "Thai": ("กินที่นี่", ["กิ", "น", "ที่", "นี่"]),
    "Korean": ("한국어 문장입니다.", ["한국어", "문장입니다"]),
    "emoji": ("ok 👍🏽 #1 👨‍👩‍👧 a_b", ["ok", "1", "a", "b"]),
    "decomposed": ("cafe\u0301 x", ["cafe\u0301", "x"]),
    "joiner": ("می\u200cخواهم", ["می\u200cخواهم"]),
}
# Scripts the tokenizer names, whatever else Unicode holds, NUL bytes and signs that join words.
ANY_TEXT = st.text(
    st.one_of(
        st.sampled_from("aZ09 '’-_.\n\0\u0301\u200dÉéßẞİΣςσЖж中あカーกิ한े👍#"),
        st.characters(max_codepoint=0x2FA1F, exclude_categories=("Cs", "Cn")),
    ),
    max_size=40,
)


@pytest.mark.parametrize("language", SENTENCES)
def test_words_of_each_script(language: str) -> None:
    text, expected = SENTENCES[language]
    assert spans(tokens(pa.array([text])), 0, text) == expected
    assert words(text) == expected


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("É", "é"),
        ("ÄÖÜ", "äöü"),
        ("ΣΑΣ", "σας"),
        ("ЖЁ", "жё"),
        ("don’t", "DON'T"),
        ("ẞ", "ß"),
        ("Ǆ", "ǆ"),
        ("𐐀", "𐐨"),
    ],
)
def test_case_does_not_matter(left: str, right: str) -> None:
    ids = tokens(pa.array([left, right])).ids
    assert len(ids) == 2
    assert ids[0] == ids[1]


@settings(max_examples=300, deadline=None)
@given(st.lists(ANY_TEXT, max_size=5))
def test_tokens_agree_with_plain_python(rows: list[str]) -> None:
    found = tokens(pa.array(rows, pa.string()))
    assert [spans(found, row, text) for row, text in enumerate(rows)] == [words(text) for text in rows]
    expected = [folded(word) for text in rows for word in words(text)]
    seen: dict[str, int] = {}
    for word, token_id in zip(expected, found.ids.tolist(), strict=True):
        assert seen.setdefault(word, token_id) == token_id
    assert len(set(seen.values())) == len(seen)


# Pieces that meet in every way at the bounds of what is looked at together, and words as long as that or longer.
PIECES = st.sampled_from(
    [
        *"aZ9 '.-é’中́",
        "don't",
        "l'été",
        "rock'n'roll",
        "x" * 15,
        "y" * 16,
        "w" * 63,
        "v" * 64,
        " " * 40,
        "so on",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(PIECES, max_size=40).map("".join), min_size=1, max_size=4))
def test_tokens_found_many_at_a_time_agree_with_plain_python(rows: list[str]) -> None:
    # The last row keeps the others away from the end of the bytes, where no such looks can be taken.
    found = survey(pa.array([*rows, "." * 100], pa.string()))
    assert [spans(found.words, row, text) for row, text in enumerate(rows)] == [words(text) for text in rows]
    for row, text in enumerate(rows):
        alone = survey(pa.array([text], pa.string()))
        inside = slice(*found.words.offsets[row : row + 2])
        np.testing.assert_array_equal(found.words.ids[inside], alone.words.ids)
        np.testing.assert_array_equal(found.looks[inside], alone.looks)


def test_spellings_are_few_and_tell_every_token() -> None:
    rng = np.random.default_rng(0)
    drawn = ["".join(rng.choice(list("abcdEFé'"), 6)) for _ in range(3_000)]
    texts = [" ".join(rng.choice(drawn, 200)) for _ in range(100)]
    for column in (pa.array(texts), pa.chunked_array([texts[:50], texts[50:]])):
        made = tokens(column)
        known = made.vocabulary
        np.testing.assert_array_equal(known.ids[known.at], made.ids)
        assert known.counts.sum() == len(made.ids)
        assert len(np.unique(known.ids)) <= len(known.ids) <= 2 * len(set(drawn)) * 2
    np.testing.assert_array_equal(tokens(pa.chunked_array([texts[:50], texts[50:]])).ids, made.ids)


@settings(max_examples=200, deadline=None)
@given(st.lists(ANY_TEXT, max_size=4))
def test_characters_agree_with_plain_python(rows: list[str]) -> None:
    found = characters(pa.array(rows, pa.string()))
    for row, text in enumerate(rows):
        kinds = [unicodedata.category(sign) for sign in text]
        assert found.bytes[row] == len(text.encode())
        assert found.chars[row] == len(text)
        assert found.letters[row] == sum(kind[0] == "L" for kind in kinds)
        assert found.upper[row] == sum(kind in {"Lu", "Lt"} for kind in kinds)
        assert found.digits[row] == kinds.count("Nd")
        assert found.punctuation[row] == sum(kind[0] in "PS" for kind in kinds)
        assert found.newlines[row] == text.count("\n")
        assert found.spaces[row] == sum(
            kind[0] == "Z" or sign in "\t\r\v\f" for kind, sign in zip(kinds, text, strict=True)
        )
        assert found.markup[row] == sum(sign in "#*_`~|<>[]{}\\" for sign in text)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_layout_of_the_column_does_not_matter(kind: pa.DataType) -> None:
    rows = ["skipped", "One two", None, "", "drei vier fünf", "end"]
    array = pa.array(rows, kind)
    plain = tokens(pa.array([row or "" for row in rows[1:5]], kind))
    layouts = [
        array[1:5],
        pa.chunked_array([array[1:2], array[2:2], array[2:5]]),
        array[1:5].dictionary_encode(),
    ]
    for layout in layouts:
        found = tokens(layout)
        np.testing.assert_array_equal(found.ids, plain.ids)
        np.testing.assert_array_equal(found.offsets, [0, 2, 2, 2, 5])
        np.testing.assert_array_equal(found.ends, plain.ends)
        np.testing.assert_array_equal(characters(layout).bytes, [7, 0, 0, 15])


def test_a_null_over_hidden_bytes_is_an_empty_row() -> None:
    whole = pa.array(["one", "two"])
    hidden = pa.Array.from_buffers(pa.string(), 2, [pa.py_buffer(b"\x02"), *whole.buffers()[1:]])
    np.testing.assert_array_equal(np.diff(tokens(hidden).offsets), [0, 1])


@pytest.mark.parametrize("empty", [pa.array([], pa.string()), pa.chunked_array([], pa.large_string())])
def test_a_column_without_rows(empty: pa.Array) -> None:
    assert tokens(empty).offsets.tolist() == [0]
    assert characters(empty).bytes.shape == (0,)


def test_no_two_of_many_similar_words_share_an_id() -> None:
    similar = pa.array([" ".join(f"{a:x}{b:03x}" for b in range(1000)) for a in range(300)])
    assert len(np.unique(tokens(similar).ids)) == 300_000


def test_the_role_of_every_character() -> None:
    names = ["separator", "word", "mark", "single", "apostrophe"]
    table = scripts.roles()
    known = (code for code in range(0x20000) if unicodedata.category(chr(code)) != "Cn")
    wrong = [hex(code) for code in known if names[table[code]] != role(chr(code))]
    assert wrong == []
