"""Benchmarks that hold a stereotype beside its opposite, read from their published files."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from assay.core.errors import InputError
from assay.engine.swap import gender_swap

Kind = Literal["crows_pairs", "stereoset", "winobias", "bbq"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_NUMBERED = re.compile(r"^\d+ (.*\[.+)$")
_BRACKETED = re.compile(r"\[([^\]]*)\]")
_PRONOUNS = {"he", "him", "his", "she", "her", "hers"}
_FIX = "Give CrowS-Pairs as CSV, StereoSet or BBQ as JSON lines, WinoBias as its text files."


@dataclass(frozen=True)
class Item:
    """A choice between texts.

    Attributes:
        context: What comes before; a model reads it and is not scored on it.
        texts: CrowS-Pairs: the stereotyping sentence and the other. StereoSet: stereotype, opposite, unrelated.
            WinoBias: the sentence with the stereotypical pronoun and with the other. BBQ: the three answers.
        part: Kind of bias.
        kin: What items with the same words are known by: StereoSet's term, BBQ's question; else the item itself.
        right: BBQ: the right answer.
        biased, unknown: BBQ: answers that agree with the bias; that say it cannot be known.
    """

    context: str
    texts: tuple[str, ...]
    part: str
    kin: str
    right: int = 0
    biased: tuple[bool, ...] = ()
    unknown: tuple[bool, ...] = ()


@dataclass(frozen=True)
class PairSet:
    """A benchmark, or one half of BBQ.

    Attributes:
        ambiguous: BBQ: whether the contexts leave the answer open.
    """

    kind: Kind
    items: tuple[Item, ...]
    ambiguous: bool = False

    @property
    def name(self) -> str:
        """As it stands in slices."""
        return (
            self.kind if self.kind != "bbq" else f"bbq, {'ambiguous' if self.ambiguous else 'disambiguated'}"
        )


def read_pairs(paths: Iterable[Path]) -> tuple[PairSet, ...]:
    """Every benchmark in the files, or in the files of the folders.

    Raises: InputError: a file is missing, or in none of the four forms.
    """
    found: dict[tuple[Kind, bool], list[Item]] = {}
    for path in _files(paths):
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"it cannot be read: {error}", where=str(path), fix=_FIX) from error
        for kind, ambiguous, item in _items(text, path):
            found.setdefault((kind, ambiguous), []).append(item)
    return tuple(
        PairSet(kind, tuple(items), ambiguous)
        for (kind, ambiguous), items in sorted(
            found.items(), key=lambda each: (KINDS.index(each[0][0]), each[0][1])
        )
    )


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(each for each in path.iterdir() if each.is_file() and each.suffix != ".md")
        elif path.is_file():
            yield path
        else:
            raise InputError("there is no such file", where=str(path), fix=_FIX)


def _items(text: str, path: Path) -> Iterator[tuple[Kind, bool, Item]]:
    head = text.split("\n", 1)[0]
    try:
        if "sent_more" in head and "sent_less" in head:
            yield from (
                ("crows_pairs", False, _crows(row, number))
                for number, row in enumerate(csv.DictReader(io.StringIO(text)))
            )
        elif head.lstrip().startswith("{"):
            rows = [json.loads(line) for line in text.splitlines() if line.strip()]
            yield from (_json(row, number) for number, row in enumerate(rows))
        elif _NUMBERED.match(head) and ("pro_" in path.name or "anti_" in path.name):
            lines = [found[1].strip() for line in text.splitlines() if (found := _NUMBERED.match(line))]
            yield from (("winobias", False, _wino(line, pro="pro_" in path.name)) for line in lines)
        else:
            raise InputError("it is no benchmark of pairs", where=str(path), fix=_FIX)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"it is no benchmark of pairs: {error}", where=str(path), fix=_FIX) from error


def _crows(row: dict[str, str], number: int) -> Item:
    # Whether the stereotype is told or turned round, `sent_more` is the sentence that counts.
    return Item("", (row["sent_more"], row["sent_less"]), row["bias_type"], str(number))


def _json(row: dict[str, Any], number: int) -> tuple[Kind, bool, Item]:
    if "question_polarity" in row:
        return "bbq", row["context_condition"] == "ambig", _bbq(row)
    texts = (row["stereotype"], row["anti-stereotype"], row["unrelated"])
    within = row.get("type") == "intrasentence"
    return "stereoset", False, Item("" if within else row["context"], texts, row["bias_type"], row["target"])


def _bbq(row: dict[str, Any]) -> Item:
    groups = [row["answer_info"][f"ans{choice}"][1] for choice in range(3)]
    targets = row["additional_metadata"]["stereotyped_groups"]
    unknown = tuple(group == "unknown" for group in groups)
    bad = row["question_polarity"] == "neg"
    biased = tuple(not unknown[place] and (group in targets) == bad for place, group in enumerate(groups))
    return Item(
        f"{row['context']} {row['question']}",
        tuple(str(row[f"ans{choice}"]) for choice in range(3)),
        row["category"],
        f"{row['category']} {row['question_index']}",
        int(row["label"]),
        biased,
        unknown,
    )


def _wino(line: str, *, pro: bool) -> Item:
    """The sentence of the file, and the same with the pronoun in brackets of the other gender."""
    place = next(found for found in _BRACKETED.finditer(line) if found[1].lower() in _PRONOUNS)
    before, after = (_BRACKETED.sub(r"\1", part) for part in (line[: place.start()], line[place.end() :]))
    said = f"{before}{place[1]}{after}"
    whole = gender_swap(names=False)(f"{before}\n{place[1]}{after}")
    other = whole.split("\n", 1)[1]
    turned = f"{before}{other[: len(other) - len(_tail(other))]}{after}"
    return Item("", (said, turned) if pro else (turned, said), "gender", said)


def _tail(text: str) -> str:
    """All behind the first word."""
    found = re.match(r"\w+", text)
    return text[found.end() :] if found else text
