"""Lists of groups: read, checked, and made into one table that text is held against."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, fields, is_dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from assay.core.errors import InputError
from assay.engine.swap import Swap, gender_swap
from assay.kernels.phrases import NOTHING, Phrasebook

_FIX = "See docs/bias.md for the form of a list."
_BEFORE_PERSON = "_before_person"
TONES = ("positive", "negative", "negators")
# The two lists that are of no people.
SENTIMENT, ATTRIBUTES = "sentiment", "attributes"
# Themes by which rows are not split to ask who fares worse: what groups are shown with, and ways to write.
NOT_ASKED = ("occupation", "dialect")
# Slice columns that are no people, and the most values of one that may be.
NOT_PEOPLE = ("label", "length", "language", "script", "time")
MOST_VALUES = 20
_KEYS = {
    "theme",
    "contrasts",
    "sources",
    "groups",
    "ignore",
    "persons",
    "extends",
    "official_of",
    "official_source",
    "swaps",
}
_RANGE = re.compile(r"\{(\d{1,3})-(\d{1,3})\}")
_SWAP_KEYS = {"first", "second", "pairs", "one_way", "english"}


@dataclass(frozen=True)
class Group:
    """Some of the people, or ways to write, that a theme tells apart.

    Attributes:
        theme, name: Such as ``religion`` and ``Muslims``.
        official: Share of the group `Theme.official_of` in it by official statistics; None where there is none.
    """

    theme: str
    name: str
    official: float | None = None

    @property
    def label(self) -> str:
        """Both, as it stands in slices: ``religion: Muslims``."""
        return f"{self.theme}: {self.name}"


@dataclass(frozen=True)
class Theme:
    """One list, as its file has it.

    Attributes:
        phrases: What stands for each group, as written.
        ignored: Longer phrases in which a listed one means something else.
        sources: Where the list comes from.
        official_of: Label of the group whose official shares the groups carry; "" where they carry none.
        official_source: Of those shares, with its year.
        contrasts: Two groups and two sets of attributes each; the first group is said to go with the first set.
        swaps: Two of the groups each, with the words in which they change places.
    """

    name: str
    groups: tuple[Group, ...]
    phrases: Mapping[str, tuple[str, ...]]
    ignored: tuple[str, ...]
    sources: tuple[str, ...]
    official_of: str = ""
    official_source: str = ""
    contrasts: tuple[tuple[str, ...], ...] = ()
    swaps: tuple[Swap, ...] = ()


@dataclass(frozen=True, eq=False)
class Lists:
    """The themes in use. Group g is ``groups[g]``; no group has two numbers.

    Attributes:
        sentiment: Words that speak well or ill of people, groups ``positive``, ``negative`` and ``negators``; None
            where there is no such list.
        attributes: Sets of words that groups may be tied to, with the contrasts to be asked; None likewise.
    """

    themes: tuple[Theme, ...]
    sentiment: Theme | None = None
    attributes: Theme | None = None

    @functools.cached_property
    def groups(self) -> tuple[Group, ...]:
        """Every group, theme by theme."""
        return tuple(group for theme in self.themes for group in theme.groups)

    @functools.cached_property
    def theme_of(self) -> tuple[int, ...]:
        """Number of the theme of each group."""
        return tuple(number for number, theme in enumerate(self.themes) for _ in theme.groups)

    @functools.cached_property
    def swaps(self) -> tuple[Swap, ...]:
        """What can change places in a text: women and men in English, and what the lists say; none without lists."""
        return (
            (gender_swap(), *(swap for theme in self.themes for swap in theme.swaps)) if self.themes else ()
        )

    def number(self, label: str) -> int:
        """Number of the group of that label. Raises: KeyError: there is none."""
        return self._numbers[label]

    def holds(self, label: str) -> bool:
        """Whether there is such a group."""
        return label in self._numbers

    def words(self, label: str) -> tuple[str, ...]:
        """The phrases of a group, or of a set of attributes; none where there is neither."""
        if label in self._numbers:
            group = self.groups[self._numbers[label]]
            return next(theme.phrases[group.name] for theme in self.themes if theme.name == group.theme)
        return self.attributes.phrases.get(label, ()) if self.attributes else ()

    def members(self, theme: str) -> tuple[int, ...]:
        """Numbers of the groups of a theme; none if there is no such theme."""
        return tuple(g for g, group in enumerate(self.groups) if group.theme == theme)

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all that the lists say; part of what a step rests on."""
        told = json.dumps([self.themes, self.sentiment, self.attributes], default=_plain, sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()

    @functools.cached_property
    def book(self) -> Phrasebook:
        """All phrases as the kernels look them up."""
        owners: dict[str, list[tuple[int, int]]] = {}
        for number, theme in enumerate(self.themes):
            for group in theme.groups:
                for phrase in theme.phrases[group.name]:
                    owners.setdefault(phrase, []).append((number, self._numbers[group.label]))
            for phrase in theme.ignored:
                owners.setdefault(phrase, []).append((number, NOTHING))
        return Phrasebook.of(owners)

    @functools.cached_property
    def tones(self) -> Phrasebook:
        """The words of `sentiment` by their place in `TONES`; negators are a theme of their own."""
        if self.sentiment is None:
            return Phrasebook.of({})
        owners: dict[str, list[tuple[int, int]]] = {}
        for tone, name in enumerate(TONES):
            for phrase in self.sentiment.phrases.get(name, ()):
                owners.setdefault(phrase, []).append((int(name == "negators"), tone))
        for phrase in self.sentiment.ignored:
            owners.setdefault(phrase, []).extend([(0, NOTHING), (1, NOTHING)])
        return Phrasebook.of(owners)

    @functools.cached_property
    def everything(self) -> Phrasebook:
        """`book` and `tones` together; the tones are numbered behind the groups."""
        return self.book.beside(self.tones, len(self.groups))

    @functools.cached_property
    def _numbers(self) -> dict[str, int]:
        return {group.label: number for number, group in enumerate(self.groups)}


NO_LISTS = Lists(())


def load(files: Iterable[Path] = (), *, packaged: bool = True) -> Lists:
    """The packaged lists with those of the user.

    Args:
        files: TOML lists, or folders of them. A list of a packaged theme's name replaces it; with
            ``extends = true`` it adds to it.
        packaged: Whether the packaged lists are there at all.
    Raises: InputError: a file is no list, or says two things of one phrase.
    """
    themes = dict(_packaged()) if packaged else {}
    for path in _listed(files):
        table = _table(path.read_bytes(), str(path))
        theme = _theme(table, str(path))
        before = themes.get(theme.name)
        themes[theme.name] = _joined(before, theme, str(path)) if table.get("extends") and before else theme
    sentiment, attributes = themes.pop(SENTIMENT, None), themes.pop(ATTRIBUTES, None)
    return Lists(tuple(themes.values()), sentiment, attributes)


@functools.cache
def _packaged() -> tuple[tuple[str, Theme], ...]:
    folder = resources.files("assay.engine.groups")
    files = sorted(
        (each for each in folder.iterdir() if each.name.endswith(".toml")), key=lambda each: each.name
    )
    themes = [_theme(_table(file.read_bytes(), file.name), file.name) for file in files]
    return tuple((theme.name, theme) for theme in themes)


def _listed(files: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for path in files:
        if path.is_dir():
            found += sorted(path.glob("*.toml"))
        elif path.is_file():
            found.append(path)
        else:
            raise InputError("there is no such list of groups", where=str(path), fix=_FIX)
    return found


def _plain(value: object) -> object:
    """As JSON, the same in every process: a set has no order of its own."""
    if isinstance(value, Set):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    if is_dataclass(value):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    raise TypeError(f"{type(value).__name__} is no part of a list")


def _table(content: bytes, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"it is no TOML: {error}", where=where, fix=_FIX) from error


def _theme(table: Mapping[str, Any], where: str) -> Theme:
    unknown = sorted(set(table) - _KEYS)
    if unknown:
        raise InputError(
            f"it has an unknown key {unknown[0]!r}",
            where=where,
            fix=f"Known keys: {', '.join(sorted(_KEYS))}.",
        )
    name, sections = table.get("theme"), table.get("groups")
    if not isinstance(name, str) or not name or not isinstance(sections, dict) or not sections:
        raise InputError("it needs a theme and at least one group", where=where, fix=_FIX)
    persons = _strings(table.get("persons", []), "persons", where)
    groups, phrases = [], {}
    for group, section in sections.items():
        official = section.get("official")
        if official is not None and not (isinstance(official, int | float) and 0 <= official <= 1):
            raise InputError(
                f"the official share of {group!r} is no share from 0 to 1", where=where, fix=_FIX
            )
        listed = {key: value for key, value in section.items() if key != "official"}
        groups.append(Group(name, group, official))
        phrases[group] = _phrases(listed, persons, f"{where}, {group}")
    theme = Theme(
        name,
        tuple(groups),
        phrases,
        _phrases(table.get("ignore", {}), (), f"{where}, ignore"),
        _strings(table.get("sources", []), "sources", where),
        table.get("official_of", ""),
        table.get("official_source", ""),
        tuple(_strings(each, "contrasts", where) for each in table.get("contrasts", [])),
        tuple(_swap(each, name, phrases, table, where) for each in table.get("swaps", [])),
    )
    if any(len(contrast) != 4 for contrast in theme.contrasts):
        raise InputError("a contrast names two groups and two sets of attributes", where=where, fix=_FIX)
    _check(theme, where)
    return theme


def _swap(
    section: Mapping[str, Any],
    theme: str,
    groups: Mapping[str, Sequence[str]],
    table: Mapping[str, Any],
    where: str,
) -> Swap:
    """Two groups of the list with pairs of words; phrases that the list ignores are left alone."""
    unknown = sorted(set(section) - _SWAP_KEYS)
    names = [section.get("first"), section.get("second")]
    if (
        unknown
        or not isinstance(section.get("pairs"), list)
        or names[0] == names[1]
        or not all(each in groups for each in names)
    ):
        raise InputError(
            f"a swap has an unknown key {unknown[0]!r}"
            if unknown
            else "a swap names two groups of the list, and pairs",
            where=where,
            fix=_FIX,
        )
    try:
        return Swap.of(
            f"{theme}: {names[0]}",
            f"{theme}: {names[1]}",
            section["pairs"],
            one_way=section.get("one_way", ()),
            cased=True,
            kept=_phrases(table.get("ignore", {}), (), where),
            english=bool(section.get("english")),
        )
    except InputError as error:
        raise InputError(error.what, where=where, fix=_FIX) from error


def _phrases(section: Mapping[str, Any], persons: Sequence[str], where: str) -> tuple[str, ...]:
    """The phrases of all languages, and those that ranges, adjectives and English possessives make."""
    found: dict[str, None] = {}
    for key, value in section.items():
        language = key.removesuffix(_BEFORE_PERSON)
        written = tuple(each for phrase in _strings(value, key, where) for each in _counted(phrase, where))
        if key != language:
            if not persons:
                raise InputError(f"{key} needs persons, the nouns that may follow", where=where, fix=_FIX)
            written = tuple(f"{each} {person}" for each in written for person in persons)
        found |= dict.fromkeys(written)
        if language == "en":
            found |= dict.fromkeys(f"{each}'s" for each in written if not each.endswith(("s", "'")))
    return tuple(found)


def _counted(phrase: str, where: str) -> Iterator[str]:
    """The phrase, or one for each number where it has a range: ``aged {65-99}``."""
    found = _RANGE.search(phrase)
    if found is None:
        yield phrase
        return
    first, last = int(found[1]), int(found[2])
    if first > last:
        raise InputError(f"{phrase!r} has a range that ends before it begins", where=where, fix=_FIX)
    for number in range(first, last + 1):
        yield f"{phrase[: found.start()]}{number}{phrase[found.end() :]}"


def _check(theme: Theme, where: str) -> None:
    owner: dict[str, str] = {}
    for group, phrases in theme.phrases.items():
        for phrase in phrases:
            other = owner.setdefault(phrase, group)
            if other != group:
                raise InputError(f"{phrase!r} stands for both {other!r} and {group!r}", where=where, fix=_FIX)
    for phrase in theme.ignored:
        if phrase in owner:
            raise InputError(f"{phrase!r} stands for {owner[phrase]!r} and is ignored", where=where, fix=_FIX)


def _joined(before: Theme, added: Theme, where: str) -> Theme:
    """Both lists; a group that both have has the phrases of both."""
    names = {group.name: group for group in (*before.groups, *added.groups)}
    phrases = {
        name: tuple(dict.fromkeys([*before.phrases.get(name, ()), *added.phrases.get(name, ())]))
        for name in names
    }
    theme = Theme(
        before.name,
        tuple(names.values()),
        phrases,
        tuple(dict.fromkeys([*before.ignored, *added.ignored])),
        (*before.sources, *added.sources),
        added.official_of or before.official_of,
        added.official_source or before.official_source,
        (*before.contrasts, *added.contrasts),
        (*before.swaps, *added.swaps),
    )
    _check(theme, where)
    return theme


def _strings(value: Any, key: str, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) and each.strip() for each in value):
        raise InputError(f"{key} is no list of words", where=where, fix=_FIX)
    return tuple(value)
