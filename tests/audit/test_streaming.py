"""The audit of corpora that do not fit into memory gives what one batch would give."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from assay.audit.annotate import passages
from assay.audit.annotate.copies import copied_among
from assay.audit.annotate.passages import Folded
from assay.audit.rows import Rows, join, mixed, open_rows
from assay.audit.run import AuditResult
from assay.core.corpus import Corpus, schema
from assay.engine import batches
from assay.engine.batches import bounds, gather, texts
from assay.engine.guard import split
from assay.engine.sketch import sketch_batches
from assay.kernels.minhash import matches, sketch
from assay.kernels.spans import verbatim
from assay.kernels.text import tokens
from tests.audit.corpora import Row, audited, rows, write


def spoilt() -> tuple[list[Row], list[Row]]:
    """Real and synthetic rows with duplicates, copies of rows and of passages, refusals and empty rows."""
    made, clean = rows(300, seed=1), rows(200, seed=2)
    real = [*made, *((" ".join(text for text, _ in made[at : at + 4]), "good") for at in range(0, 120, 4))]
    passage = [(f"{text} {real[300 + at][0]} {text}", "bad") for at, (text, _) in enumerate(clean[:20])]
    broken = [("I'm sorry, but I can't do that.", "bad"), ("...", "good"), ("", "")]
    return real, [*clean, *passage, *real[:5], *clean[:5], (clean[7][0] + " more", "good"), *broken]


def in_batches(of: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AuditResult:
    monkeypatch.setattr(batches, "BATCH_BYTES", of)
    monkeypatch.setattr(passages, "FEWEST_SUSPECTS", of)
    return audited(folder, *spoilt())


def test_many_small_batches_give_what_one_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = in_batches(1 << 30, tmp_path / "whole", monkeypatch)
    parts = in_batches(700, tmp_path / "parts", monkeypatch)
    assert [each.model_dump_json() for each in parts.measures] == [
        each.model_dump_json() for each in whole.measures
    ]
    assert parts.rows.equals(whole.rows)
    assert parts.examples.equals(whole.examples)
    flags = whole.rows.to_pydict()
    assert sum(flags["copies_real"]) >= 25
    assert sum(flags["near_duplicate"]) >= 6


def test_batches_hold_each_row_once_and_no_more_than_they_may() -> None:
    sizes = np.array([3, 0, 9, 2, 2, 2, 50, 1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "BATCH_BYTES", 6)
        found = list(bounds(sizes))
        assert found == [(0, 2), (2, 3), (3, 6), (6, 7), (7, 8)]
        patch.setattr(batches, "BATCH_ROWS", 1)
        assert list(bounds(sizes)) == [(row, row + 1) for row in range(8)]
    assert list(bounds(sizes[:0])) == []


def test_rows_are_gathered_from_their_chunks_in_the_order_asked() -> None:
    column = pa.chunked_array([["a", "b"], [], ["c", None, "e"]], pa.large_string())
    assert gather(column, np.array([4, 0, 3, 0, 2])).to_pylist() == ["e", "a", None, "a", "c"]
    assert gather(column, np.zeros(0, np.int64)).to_pylist() == []


def test_taken_and_joined_rows_say_what_the_table_says(tmp_path: Path) -> None:
    some = open_rows(write(tmp_path, rows(30, seed=3), "some", "real"))
    text = some.text.to_pylist()
    whole = some.tokens
    taken = some.take(np.array([9, 2, 5])).take(np.array([2, 0]))
    assert taken.text.to_pylist() == [text[5], text[9]]
    fresh = tokens(taken.text)
    assert taken.tokens.ids.tolist() == fresh.ids.tolist()
    assert taken.tokens.starts.tolist() == fresh.starts.tolist()
    assert taken.lengths.tolist() == np.diff(whole.offsets)[[5, 9]].tolist()
    both = join(taken, some)
    assert both.text.to_pylist() == [text[5], text[9], *text]
    assert both.parts["label"].to_pylist()[2:] == some.parts["label"].to_pylist()


def lettered(folder: Path, made: list[str], name: str) -> Rows:
    return open_rows(write(folder, [(text, "good") for text in made], name, "real"))


def random_texts(rng: np.random.Generator, number: int) -> list[str]:
    return [" ".join("ab"[i] for i in rng.integers(0, 2, rng.integers(0, 14))) for _ in range(number)]


@pytest.mark.parametrize("width", [1, 2, 5, 8])
@pytest.mark.parametrize("seed", range(5))
def test_passages_equal_those_found_in_memory(
    tmp_path: Path, width: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH_BYTES", 40)
    monkeypatch.setattr(passages, "FEWEST_SUSPECTS", 20)
    rng = np.random.default_rng(seed)
    ours, real = (lettered(tmp_path, random_texts(rng, 12), name) for name in ("ours", "real"))
    folds = rng.integers(0, 3, len(real))
    found = passages.passages(
        Folded(ours, np.full(len(ours), -1)), Folded(real, np.zeros(len(real), np.int64)), width
    )
    mask, source = verbatim(tokens(ours.text), tokens(real.text), min_tokens=width)
    assert found.mask.tolist() == mask.tolist()
    assert found.source.tolist() == source.tolist()

    among = passages.passages(Folded(real, folds), Folded(real, folds), width)
    lengths = real.lengths
    for fold in range(3):
        here, others = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        part, source = verbatim(
            tokens(real.text.take(pa.array(here))), tokens(real.text.take(pa.array(others))), min_tokens=width
        )
        assert among.mask[np.repeat(folds == fold, lengths)].tolist() == part.tolist()
        assert among.source[here].tolist() == [others[row] if row >= 0 else -1 for row in source]
        assert among.tokens[here].tolist() == _per_row(part, lengths[here]).tolist()


def _per_row(mask: npt.NDArray[np.bool_], lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.bincount(np.repeat(np.arange(len(lengths)), lengths)[mask], minlength=len(lengths))


def test_among_folds_each_row_matches_the_others_best_row(tmp_path: Path) -> None:
    made = [text for text, _ in rows(60, seed=4)]
    real = lettered(tmp_path, [*made, *made[:30], *(text + " more" for text in made[20:50])], "real")
    found = copied_among(real, salt=0)
    folds = mixed(real.root, 0) % np.uint64(5)
    for fold in range(5):
        here, others = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        near, similarity = matches(sketch(real.tokens.take(here)), sketch(real.tokens.take(others)))
        assert found.near[here].tolist() == [others[row] if row >= 0 else -1 for row in near]
        assert found.similarity[here].tolist() == similarity.tolist()
    assert (found.near >= 0).sum() > 30


def test_sketches_in_files_equal_those_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH_BYTES", 500)
    corpus = write(tmp_path, [*rows(40, seed=5), ("", "good")], "some", "real")
    apart = sketch_batches(texts(corpus), tokens, corpus.rows, corpus.folder)
    whole = sketch(tokens(corpus.table(["text"])["text"]))
    for name in ("lengths", "hashes", "ids", "offsets", "signatures", "keys"):
        assert np.array_equal(getattr(apart, name), getattr(whole, name)), name
    assert sorted(path.name for path in corpus.folder.iterdir()) == ["corpus.arrow", "corpus.json"]


def test_the_split_does_not_depend_on_the_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = rows(100, seed=6)
    real = write(tmp_path, [*made, *made[:20]], "real", "real")
    whole = split(real, tmp_path / "whole")
    monkeypatch.setattr(batches, "BATCH_BYTES", 300)
    parts = split(real, tmp_path / "parts")
    for name in ("train", "reference", "test"):
        assert getattr(parts, name).fingerprint == getattr(whole, name).fingerprint


# A model of a corpus that memory does not hold: batches, samples and the limit are a fraction of the usual, text is
# four times the limit, and all that grows with the corpus beyond its rows would show.
LIMIT, TEXT = 48 << 20, 192 << 20
WORD, ROW_WORDS = 6, 1000


def large(folder: Path, name: str, size: int, seed: int) -> Corpus:
    """A corpus of `size` bytes of six-letter words; one row in fifty repeats the row before it."""
    rng = np.random.default_rng(seed)
    letters = rng.integers(ord("a"), ord("z") + 1, (20_000, WORD), np.uint8)
    letters[:, -1] = ord(" ")

    def made() -> Iterator[pa.RecordBatch]:
        number = size // (WORD * ROW_WORDS)
        for start in range(0, number, 4096):
            count = min(4096, number - start)
            drawn = letters[(rng.random((count, ROW_WORDS)) ** 2 * len(letters)).astype(np.int64)]
            drawn[1::50] = drawn[0::50][: len(drawn[1::50])]
            ends = np.arange(count + 1, dtype=np.int64) * WORD * ROW_WORDS
            text = pa.LargeStringArray.from_buffers(count, pa.py_buffer(ends), pa.py_buffer(drawn.tobytes()))
            columns = {
                "text": text,
                "root": pa.array(rng.integers(1 << 63, size=count), pa.uint64()),
                "row": pa.array(np.arange(start, start + count)),
            }
            arrays = [columns.get(field.name, pa.nulls(count, field.type)) for field in schema()]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema())

    return Corpus.write(folder / name, made(), name=name, origin="real", shape="text")


CHILD = """
import json, sys, threading
from pathlib import Path
from assay.audit.annotate.columns import annotate
from assay.audit.annotate import copies, frames, passages
from assay.audit.annotate.copies import copied, copied_among
from assay.audit.probe import Probe, count
from assay.audit.probes import PROBES
from assay.audit.rows import open_rows
from assay.core.corpus import Corpus
from assay.engine import batches

batches.BATCH_BYTES = 1 << 17
copies.MOST_WORDS = 1 << 17
frames._READ_BYTES = 1 << 21
passages.FEWEST_SUSPECTS = 1 << 15

def measure(real, synthetic):
    pool, ours = open_rows(Corpus.open(real)), open_rows(Corpus.open(synthetic))
    columns = annotate(ours, copied(ours, pool))
    beside = annotate(pool, copied_among(pool, salt=0))
    return [count(probe, columns, beside, 0.95).value for probe in PROBES if isinstance(probe, Probe)]

def used():  # memory that no file backs
    lines = open("/proc/self/status").read().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))

folder, peak, done = Path(sys.argv[1]), 0, threading.Event()
measure(folder / "few", folder / "few")  # loads and compiles what is not memory for data
before = used()

def watch():
    global peak
    while not done.wait(0.01):
        peak = max(peak, used())

threading.Thread(target=watch).start()
try:
    values = measure(folder / "real", folder / "synthetic")
finally:
    done.set()
print(json.dumps([peak - before, values]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux alone says how much memory is used")
def test_a_corpus_of_four_times_the_memory_is_audited(tmp_path: Path) -> None:
    large(tmp_path, "few", 1 << 20, seed=0)
    for seed, name in ((1, "real"), (2, "synthetic")):
        large(tmp_path, name, TEXT // 2, seed=seed)
    command = [sys.executable, "-c", CHILD, str(tmp_path)]
    # What is asked for counts, and not what the allocator keeps for each thread that ever ran.
    environment = {**os.environ, "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    peak, (exact, near, *_) = json.loads(done.stdout)
    assert peak < LIMIT
    assert exact == pytest.approx(0.02, abs=0.001)
    assert near == pytest.approx(0.02, abs=0.001)
