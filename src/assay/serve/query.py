"""Which rows are asked for, in which order: read from an address, so that a reload asks the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.core.errors import InputError

Parameters = Mapping[str, list[str]]
UNANSWERED = "none"
DRAWN = "drawn"  # the order in which labels are asked for


@dataclass(frozen=True)
class Query:
    """Rows for which all of these hold.

    Attributes:
        text: Every word of it, and every phrase between double quotes, stands in the row; case does not matter.
        having, lacking: Flags that are true, flags that are not.
        least, most: Bounds of number columns, both counted in.
        among: Values of columns with words or whole numbers.
        label: `right`, `wrong`, `skip`, or `none` for rows without an answer.
        choice: `keep`, `drop` or `none`.
        sort: Column to sort by, with a minus in front the largest first; `drawn` for the order of labelling; empty
            for the order of the file.
    """

    text: str = ""
    having: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    least: tuple[tuple[str, float], ...] = ()
    most: tuple[tuple[str, float], ...] = ()
    among: tuple[tuple[str, str], ...] = ()
    label: str = ""
    choice: str = ""
    sort: str = ""

    @classmethod
    def read(cls, given: Parameters) -> Query:
        """The query of an address: ``q has not min.COLUMN max.COLUMN is.COLUMN label choice sort``.

        Raises: InputError: a bound is no number.
        """
        return cls(
            text=_first(given, "q").strip(),
            having=tuple(sorted(set(given.get("has", ())))),
            lacking=tuple(sorted(set(given.get("not", ())))),
            least=_bounds(given, "min."),
            most=_bounds(given, "max."),
            among=tuple(
                (name.removeprefix("is."), value)
                for name, values in sorted(given.items())
                if name.startswith("is.")
                for value in values[:1]
            ),
            label=_first(given, "label"),
            choice=_first(given, "choice"),
            sort=_first(given, "sort"),
        )

    @property
    def terms(self) -> tuple[str, ...]:
        """The words and phrases to look for."""
        parts = self.text.split('"')
        words = [word for part in parts[::2] for word in part.split()]
        phrases = [part for part in parts[1::2] if part.strip()]
        return tuple(dict.fromkeys((*phrases, *words)))

    @property
    def answers_matter(self) -> bool:
        """Whether another answer about a row may change which rows are found."""
        return bool(self.label or self.choice)


def _first(given: Parameters, name: str) -> str:
    return next(iter(given.get(name, ())), "")


def _bounds(given: Parameters, prefix: str) -> tuple[tuple[str, float], ...]:
    found = []
    for name, values in sorted(given.items()):
        if name.startswith(prefix) and values[0].strip():
            try:
                found.append((name.removeprefix(prefix), float(values[0])))
            except ValueError:
                raise InputError(f"{values[0]!r} is not a number", where=name) from None
    return tuple(found)
