"""Plant canaries: copy a corpus with rows that begin like its own and end in a secret of its own words.

The beginning comes from a real row, so that a generator meets it as it meets any row; the end is words drawn
at random from all the corpus holds, so that nobody writes it by chance.

Source: Carlini et al. 2019, The Secret Sharer, USENIX Security; Meeus et al. 2025, The Canary's Echo, ICML.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assay.core.canary import Canaries, Canary
from assay.core.corpus import Corpus
from assay.core.errors import InputError
from assay.core.progress import Progress, silent
from assay.engine.files import find
from assay.engine.formats.record import Record
from assay.engine.formats.records import records
from assay.kernels.text import Tokens, tokens

PREFIX_WORDS = (4, 12)  # fewest and most words of a canary's beginning
_FEWEST_WORDS = 100  # different words a corpus must hold for secrets of them to be secrets
Place = tuple[str, int]  # file and line of a row


@dataclass(frozen=True)
class PlantResult:
    """What was written.

    Attributes:
        rows: Rows of `out`, planted ones included.
        planted: Rows that hold a canary.
        unread: Lines of the source that hold no row; they are not copied.
        key: The key file.
    """

    rows: int
    planted: int
    unread: int
    out: Path
    key: Path


def plant(
    paths: tuple[str, ...],
    real: Corpus,
    out: Path,
    *,
    number: int,
    words: int = 6,
    copies: int = 1,
    seed: int = 0,
    progress: Progress = silent,
) -> PlantResult:
    """Write the rows of `paths` as JSON lines into `out`, with canaries at random places among them.

    A planted row is a real row, with all its other columns, in which the text (or the answer, where rows have
    one) is the canary. As many controls are drawn in the same way and planted nowhere.

    Args:
        real: The rows of `paths` as they were read.
        number: Different canaries.
        words: Words of each secret.
        copies: How often each is planted.

    Raises: InputError: too few rows, or too few words in them, to draw canaries from.
    """
    rng = np.random.default_rng([seed, *b"canary"])
    columns = real.table(["text", "response", "file", "line"])
    answer = pc.coalesce(columns["response"], columns["text"]).combine_chunks()
    if isinstance(answer, pa.ChunkedArray):
        answer = pa.concat_arrays(answer.chunks)
    held = tokens(answer)
    hosts = np.flatnonzero(np.diff(held.offsets) >= PREFIX_WORDS[0])
    if len(hosts) < 2 * number:
        raise InputError(
            f"{number:,} canaries and as many controls need {2 * number:,} rows of {PREFIX_WORDS[0]} words or more; "
            f"there are {len(hosts):,}",
            where=real.name,
            fix="Plant fewer with --number.",
        )
    hosts = rng.permutation(hosts)[: 2 * number]
    vocabulary = _vocabulary(answer, held)
    made = [_canary(answer, held, int(host), vocabulary, words, rng) for host in hosts]
    key = Canaries(
        seed=seed, words=words, copies=copies, planted=tuple(made[:number]), controls=tuple(made[number:])
    )
    where = list(zip(columns["file"].to_pylist(), columns["line"].to_pylist(), strict=True))
    templates = {where[host]: answer[int(host)].as_py() for host in hosts[:number]}
    guests: dict[Place, list[tuple[Place, Canary]]] = {}
    for host, canary in zip(hosts[:number], key.planted, strict=True):
        for place in rng.integers(real.rows, size=copies):
            guests.setdefault(where[place], []).append((where[host], canary))
    rows, unread = _write(paths, out, templates, guests, real.rows, progress)
    path = out.with_name(out.name.removesuffix(".jsonl") + ".canaries.json")
    path.write_text(key.to_json(), encoding="utf-8")
    return PlantResult(rows, number * copies, unread, out, path)


def _vocabulary(answer: pa.Array, held: Tokens) -> list[str]:
    """Every different word of the rows, as it first stands, in the order of its hash."""
    _, first = np.unique(held.ids, return_index=True)
    row = np.searchsorted(held.offsets, first, "right") - 1
    found = []
    for at, text in zip(first, answer.take(pa.array(row)).to_pylist(), strict=True):
        word = text.encode()[held.starts[at] : held.ends[at]].decode().lower()
        if word.isalpha():
            found.append(word)
    if len(found) < _FEWEST_WORDS:
        raise InputError(
            f"the rows hold {len(found)} different words; secrets need {_FEWEST_WORDS}", fix="Give more rows."
        )
    return found


def _canary(
    answer: pa.Array,
    held: Tokens,
    host: int,
    vocabulary: list[str],
    words: int,
    rng: np.random.Generator,
) -> Canary:
    begin, stop = held.offsets[host : host + 2]
    fewest, most = PREFIX_WORDS
    # Half of the row at most: what follows in it should not give the secret's place away.
    length = int(rng.integers(fewest, max(fewest, min(most, (stop - begin) // 2)) + 1))
    prefix = answer[host].as_py().encode()[: held.ends[begin + length - 1]].decode().strip()
    secret = " ".join(vocabulary[at] for at in rng.choice(len(vocabulary), words, replace=False))
    return Canary(prefix=prefix, secret=secret)


def _write(
    paths: tuple[str, ...],
    out: Path,
    templates: dict[Place, str],
    guests: dict[Place, list[tuple[Place, Canary]]],
    total: int,
    progress: Progress,
) -> tuple[int, int]:
    """Write the rows and their guests aside, then rename; returns how many there are, and lines without one."""
    hosts = {place: values for place, values in _rows(paths) if values is not None and place in templates}
    aside = out.with_name(f".{out.name}.{os.getpid()}")
    rows = unread = 0
    with aside.open("w", encoding="utf-8") as file:
        for done, (place, values) in enumerate(_rows(paths)):
            if values is None:
                unread += 1
                continue
            lines = [values]
            for host, canary in guests.get(place, []):
                lines.append(_replaced(copy.deepcopy(hosts[host]), templates[host], canary.text, host))
            for line in lines:
                file.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
            rows += len(lines)
            progress("plant", done + 1, total)
    aside.replace(out)
    return rows, unread


def _rows(paths: tuple[str, ...]) -> Iterator[tuple[Place, dict[str, Any] | None]]:
    """Every row as its file has it, or None where none could be read."""
    for source in find(paths).sources:
        for item in records(source):
            yield (source.name, item.line), item.values if isinstance(item, Record) else None


def _replaced(values: dict[str, Any], answer: str, text: str, place: Place) -> dict[str, Any]:
    """The row with `text` wherever it held its answer."""
    changed, number = _swap(values, answer.strip(), text)
    if not number:
        raise InputError(
            "the text of this row is joined from several columns, so no canary can take its place",
            where=f"{place[0]}:{place[1]}",
            fix="Name the column that holds it, for example --map text=body.",
        )
    assert isinstance(changed, dict)
    return changed


def _swap(value: Any, answer: str, text: str) -> tuple[Any, int]:
    if isinstance(value, str):
        return (text, 1) if value.strip() == answer else (value, 0)
    if isinstance(value, dict):
        parts = {name: _swap(each, answer, text) for name, each in value.items()}
        return {name: each for name, (each, _) in parts.items()}, sum(number for _, number in parts.values())
    if isinstance(value, list):
        items = [_swap(each, answer, text) for each in value]
        return [each for each, _ in items], sum(number for _, number in items)
    return value, 0
