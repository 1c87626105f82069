"""An evaluation as the audit looks for it: hashes of its items, which can be shared without its text."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from assay.audit.rephrase import rephrase
from assay.core.corpus import Corpus
from assay.core.errors import InputError
from assay.kernels.arrow import Offsets
from assay.kernels.chargrams import BITS, Grams, char_grams
from assay.kernels.ngrams import ngram_ids
from assay.kernels.text import tokens

NGRAM = 13
FEWEST_WORDS = 5
MOST_NGRAM = 100
MOST_WORDS = 1_000
MOST_PLANTED = 400
MOST_BYTES = 4 << 30
FORMAT = "assay.eval-index/1"
_CARD = "card.json"
_SHARED_PROMPT = 0.5


@dataclass(frozen=True)
class Eval:
    """An evaluation's items, hashed; nothing here but `texts` can be read.

    Attributes:
        ngram: Words in a run.
        root: Hash of each item's root id, shape (items,).
        ids, offsets: The different runs of words of item i are ``ids[offsets[i]:offsets[i + 1]]``. An item
            of fewer words is one run; one of fewer than `FEWEST_WORDS` has none.
        lengths: Words in each run, shape as `ids`.
        grams: Character runs of each item's first piece.
        planted: Character runs of reworded items, and which item each is.
        texts: The items, where the evaluation was given as text; None where only its index was.
    """

    name: str
    ngram: int
    root: npt.NDArray[np.uint64]
    ids: npt.NDArray[np.uint64]
    lengths: npt.NDArray[np.uint8]
    offsets: Offsets
    grams: Grams
    planted: Grams
    texts: pa.Array | None

    def __len__(self) -> int:
        return len(self.root)


def index(corpus: Corpus, name: str, *, ngram: int = NGRAM) -> Eval:
    """The index of an evaluation's items.

    What is looked for is the question: the prompt of a row that has one, unless most rows have the same; else
    the whole text. The first 1,000 words and 2,000 characters of an item stand for it.

    Raises: InputError: `ngram` is not within 5 to 100.
    """
    if not FEWEST_WORDS <= ngram <= MOST_NGRAM:
        raise InputError(
            f"runs of {ngram} words cannot be looked for", fix="Use --eval-ngram with 5 to 100; 13 is usual."
        )
    table = corpus.table(["text", "prompt", "root"]).combine_chunks()
    texts = _questions(table)
    ids, lengths, offsets = _runs(texts, ngram)
    planted = np.sort(np.random.default_rng(1).permutation(len(texts))[:MOST_PLANTED])
    reworded = rephrase(texts.take(pa.array(planted)).to_pylist(), seed=2)
    made = char_grams(pa.array(reworded, pa.large_string()), first_only=True)
    return Eval(
        name=name,
        ngram=ngram,
        root=np.asarray(table.column("root")).astype(np.uint64),
        ids=ids,
        lengths=lengths,
        offsets=offsets,
        grams=char_grams(texts, first_only=True),
        planted=Grams(made.ids, made.offsets, planted),
        texts=texts,
    )


def save(evals: Sequence[Eval], path: Path) -> None:
    """Write the indexes of evaluations into one file, without their text.

    A zip of NumPy arrays and a card in JSON; entries carry no time, so equal indexes are equal files.
    """
    card = {"format": FORMAT, "evals": [{"name": each.name, "ngram": each.ngram} for each in evals]}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(_CARD), json.dumps(card, indent=1))
        for number, each in enumerate(evals):
            for name, array in _arrays(each).items():
                buffer = io.BytesIO()
                np.save(buffer, array, allow_pickle=False)
                entry = zipfile.ZipInfo(f"{number}/{name}.npy")
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, buffer.getvalue())


def load(path: Path) -> tuple[Eval, ...]:
    """The evaluations of an index file. Raises: InputError: it is missing, damaged or of another version."""
    fix = "Write it anew from the evaluation's file with --save-index."
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
                raise InputError("an index that unpacks to more than 4 GiB", where=str(path), fix=fix)
            card = json.loads(archive.read(_CARD))
            if card["format"] != FORMAT:
                raise InputError(f"an index of another version: {card['format']}", where=str(path), fix=fix)
            return tuple(
                _opened(archive, number, each["name"], each["ngram"])
                for number, each in enumerate(card["evals"])
            )
    except FileNotFoundError:
        raise InputError("no such file", where=str(path)) from None
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise InputError(f"not an index of evaluations: {error}", where=str(path), fix=fix) from error


def _arrays(each: Eval) -> dict[str, npt.NDArray[Any]]:
    """What is saved. Character runs are written as their distances, which are small and pack well."""
    return {
        "root": each.root,
        "ids": each.ids,
        "lengths": each.lengths,
        "offsets": each.offsets,
        "grams": _steps(each.grams),
        "gram_offsets": each.grams.offsets,
        "planted": _steps(each.planted),
        "planted_offsets": each.planted.offsets,
        "planted_row": each.planted.row,
    }


def _opened(archive: zipfile.ZipFile, number: int, name: str, ngram: int) -> Eval:
    def array(part: str, dtype: type, shape: int | None = None) -> npt.NDArray[Any]:
        with archive.open(f"{number}/{part}.npy") as file:
            found = np.load(io.BytesIO(file.read()), allow_pickle=False)
        if found.dtype != dtype or found.ndim != 1 or shape not in (None, len(found)):
            raise ValueError(f"{part} of {name!r} is not as it was written")
        return np.asarray(found)

    def ends(part: str, items: int, total: int) -> Offsets:
        found = array(part, np.int64, items + 1)
        if found[0] != 0 or found[-1] != total or (np.diff(found) < 0).any():
            raise ValueError(f"{part} of {name!r} is not as it was written")
        return found

    root = array("root", np.uint64)
    if not FEWEST_WORDS <= int(ngram) <= MOST_NGRAM:
        raise ValueError(f"runs of {ngram} words")
    ids, grams, planted = array("ids", np.uint64), array("grams", np.uint32), array("planted", np.uint32)
    row = array("planted_row", np.int64)
    if len(row) and not (row.min() >= 0 and row.max() < len(root)):
        raise ValueError(f"planted_row of {name!r} is not as it was written")
    offsets = ends("gram_offsets", len(root), len(grams))
    planted_offsets = ends("planted_offsets", len(row), len(planted))
    lengths = array("lengths", np.uint8, len(ids))
    if len(lengths) and not (lengths.min() >= FEWEST_WORDS and lengths.max() <= ngram):
        raise ValueError(f"lengths of {name!r} are not as they were written")
    return Eval(
        name=str(name),
        ngram=int(ngram),
        root=root,
        ids=ids,
        lengths=lengths,
        offsets=ends("offsets", len(root), len(ids)),
        grams=Grams(_whole(grams, offsets), offsets, np.arange(len(root))),
        planted=Grams(_whole(planted, planted_offsets), planted_offsets, row),
        texts=None,
    )


def _steps(grams: Grams) -> npt.NDArray[np.uint32]:
    steps = np.diff(grams.ids.astype(np.int64), prepend=0)
    filled = grams.offsets[:-1][np.diff(grams.offsets) > 0]
    steps[filled] = grams.ids[filled]
    return steps.astype(np.uint32)


def _whole(steps: npt.NDArray[np.uint32], offsets: Offsets) -> npt.NDArray[np.uint32]:
    running = np.concatenate([np.zeros(1, np.int64), np.cumsum(steps.astype(np.int64))])
    ids = running[1:] - np.repeat(running[offsets[:-1]], np.diff(offsets))
    if len(ids) and ids.max() >= 1 << BITS:
        raise ValueError("it holds runs of characters that no text has")
    whole: npt.NDArray[np.uint32] = ids.astype(np.uint32)
    return whole


def _questions(table: pa.Table) -> pa.Array:
    text, prompt = (_one(table.column(name)) for name in ("text", "prompt"))
    known = prompt.drop_null()
    if len(known) == 0 or len(known.unique()) < _SHARED_PROMPT * len(known):
        return text
    return pc.coalesce(prompt, text)


def _one(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _runs(texts: pa.Array, ngram: int) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8], Offsets]:
    """The different runs of words of each item, with how many words each has."""
    words = tokens(texts)
    counts = np.diff(words.offsets)
    item: list[npt.NDArray[np.int64]] = []
    found: list[npt.NDArray[np.uint64]] = []
    lengths: list[npt.NDArray[np.uint8]] = []
    for n in range(FEWEST_WORDS, ngram + 1):
        meant = counts >= n if n == ngram else counts == n
        if not meant.any():
            continue
        ids, offsets = ngram_ids(words, n)
        sizes = np.diff(offsets)
        owner = np.repeat(np.arange(len(texts)), sizes)
        place = np.arange(len(ids)) - np.repeat(offsets[:-1], sizes)
        kept = meant[owner] & (place <= MOST_WORDS - n)
        item.append(owner[kept])
        found.append(ids[kept])
        lengths.append(np.full(int(kept.sum()), n, np.uint8))
    if not item:
        return np.zeros(0, np.uint64), np.zeros(0, np.uint8), np.zeros(len(texts) + 1, np.int64)
    owner, runs, size = np.concatenate(item), np.concatenate(found), np.concatenate(lengths)
    order = np.lexsort((runs, owner))
    owner, runs, size = owner[order], runs[order], size[order]
    first = np.ones(len(runs), bool)
    first[1:] = (owner[1:] != owner[:-1]) | (runs[1:] != runs[:-1])
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(np.bincount(owner[first], minlength=len(texts)), out=offsets[1:])
    return runs[first], size[first], offsets
