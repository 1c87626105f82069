"""Which language each row is written in, told by its script and by the words that hold sentences together."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from assay.audit.annotate.checked import Checked
from assay.audit.rows import Bools, Index, Rows
from assay.engine.local import map_batches
from assay.kernels import writing
from assay.kernels.numbering import index, places
from assay.kernels.scripts import SCRIPTS
from assay.kernels.text import Tokens, tokens

Codes = npt.NDArray[np.int16]
UNKNOWN = -1
# A language fewer of the real rows are written in than this is not one of theirs.
_RARE = 0.01
_LEAST_LETTERS = 20
_MAIN_SCRIPT = 0.6
# Kana among Han make Japanese; a Chinese text holds hardly any.
_KANA = 0.05
# Weight of the list words found, their share of the row's words, and how far ahead of the next language.
_LEAST_WEIGHT, _LEAST_SHARE, _AHEAD = 2.0, 0.12, 1.3
# So much of a row tells its language; the rest would only cost time. Of 2,235 longer rows of eight corpora, one of
# them in 80 languages, whose language the first 1,000 characters tell, these tell 2,214 alike, the others not at all
# and none otherwise; 27 rows more are told.
_CHARACTERS = 600
# A number that the processor's vectors hold without a rest, and no less than there are languages.
_MOST_LANGUAGES = 32
_FENCED = "(?s)```.*?(?:```|$)"
_TRANSLATION = (
    r"(?i)translat|übersetz|traduc|traduz|tradui|vertaal|översätt|oversæt|oversett|przetłumacz|přelož|çevir|"
    r"terjemah|dịch|перев[её]|перекла|翻译|翻譯|翻訳|訳し|번역|ترجم|अनुवाद|"
    r"\b(?:in|into|to|auf|en|em|in) (?:english|german|french|spanish|portuguese|italian|dutch|chinese|japanese|"
    r"korean|russian|arabic|hindi|turkish|polish|swedish|vietnamese|indonesian|latin|greek|hebrew|urdu|"
    r"deutsch|englisch|français|anglais|español|inglés|inglês|português|italiano|inglese)\b"
)


def languages(text: pa.Array, words: Tokens | None = None) -> Codes:
    """The language of each row as a position in `names`, or -1 where it cannot be told; shape (rows,).

    The first 600 characters tell. Code between fences does not count. A script that one major language writes tells by itself; otherwise
    the words of ``languages.txt`` decide, and a row too short to hold enough of them stays unknown.

    Args:
        words: The tokens of `text`, where they are known.
    Source: after Grefenstette 1995, Comparing two language identification schemes (short words).
    """
    if words is None:
        text = pc.utf8_slice_codeunits(pc.fill_null(text, ""), 0, _CHARACTERS)
        words = tokens(text)
    start = writing.openings(text, _CHARACTERS)
    told = _told(start.letters, words, start.reach)
    rest = np.flatnonzero(~start.plain)
    if len(rest):
        prose = _prose(text.take(pa.array(rest)))
        told[rest] = _told(writing.letters(prose), tokens(prose), pc.binary_length(prose).to_numpy())
    return told


def _told(letters: Index, words: Tokens, reach: Index) -> Codes:
    """The language of each row by its letters, shape (rows, scripts), and its words that end within `reach` bytes."""
    total = letters.sum(axis=1)
    main = letters.argmax(axis=1)
    clear = (total > 0) & (letters.max(axis=1, initial=0) >= _MAIN_SCRIPT * total)
    kana, han = SCRIPTS.index("Kana"), SCRIPTS.index("Han")
    eastern = letters[:, kana] + letters[:, han]
    japanese = (eastern >= _MAIN_SCRIPT * total) & (letters[:, kana] >= _KANA * eastern) & (eastern > 0)
    lists = _lists()
    told = np.full(len(total), UNKNOWN, np.int16)
    told[clear] = lists.of_script[main[clear]]
    told[japanese] = names().index("ja")
    # A handful of Han characters is a sentence, a handful of Latin letters is not.
    told[total < np.where(eastern > 0, _LEAST_LETTERS // 4, _LEAST_LETTERS)] = UNKNOWN
    by_words = clear & lists.listed[main] & (total >= _LEAST_LETTERS)
    if by_words.any():
        known = words.vocabulary
        found = _by_words(
            places(lists.slots, lists.words, known.ids), known.at, words.offsets, words.ends, reach,
            np.where(by_words, main, -1), lists.weights, lists.scripts,
        )  # fmt: skip
        told[by_words] = found[by_words]
    return told


def _prose(text: pa.Array) -> pa.Array:
    """The start of each text, without fenced code, in composed letters: those the lists are written in."""
    start = pc.utf8_slice_codeunits(pc.fill_null(text, ""), 0, _CHARACTERS)
    fenced = pc.match_substring(start, "```")
    if pc.any(fenced).as_py():
        start = pc.if_else(fenced, pc.replace_substring_regex(start, _FENCED, " "), start)
    plain = pc.string_is_ascii(start)
    return start if pc.all(plain).as_py() else pc.utf8_normalize(start, "NFC")


@functools.cache
def names() -> tuple[str, ...]:
    """Names of the languages that can be told: codes from the lists, ``ja``, ``zh``, and scripts."""
    return (*_lists().codes, "ja", "zh", *(name for name in SCRIPTS if name not in ("Han", "Kana")))


def spoken(rows: Rows) -> frozenset[int]:
    """The languages in which at least one in a hundred of the answers is written that can be told."""
    parts = map_batches(of_answers, rows.batches())
    told = np.concatenate([np.zeros(0, np.int16), *parts])
    found, counts = np.unique(told[told != UNKNOWN], return_counts=True)
    return frozenset(int(code) for code in found[counts >= _RARE * max(counts.sum(), 1)])


def of_answers(rows: Rows) -> Codes:
    """The language of each row's answer."""
    return languages(rows.answer, rows.tokens if rows.answer is rows.text and rows.surveyed else None)


def foreign(rows: Rows, spoken: frozenset[int]) -> Checked:
    """Rows whose answer is in another language than their prompt, or else than the real rows'.

    Args:
        spoken: Languages of the real rows; empty where nobody knows, and then only prompts count.
    """
    answer = of_answers(rows)
    asked, translates = np.full(len(rows), UNKNOWN, np.int16), np.zeros(len(rows), bool)
    if rows.prompt.null_count < len(rows):
        asked = languages(rows.prompt)
        wanted = pc.fill_null(pc.match_substring_regex(rows.prompt, _TRANSLATION), False)
        translates = np.asarray(wanted.to_numpy(zero_copy_only=False), dtype=bool)
    by_prompt = (asked != UNKNOWN) & (answer != UNKNOWN) & ~translates
    by_side = (asked == UNKNOWN) & (answer != UNKNOWN) & ~translates & bool(spoken)
    others = ~np.isin(answer, list(spoken))
    return Checked(by_prompt | by_side, (by_prompt & (answer != asked)) | (by_side & others))


@dataclass(frozen=True)
class _Lists:
    """The words of ``languages.txt``.

    Attributes:
        words: Token ids, ascending.
        slots: The table they are found in.
        weights: What a word is worth to each language, shape (words, `_MOST_LANGUAGES`); 0 to those that lack it.
        scripts: Script of each language as a position in `SCRIPTS`.
        of_script: The language a script tells by itself, by position in `SCRIPTS`.
        listed: Scripts whose languages are told by words, shape (scripts,).
    """

    codes: tuple[str, ...]
    words: npt.NDArray[np.uint64]
    slots: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]
    scripts: npt.NDArray[np.int64]
    of_script: Codes
    listed: Bools


@functools.cache
def _lists() -> _Lists:
    file = resources.files("assay.audit.annotate") / "languages.txt"
    lines = [line.split() for line in file.read_text(encoding="utf-8").splitlines()]
    lines = [line for line in lines if line and not line[0].startswith("#")]
    codes = tuple(line[0] for line in lines)
    rows = [tokens(pa.array([" ".join(line[2:])], pa.large_string())).ids for line in lines]
    words = np.unique(np.concatenate(rows))
    held = np.array([np.isin(words, row) for row in rows]).T
    weights = np.zeros((len(words), _MOST_LANGUAGES), np.float32)
    weights[:, : len(codes)] = held / held.sum(axis=1, keepdims=True)
    scripts = np.array([SCRIPTS.index(line[1]) for line in lines])
    listed = np.isin(np.arange(len(SCRIPTS)), scripts)
    everything = (*codes, "ja", "zh", *(name for name in SCRIPTS if name not in ("Han", "Kana")))
    shown = {"Han": "zh", "Kana": "ja"}
    of_script = np.array([everything.index(shown.get(name, name)) for name in SCRIPTS], np.int16)
    of_script[listed] = UNKNOWN
    return _Lists(codes, words, index(words), weights, scripts, of_script, listed)


@numba.njit(nogil=True, cache=True)
def _by_words(place, at_word, offsets, ends, reach, script, weights, scripts):  # type: ignore[no-untyped-def]
    """The language of each row with a `script`, or UNKNOWN; `place` is that of each different word in the lists, or -1."""
    told = np.full(len(script), UNKNOWN, np.int16)
    last_row = np.full(len(weights), -1, np.int64)
    found, different = np.zeros(_MOST_LANGUAGES, np.float32), np.zeros(_MOST_LANGUAGES, np.float32)
    listed = np.empty(np.diff(offsets).max(), np.int32)
    for row in range(len(script)):
        if script[row] < 0:
            continue
        found[:] = 0
        different[:] = 0
        number = known = 0
        for token in range(np.uint64(offsets[row]), np.uint64(offsets[row + 1])):
            if ends[token] > reach[row]:
                break
            number += 1
            # Kept or written over by the next one: a branch here nobody could foresee.
            listed[known] = place[np.uint32(at_word[token])]
            known += listed[known] >= 0
        for each in listed[:known]:
            word = np.uint32(each)
            # A text that says one word again and again is no evidence of a language.
            fresh = np.float32(last_row[word] != row)
            last_row[word] = row
            for language in range(_MOST_LANGUAGES):
                found[language] += weights[word, language]
                different[language] += fresh * weights[word, language]
        best, most, next_most = -1, np.float32(0), np.float32(0)
        for language in range(len(scripts)):
            if scripts[language] == script[row] and different[language] > next_most:
                if different[language] > most:
                    best, next_most, most = language, most, different[language]
                else:
                    next_most = different[language]
        if most >= _LEAST_WEIGHT and found[best] >= _LEAST_SHARE * number and most >= _AHEAD * next_most:
            told[row] = best
    return told
