"""A text with one group put in another's place: what counterfactual tests ask and what evens out training data."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from assay.core.errors import InputError

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*", re.UNICODE)
_POSSESSIVE, _OBJECT, _ALONE = "possessive", "object", "alone"


@dataclass(frozen=True)
class Swap:
    """Which words stand for which.

    Attributes:
        first, second: Labels of the two groups.
        forward, backward: The word of the other group, by word in lower case.
        gender: Whether "her", "his", "him" and "hers" are swapped too.
        capital: Words, in lower case, that count only where the text has a capital ("Jay", "Turk").
        kept: Phrases in which nothing is swapped ("Hans Christian Andersen").
        english: Whether "a" and "an" follow the word that is put in.
    """

    first: str
    second: str
    forward: Mapping[str, str]
    backward: Mapping[str, str]
    gender: bool = False
    capital: frozenset[str] = frozenset()
    kept: tuple[str, ...] = ()
    english: bool = False

    @classmethod
    def of(
        cls,
        first: str,
        second: str,
        pairs: Iterable[Sequence[str]],
        *,
        one_way: Iterable[Sequence[str]] = (),
        gender: bool = False,
        cased: bool = False,
        kept: Sequence[str] = (),
        english: bool = False,
    ) -> Swap:
        """Two groups by pairs of words.

        Args:
            pairs: A word of each group; of pairs with the same word the first counts.
            one_way: Pairs for which there is no way back.
            gender: The groups are women and men, in English.
            cased: A word written with a capital counts only where the text has one.
            kept, english: See the attributes.
        Raises: InputError: a pair is none, or a word belongs to both groups.
        """
        pairs, one_way = list(map(_pair, pairs)), list(map(_pair, one_way))
        forward: dict[str, str] = {}
        backward: dict[str, str] = {}
        for one, other in pairs:
            forward.setdefault(one.lower(), other)
            backward.setdefault(other.lower(), one)
        for one, other in one_way:
            if one.lower() not in forward and one.lower() not in backward:
                forward[one.lower()] = other
        both = sorted(set(forward) & set(backward))
        if both:
            raise InputError(f"{both[0]!r} stands for both groups", fix="Let each word stand for one group.")
        listed = [*(word for pair in pairs for word in pair), *(one for one, _ in one_way)] if cased else []
        capital = frozenset(word.lower() for word in listed if word[:1].isupper())
        return cls(first, second, forward, backward, gender, capital, tuple(kept), english)

    @property
    def name(self) -> str:
        """Both groups, as they stand in slices: ``religion: Christians / Muslims``."""
        theme, colon, _ = self.first.partition(": ")
        return f"{self.first} / {self.second.removeprefix(theme + colon)}"

    def groups_of(self, text: str) -> frozenset[str]:
        """Labels of the groups whose words the text holds."""
        found = set()
        left = self._left_alone(text)
        for match in _WORD.finditer(text):
            word = _plain(match[0])
            if match.start() in left or not self._counts(match[0], word):
                continue
            if word in self.forward or (self.gender and word in ("her", "hers")):
                found.add(self.first)
            elif word in self.backward or (self.gender and word in ("his", "him")):
                found.add(self.second)
        return frozenset(found)

    def __call__(self, text: str, *, only: str | None = None) -> str:
        """The text with each word of a group in the other group's form, case and punctuation kept.

        Args:
            only: Swap the words of this group alone; by default both ways at once, so that a text about a woman and a
                man stays one about both.
        Raises: InputError: `only` is neither of the groups.
        """
        if only not in (None, self.first, self.second):
            raise InputError(f"{only!r} is neither {self.first!r} nor {self.second!r}")
        matches = list(_WORD.finditer(text))
        left = self._left_alone(text)
        words = [
            match[0] if match.start() in left else self._swapped(text, matches, place, only)
            for place, match in enumerate(matches)
        ]
        parts, end = [], 0
        for place, (match, word) in enumerate(zip(matches, words, strict=True)):
            following = words[place + 1] if place + 1 < len(words) else ""
            if self.english and following and not _parted(text, matches, place):
                word = _article(word, matches[place + 1][0], following)
            parts += [text[end : match.start()], word]
            end = match.end()
        return "".join([*parts, text[end:]])

    def _left_alone(self, text: str) -> frozenset[int]:
        """Where phrases stand in which nothing is swapped, character by character."""
        if not self.kept:
            return frozenset()
        return frozenset(
            place for found in _phrases(self.kept).finditer(text) for place in range(*found.span())
        )

    def _counts(self, word: str, plain: str) -> bool:
        return plain not in self.capital or word[:1].isupper()

    def _swapped(self, text: str, matches: list[re.Match[str]], place: int, only: str | None) -> str:
        word = matches[place][0]
        plain, ending = _plain(word), ""
        if plain not in self.forward and plain not in self.backward and plain.endswith("'s"):
            plain, ending = plain[:-2], word[-2:]
        if not self._counts(word, plain):
            return word
        other = None
        if only != self.second:
            other = self.forward.get(plain)
            if other is None and self.gender and plain in ("her", "hers"):
                role = _ALONE if plain == "hers" else _role(text, matches, place)
                other = "him" if role == _OBJECT else "his"
        if other is None and only != self.first:
            other = self.backward.get(plain)
            if other is None and self.gender and plain in ("his", "him"):
                alone = plain == "his" and _stands_alone(text, matches, place)
                other = "hers" if alone else "her"
        return word if other is None else _cased(other, word[: len(word) - len(ending)]) + ending


@functools.cache
def gender_swap(*, names: bool = True) -> Swap:
    """Women for men and men for women, in English.

    Args:
        names: Whether first names are swapped too.
    """
    table = _table()
    pairs = table["pairs"] + (table["names"] if names else [])
    return Swap.of(
        table["first"], table["second"], pairs, one_way=table["one_way"], gender=True, english=True
    )


def _role(text: str, matches: list[re.Match[str]], place: int) -> str:
    """Whether "her" stands before what is hers or is acted upon itself, by the words around it."""
    if place + 1 == len(matches) or _parted(text, matches, place):
        return _OBJECT
    before = _plain(matches[place - 1][0]) if place else ""
    following = _plain(matches[place + 1][0])
    if following == "back":  # "brought her back to", "took her back." against "her back hurts"
        last = place + 2 == len(matches) or _parted(text, matches, place + 1)
        return _OBJECT if last or _plain(matches[place + 2][0]) in _words("after_object") else _POSSESSIVE
    if following in _words("either"):
        return _OBJECT if following == "more" and before in _words("takes_object") else _POSSESSIVE
    if following in _words("after_object") or (
        following.endswith("ly") and following not in _words("no_adverbs")
    ):
        return _OBJECT
    made = before in _words("acts_on") or (before in _words("makes") and following in _words("made"))
    return _OBJECT if made else _POSSESSIVE


def _stands_alone(text: str, matches: list[re.Match[str]], place: int) -> bool:
    """Whether "his" has nothing after it that is his: "a friend of his."."""
    if place + 1 == len(matches) or _parted(text, matches, place):
        return True
    following = _plain(matches[place + 1][0])
    return following in _words("after_object") and following not in _words("either")


@functools.cache
def _words(rule: str) -> frozenset[str]:
    """The words of a rule of ``swaps.toml``."""
    return frozenset(_table()["her"][rule].split())


@functools.cache
def _table() -> dict[str, Any]:
    return tomllib.loads((resources.files("assay.engine") / "swaps.toml").read_text(encoding="utf-8"))


def _parted(text: str, matches: list[re.Match[str]], place: int) -> bool:
    """Whether more than a space or an opening quotation mark stands between a word and the next."""
    between = text[matches[place].end() : matches[place + 1].start()]
    return bool(between.strip(" \t\n\"'`\u201c\u2018-0123456789$#"))


@functools.cache
def _phrases(kept: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, kept))})\b", re.IGNORECASE)


def _article(word: str, before: str, after: str) -> str:
    """ "a" or "an" as the word put in wants it, where it begins with another kind of sound than the one before."""
    if word.lower() not in ("a", "an") or _vowel(before) == _vowel(after):
        return word
    return _cased("an" if _vowel(after) else "a", word)


def _vowel(word: str) -> bool:
    """Whether an English word begins with the sound of a vowel, by its letters."""
    plain = word.lower()
    if plain.startswith(("eu", "uni", "uk", "us", "one")):
        return False
    return plain.startswith(("a", "e", "i", "o", "u", "hon", "hour", "heir"))


def _plain(word: str) -> str:
    return word.lower().replace("\u2019", "'")


def _cased(word: str, like: str) -> str:
    if len(like) > 1 and like.isupper():
        return word.upper()
    return word[:1].upper() + word[1:] if like[:1].isupper() else word


def _pair(pair: Sequence[str]) -> tuple[str, str]:
    if isinstance(pair, str) or len(pair) != 2 or not all(isinstance(each, str) and each for each in pair):
        raise InputError(f"{pair!r} is no pair of words")
    return pair[0], pair[1]
