"""How long a page of rows takes to find: the tables of `assay serve` against Arrow asked anew for every page.

Both answer the same questions over one made-up run of a million rows (or as many as the first argument says). The
ratio is what counts; milliseconds are of the machine it runs on.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from assay.core.corpus import Corpus, schema
from assay.core.evidence import Costs, Evidence, Input, Run, Tool
from assay.serve import detail
from assay.serve.near import RealWords
from assay.serve.query import Query
from assay.serve.table import RowTable

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
WORDS, LEXICON, BATCH = 30, 20_000, 8192


def texts(rng: np.random.Generator, rows: int) -> Iterator[pa.RecordBatch]:
    """Rows of thirty words, the rank of each drawn as in a language."""
    lexicon = np.array([f"{'aeiou'[n % 5]}w{n:x}" for n in range(LEXICON)])
    names = schema().names
    for start in range(0, rows, BATCH):
        size = min(BATCH, rows - start)
        ranks = np.minimum(rng.zipf(1.3, (size, WORDS)), LEXICON) - 1
        held = {
            "text": [" ".join(row) for row in lexicon[ranks]],
            "label": ["good" if n % 2 else "bad" for n in range(size)],
            "root": np.arange(start, start + size, dtype=np.uint64),
            "row": np.arange(start, start + size),
        }
        columns = [
            pa.array(held[name], schema().field(name).type)
            if name in held
            else pa.nulls(size, schema().field(name).type)
            for name in names
        ]
        yield pa.record_batch(columns, schema())


def make(folder: Path) -> Run:
    """A run of so many synthetic and as many real rows."""
    rng = np.random.default_rng(0)
    for role in ("synthetic", "real"):
        at = folder / "steps" / f"read-{role}-0"
        Corpus.write(at, texts(rng, ROWS), name=role, origin=role, shape="text-label")
        (at / "read.json").write_text(json.dumps({"sha256": role}), encoding="utf-8")
    (folder / "rows").mkdir()
    flags = {f"flag_{n}": rng.random(ROWS) < 0.02 * (n + 1) for n in range(24)}
    table = pa.table({"row": np.arange(ROWS), **flags, "suspicion": rng.random(ROWS).astype(np.float32)})
    pq.write_table(table, folder / "rows" / "synthetic.parquet")
    inputs = tuple(
        Input(role=role, name=role, sha256=role, rows=ROWS, rows_unread=0, bytes=0, shape="text")
        for role in ("real", "synthetic")
    )
    evidence = Evidence(
        tool=Tool(version="0", commit=None), seed=0, inputs=inputs, measures=(), trials=(), claims=(),
        costs=Costs(), losses=(),
    )  # fmt: skip
    (folder / "evidence.json").write_text(evidence.to_json(), encoding="utf-8")
    return Run(folder)


def milliseconds(act: Callable[[], object], times: int = 3) -> float:
    """The shortest of some runs."""
    best = float("inf")
    for _ in range(times):
        started = time.perf_counter()
        act()
        best = min(best, time.perf_counter() - started)
    return 1000 * best


def anew(folder: Path, table: RowTable, query: Query, page: int) -> list[int]:
    """The rows of a page by one scan, one sort and one slice of Arrow's."""
    mask = pc.scalar(True)
    for name in query.having:
        mask = mask & ds.field(name)
    found = ds.dataset(folder / "rows" / "synthetic.parquet").to_table(
        columns=["row", "suspicion"], filter=mask
    )
    if query.terms:
        held = pc.match_substring(table.texts.column, query.terms[0], ignore_case=True)
        found = found.filter(held.take(found["row"]))
    found = found.sort_by([("suspicion", "descending")])
    return list(found["row"].slice(page * detail.PAGE, detail.PAGE).to_pylist())


def asked_again(table: RowTable, query: Query, page: int) -> object:
    """A further page of a list that was asked for before."""
    return detail.page(table, table.find(query), page)


def main() -> None:
    """Print what each question takes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = make(folder)
        started = time.perf_counter()
        table = RowTable(run, lambda folder: None)
        print(
            f"{ROWS:,} rows, {table.corpus.bytes / 1e6:.0f} MB of text; opened in {time.perf_counter() - started:.2f} s"
        )
        asked = {
            "all rows, most suspicious first": Query(sort="-suspicion"),
            "one flag": Query(having=("flag_3",), sort="-suspicion"),
            "three flags": Query(having=("flag_3", "flag_9", "flag_20"), sort="-suspicion"),
            "a rare word": Query(text="uw3e7", sort="-suspicion"),
            "a common word and a flag": Query(text="aw0", having=("flag_9",), sort="-suspicion"),
        }
        print(f"{'':34}{'first page':>12}{'page after':>12}{'Arrow anew':>12}{'ratio':>8}")
        for title, query in asked.items():
            started = time.perf_counter()
            found = table.find(query)
            first = detail.page(table, found, 0)
            once = 1000 * (time.perf_counter() - started)
            page = min(100, first["pages"] - 1)
            later = milliseconds(partial(asked_again, table, query, page))
            whole = milliseconds(partial(anew, folder, table, query, page), 1)
            rows = [each["row"] for each in detail.page(table, found, page)["rows"]]
            assert rows == anew(folder, table, query, page)
            print(f"{title:34}{once:>9.0f} ms{later:>9.1f} ms{whole:>9.0f} ms{whole / later:>7.0f}x")
        real = RealWords(run.corpus("real"))
        started, worked = time.perf_counter(), time.process_time()
        real.prepare()
        seconds, busy = time.perf_counter() - started, time.process_time() - worked
        print(f"real rows read for neighbours in {seconds:.1f} s ({busy:.1f} s of processor time), once")
        worked = time.process_time()
        each = [milliseconds(partial(detail.nearest, table, real, row), 1) for row in range(0, 200, 10)]
        busy = 1000 * (time.process_time() - worked) / len(each)
        print(
            f"nearest real rows of a row: {np.median(each):.0f} ms (median of 20), {busy:.0f} ms of processor time on "
            f"average, at most {max(each):.0f} ms"
        )


if __name__ == "__main__":
    main()
