"""What each row says about where it is from, and what the terms it came under are known to say."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assay.audit.rows import Bools, Rows
from assay.kernels.json_fields import json_fields

# The parts of a complete lineage, and the columns in which `assay generate` and other tools keep them.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "generator": (
        "generator",
        "model",
        "model_name",
        "generation_model",
        "generator_model",
        "model_id",
        "model_alias",
        "teacher",
        "teacher_model",
        "llm",
    ),
    "version": (
        "generator_sha256",
        "generator_version",
        "model_version",
        "model_revision",
        "model_sha256",
        "revision",
        "checkpoint",
    ),
    "prompt": (
        "prompt",
        "prompt_style",
        "prompt_template",
        "prompt_id",
        "system_prompt",
        "template",
        "recipe",
    ),
    "seed row": (
        "seed_rows",
        "seed_row",
        "seed_id",
        "seed_ids",
        "seed_example",
        "source_row",
        "source_id",
        "parent_id",
        "document_id",
        "root",
    ),
    "licence": ("licence", "license", "data_license", "dataset_license", "model_license", "license_name"),
    "time": ("created", "created_at", "generated_at", "timestamp", "time", "date"),
}
_SIZE = re.compile(r"(?<![\d.a-z])((?:\d+x)?\d+(?:\.\d+)?[bm]|nano|mini|small|medium|large|xl)(?![a-z])")
_DATED = re.compile(r"\d{4}-?\d{2}-?\d{2}")  # a generator's name that ends in a date names its version


@dataclass(frozen=True)
class Term:
    """One entry of `terms.toml`.

    Attributes:
        on: Whether it speaks of the generator's name or of the licence's.
        kind: ``forbids`` training other models, or any commercial use; ``conditions`` must be met when the
            data or a model trained on it is passed on; ``clear`` asks for no more than credit.
        says: The finding, as a sentence.
        dated: Date of the text it rests on.
    """

    id: str
    on: Literal["generator", "licence"]
    match: str
    kind: Literal["forbids", "conditions", "clear"]
    says: str
    source: str
    dated: str

    def __str__(self) -> str:
        return f"{self.says} ({self.source}, text of {self.dated})"


@dataclass(frozen=True)
class Base:
    """What a model was fine-tuned from: a family, and the size as its name has it (None where it has none)."""

    family: str
    size: str | None

    def may_be(self, other: Base) -> bool:
        """Whether both may be one base; two sizes of a family are two bases."""
        return self.family == other.family and (self.size == other.size or None in (self.size, other.size))

    def __str__(self) -> str:
        return self.family if self.size is None else f"{self.family} {self.size}"


@dataclass(frozen=True)
class Table:
    """The tables of `terms.toml`: terms, and families of models."""

    terms: tuple[Term, ...]
    families: Mapping[str, str]

    def base(self, name: str) -> Base | None:
        """The base of a model, by its name; None when the table does not know the family."""
        family = next((each for each, match in self.families.items() if _matches(match, name)), None)
        size = _SIZE.search(name.casefold())
        return None if family is None else Base(family, size.group(1) if size else None)


@functools.cache
def table() -> Table:
    """The tables that come with the package."""
    read = tomllib.loads(files("assay.audit.annotate").joinpath("terms.toml").read_text(encoding="utf-8"))
    return Table(tuple(Term(**each) for each in read["terms"]), read["families"])


@dataclass(frozen=True)
class Lineage:
    """What rows say of their origin, every array of shape (rows,).

    Attributes:
        named: Which rows name each part of a lineage.
        terms: Which rows come under each entry of the table of terms, by its id.
        clear: Rows whose generator and licence are both in the table and restrict nothing.
        bases: Which rows were written by a model of each base that occurs.
    """

    named: Mapping[str, Bools]
    terms: Mapping[str, Bools]
    clear: Bools
    bases: Mapping[Base, Bools]


def lineage(rows: Rows) -> Lineage:
    """The lineage of `rows`, read from their own columns, their slices and their extras."""
    found = json_fields(rows.extras, list(FIELDS.values()))
    named, texts = {}, {}
    for (field, columns), stands in zip(FIELDS.items(), found, strict=True):
        parts = [rows.parts[column] for column in columns if column in rows.parts]
        text = (
            pc.coalesce(*(part.cast(pa.large_string()) for part in parts), stands.text)
            if parts
            else stands.text
        )
        named[field] = stands.said | _filled(text)
        texts[field] = text.dictionary_encode()
    named["prompt"] |= _filled(rows.prompt)
    named["time"] |= rows.time.is_valid().to_numpy(zero_copy_only=False)
    named["version"] |= _where(texts["generator"], lambda name: _DATED.search(name) is not None)
    known = table()
    met = {term.id: _where(texts[term.on], functools.partial(_matches, term.match)) for term in known.terms}
    clear = {
        on: _any((met[each.id] for each in known.terms if each.on == on and each.kind == "clear"), len(rows))
        & ~_any((met[each.id] for each in known.terms if each.on == on and each.kind != "clear"), len(rows))
        for on in ("generator", "licence")
    }
    names = [name for name in texts["generator"].dictionary.to_pylist() if name]
    bases = {
        base: _where(texts["generator"], functools.partial(_is_of, base))
        for base in dict.fromkeys(map(known.base, names))
        if base is not None
    }
    return Lineage(named, met, clear["generator"] & clear["licence"], bases)


def forbidden(columns: Mapping[str, Bools], rows: int) -> Bools:
    """Rows under terms that forbid training other models or commercial use, from `Lineage.terms`."""
    return _any((columns[term.id] for term in table().terms if term.kind == "forbids"), rows)


def traced(named: Mapping[str, Bools]) -> bool:
    """Whether any row says where it is from; a prompt, a date or a document's id says that of real rows too."""
    return any(bool(named[field].any()) for field in ("generator", "version", "licence"))


def complete(named: Mapping[str, Bools], rows: int) -> Bools:
    """Rows that name every part of a lineage, from `Lineage.named`."""
    return ~_any((~each for each in named.values()), rows)


def _matches(match: str, name: str) -> bool:
    return re.search(match, name.casefold()) is not None


def _is_of(base: Base, name: str) -> bool:
    return table().base(name) == base


def _filled(text: pa.Array) -> Bools:
    if text.null_count == len(text):
        return np.zeros(len(text), bool)
    return np.asarray(pc.fill_null(pc.not_equal(text, ""), False).to_numpy(zero_copy_only=False))


def _where(encoded: pa.DictionaryArray, fits: Callable[[str], bool]) -> Bools:
    """Rows whose text fits; each different text is looked at once."""
    if not len(encoded.dictionary):
        return np.zeros(len(encoded), bool)
    fitting = np.array([fits(text) for text in encoded.dictionary.to_pylist()] + [False])
    places = encoded.indices.fill_null(len(fitting) - 1).to_numpy(zero_copy_only=False)
    return np.asarray(fitting[places], dtype=bool)


def _any(parts: Iterable[Bools], rows: int) -> Bools:
    found = np.zeros(rows, bool)
    for part in parts:
        found |= part
    return found
