"""How long it takes to look for 10,000 evaluation items in 100,000 rows, and what an index weighs.

Prints processor seconds of one core, which a busy machine does not stretch, beside those of tokenising the same
rows, which every audit does anyway.

    python benchmarks/contamination.py [rows] [items]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from assay.audit.contamination import contamination
from assay.audit.evals import index, save
from assay.audit.rows import open_rows
from assay.core.corpus import Corpus, root_hash, schema
from assay.kernels.text import tokens

WORDS = 60


def corpus(folder: Path, number: int, name: str, seed: int) -> Corpus:
    """Rows of 60 made words with the frequencies of natural ones."""
    rng = np.random.default_rng(seed)
    letters = np.array(list("etaoinshrdlucmfw"))
    made = np.random.default_rng(0)
    vocabulary = ["".join(made.choice(letters, made.integers(2, 10))) for _ in range(30_000)]
    rates = 1 / (np.arange(len(vocabulary)) + 3)
    drawn = rng.choice(len(vocabulary), (number, WORDS), p=rates / rates.sum())
    columns = {
        "text": [" ".join(vocabulary[word] for word in row) for row in drawn],
        "root": [root_hash(f"{name} {row}") for row in range(number)],
        "row": list(range(number)),
    }
    filled = {field.name: columns.get(field.name, [None] * number) for field in schema()}
    batch = pa.RecordBatch.from_pydict(filled, schema=schema())
    return Corpus.write(folder / name, [batch], name=name, origin="real", shape="text")


def main(rows: int = 100_000, items: int = 10_000) -> None:
    """Run the figure."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        warm = open_rows(corpus(here, 200, "warm", 1))
        contamination([index(corpus(here, 100, "warm eval", 2), "warm")], warm, warm)
        ours, real = (open_rows(corpus(here, rows, name, seed)) for name, seed in (("ours", 3), ("real", 4)))
        asked = corpus(here, items, "eval", 5)
        before = time.process_time()
        each = index(asked, "eval")
        indexed = time.process_time()
        contamination([each], ours, real)
        searched = time.process_time()
        tokens(ours.text)
        tokens(real.text)
        tokenised = time.process_time() - searched
        save([each], here / "eval.assay-index")
        weight = (here / "eval.assay-index").stat().st_size / items
        text = sum(map(len, each.texts.to_pylist())) / items if each.texts is not None else 0.0
        print(
            f"index of {items:,} items: {indexed - before:.1f} s, {weight:,.0f} bytes an item of {text:,.0f}"
        )
        print(
            f"{items:,} items in {rows:,} rows and as many real ones: {searched - indexed:.1f} s, "
            f"{(searched - indexed) / tokenised:.0f} times what tokenising both sides takes"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
