"""The real rows nearest to a text, and the words they share: looked for in all real rows while someone waits.

The words of the real rows are turned into 32-bit hashes once and lie in a file of their own. A text's rarest words
are then sought through all of them, some hundred million words a second, and the rows that share the most rare
words are compared word by word.
"""

from __future__ import annotations

import functools
import re
import sys
import tempfile
import threading
import unicodedata
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from assay.core.corpus import Corpus
from assay.serve.text import Texts

RUN = 3  # words in a row that count as shared
NEAREST = 3
LOOKED_AT = 20_000  # characters of a row that are compared
_CANDIDATES, _CANDIDATE_CHARACTERS = 100, 400_000
_MOST_WORDS, _MOST_HITS = 60, 200_000
_BLOCK = 1 << 20
_BUCKETS = 1 << 20
_APOSTROPHE = re.compile("['’]")
_ALONE = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"  # no spaces between words

Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Near:
    """A real row beside a text.

    Attributes:
        shared: Words of the text that lie in a run of at least `RUN` words that the real row holds too.
        similarity: Jaccard similarity of their runs of `RUN` words.
        spans: Where those runs lie in the real row, in characters.
        own: Where they lie in the text.
    """

    row: int
    text: str
    shared: int
    similarity: float
    spans: Spans
    own: Spans


class RealWords:
    """The words of a corpus; made by the first who asks, while others wait or come back later."""

    def __init__(self, corpus: Corpus) -> None:
        self._texts = Texts(corpus)
        self._lock = threading.Lock()
        self._codes: npt.NDArray[np.uint32] | None = None
        self._offsets = np.zeros(1, np.int64)
        self._often = np.zeros(_BUCKETS, np.int64)
        self.done = 0.0  # share of the rows that were read
        self.problem = ""  # why they cannot be read, if so

    @property
    def ready(self) -> bool:
        """Whether the words were read already."""
        return self._codes is not None

    def prepare(self) -> None:
        """Read the words of all rows, unless that was done; where there is no room, `problem` says so."""
        with self._lock:
            if self._codes is None and not self.problem:
                try:
                    self._codes = self._read()
                except OSError as error:
                    self.problem = str(error)

    def _read(self) -> npt.NDArray[np.uint32]:
        lengths = []
        # Not in memory: the corpus may be larger.
        with tempfile.TemporaryFile() as file:
            for number, chunk in enumerate(self._texts.column.chunks, start=1):
                codes, sizes = _hashed(chunk)
                codes.tofile(file)
                lengths.append(sizes)
                self._often += np.bincount(codes % _BUCKETS, minlength=_BUCKETS)
                self.done = number / self._texts.column.num_chunks
            file.flush()
            self._offsets = np.cumsum(np.concatenate([np.zeros(1, np.int64), *lengths]))
            words = int(self._offsets[-1])
            return np.memmap(file, np.uint32, "r", shape=(words,)) if words else np.zeros(0, np.uint32)

    def nearest(self, text: str, most: int = NEAREST) -> list[Near]:
        """The real rows that share the most with `text`, the nearest first; none where no word is shared."""
        self.prepare()
        found = spoken(text[:LOOKED_AT])
        if self._codes is None or not found.words:
            return []
        compared: list[tuple[int, float, Near]] = []
        looked_at = 0
        for row, score in self._candidates(found.words):
            other = self._texts.beginnings([row], LOOKED_AT)[0]
            looked_at += len(other)
            near = compare(found, row, other)
            compared.append((near.shared, score, near))
            if looked_at > _CANDIDATE_CHARACTERS:
                break
        compared.sort(key=lambda each: (-each[0], -each[1], each[2].row))
        return [near for _, _, near in compared[:most]]

    def _candidates(self, words: list[str]) -> list[tuple[int, float]]:
        """Rows by how many rare words they share, each by how rare it is, for their length."""
        assert self._codes is not None
        parts = {part for word in words for part in _APOSTROPHE.split(word) if part}
        codes = np.unique(np.array([_code(part) for part in parts], np.uint32))
        often = np.maximum(self._often[codes % _BUCKETS], 1)
        order = np.argsort(often, kind="stable")[:_MOST_WORDS]
        enough = int(np.searchsorted(np.cumsum(often[order]), _MOST_HITS)) + 1
        sought = np.sort(codes[order[:enough]])
        weight = np.log(1 + len(self._codes) / np.maximum(self._often[sought % _BUCKETS], 1))
        places, which = self._places(sought)
        rows = np.searchsorted(self._offsets, places, "right") - 1
        pairs = np.sort(rows * len(sought) + which)
        pairs = pairs[_new(pairs)]
        rows, which = pairs // len(sought), pairs % len(sought)
        begins = _new(rows)
        sharing, at = rows[begins], np.cumsum(begins) - 1
        lengths = self._offsets[sharing + 1] - self._offsets[sharing]
        score = np.bincount(at, weights=weight[which]) / np.sqrt(lengths + 10.0)
        best = np.argsort(-score, kind="stable")[:_CANDIDATES]
        return [(int(sharing[each]), float(score[each])) for each in best]

    def _places(self, sought: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Where any of the sorted codes stands, and which one it is."""
        assert self._codes is not None
        low = np.zeros(1 << 16, bool)
        low[sought & 0xFFFF] = True
        places, which = [], []
        for start in range(0, len(self._codes), _BLOCK):
            block = np.asarray(self._codes[start : start + _BLOCK])
            hit = np.flatnonzero(low[block.astype(np.uint16)])
            at = np.minimum(np.searchsorted(sought, block[hit]), len(sought) - 1)
            same = sought[at] == block[hit]
            places.append(hit[same] + start)
            which.append(at[same])
        return np.concatenate([np.zeros(0, np.int64), *places]), np.concatenate(
            [np.zeros(0, np.int64), *which]
        )


def _new(ordered: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which of some numbers in order are not those before them."""
    new = np.ones(len(ordered), bool)
    new[1:] = ordered[1:] != ordered[:-1]
    return new


@dataclass(frozen=True)
class Spoken:
    """The words of a text in lower case, and where each lies."""

    words: list[str]
    spans: list[tuple[int, int]]

    @property
    def runs(self) -> dict[tuple[str, ...], list[int]]:
        """Every run of `RUN` words, and the words it begins at; of a shorter text, the text."""
        width = min(RUN, len(self.words))
        found: dict[tuple[str, ...], list[int]] = {}
        for at in range(len(self.words) - width + 1 if width else 0):
            found.setdefault(tuple(self.words[at : at + width]), []).append(at)
        return found


def spoken(text: str) -> Spoken:
    """The words of a text; in scripts without spaces, its characters."""
    words, spans = [], []
    for match in _word().finditer(text):
        words.append(match.group().lower())
        spans.append(match.span())
    return Spoken(words, spans)


def compare(own: Spoken, row: int, text: str) -> Near:
    """What a real row shares with a text."""
    other = spoken(text)
    ours, theirs = own.runs, other.runs
    both = ours.keys() & theirs.keys()
    mine, spans = _covered(own, ours, both)
    _, beside = _covered(other, theirs, both)
    similarity = len(both) / max(1, len(ours.keys() | theirs.keys()))
    return Near(row, text, mine, similarity, beside, spans)


def joined(spans: list[Spans]) -> Spans:
    """All places that any of the lists marks, in order."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(span for each in spans for span in each):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def _covered(
    found: Spoken, runs: dict[tuple[str, ...], list[int]], shared: set[tuple[str, ...]]
) -> tuple[int, Spans]:
    """How many words lie in shared runs, and where; neighbouring ones as one place."""
    covered = sorted({at + step for run in shared for at in runs[run] for step in range(len(run))})
    spans: list[tuple[int, int]] = []
    last = -2
    for at in covered:
        start, end = found.spans[at]
        if at == last + 1:
            start = spans.pop()[0]
        spans.append((start, end))
        last = at
    return len(covered), tuple(spans)


def _hashed(texts: pa.Array) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """The code of every word of some texts, and how many each has."""
    plain = pc.replace_substring_regex(pc.utf8_lower(texts), r"[^\p{L}\p{N}\p{M}]+", " ")
    plain = pc.replace_substring_regex(plain, f"([{_ALONE}])", r" \1 ")
    words = pc.utf8_split_whitespace(pc.utf8_trim_whitespace(plain))
    each = pc.list_flatten(words).dictionary_encode()
    known = np.array([_code(word) for word in each.dictionary.to_pylist()] or [0], np.uint32)
    codes = known[each.indices.to_numpy(zero_copy_only=False)]
    sizes = pc.list_value_length(words).to_numpy(zero_copy_only=False).astype(np.int64)
    # An empty text splits into one empty word.
    empty = pc.equal(pc.binary_length(pc.utf8_trim_whitespace(plain)), 0).to_numpy(zero_copy_only=False)
    if empty.any():
        keep = np.ones(len(codes), bool)
        keep[(np.cumsum(sizes) - sizes)[empty & (sizes > 0)]] = False
        codes, sizes = codes[keep], np.where(empty, 0, sizes)
    return codes, sizes


def _code(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass"))


@functools.cache
def _word() -> re.Pattern[str]:
    """Letters, digits and the marks on them, with apostrophes between; one character where words have no spaces."""
    alone = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
    marks = "".join(
        chr(point) for point in range(sys.maxunicode + 1) if unicodedata.category(chr(point)).startswith("M")
    )
    part = f"(?:(?![{alone}])[^\\W_]|[{re.escape(marks)}])+"
    return re.compile(f"[{alone}]|{part}(?:['’]{part})*")
