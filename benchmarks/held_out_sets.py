"""Two thresholds on sets of human text that had no part in setting them: how often they cry wolf.

`diversity.type_coverage` counts 0.10 below real rows as the same, and near-duplicates are told by a likeness that the
real rows choose. Each set is divided at random into thirds, again and again: one stands in the synthetic rows' place,
one is the real side, and the last is the real rows in the synthetic ones' place. Sets that come in two parts made by
different people or from different pages are also held against each other. An alarm of coverage is an interval that
ends below the reference less 0.10. Of near-duplicates the first third chooses the likeness and the others are
searched; what is joined there resembles each other and was copied by nobody.

    python benchmarks/held_out_sets.py FOLDER

FOLDER holds gap, bold, wikitext2_shakespeare and crows_pairs as their authors publish them;
what is not there is left out.
"""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from assay.audit.annotate.nearness import nearness
from assay.audit.probe import sample, sample_size
from assay.audit.probes.rare_types import PROBE
from assay.audit.rows import Rows, open_rows
from assay.core.corpus import Corpus, schema

DIVISIONS = 20
TOLERANCE = 0.10


def sets(folder: Path) -> Iterator[tuple[str, list[list[str]]]]:
    """Name and parts of each set that is there."""
    gap = folder / "gap/gap-validation.tsv"
    if gap.exists():
        with gap.open(encoding="utf-8", newline="") as file:
            yield "GAP, passages", [[row["Text"] for row in csv.DictReader(file, delimiter="\t")]]
    bold = folder / "bold/wikipedia/gender_wiki.json"
    if bold.exists():
        kinds = json.loads(bold.read_text(encoding="utf-8"))
        parts = [[text for texts in kind.values() for text in texts] for kind in kinds.values()]
        yield "BOLD, first sentences", parts
    wiki = [folder / "wikitext2_shakespeare/wikitext-2" / name for name in ("valid.txt", "test.txt")]
    if wiki[0].exists():
        lines = [path.read_text(encoding="utf-8").splitlines() for path in wiki]
        yield "WikiText-2, paragraphs", [[line for line in part if len(line.split()) > 20] for part in lines]
    crows = folder / "crows_pairs/data/crows_pairs_anonymized.csv"
    if crows.exists():
        with crows.open(encoding="utf-8", newline="") as file:
            yield "CrowS-Pairs, sentences", [[row["sent_more"] for row in csv.DictReader(file)]]


def opened(folder: Path, texts: list[str]) -> Rows:
    columns = {
        "text": pa.array(texts, pa.large_string()),
        "root": pa.array(np.arange(len(texts)), pa.uint64()),
        "row": pa.array(np.arange(len(texts))),
    }
    arrays = [columns.get(field.name, pa.nulls(len(texts), field.type)) for field in schema()]
    batch = pa.RecordBatch.from_arrays(arrays, schema=schema())
    return open_rows(Corpus.write(folder, [batch], name="rows", origin="real", shape="text"))


def short_of(rows: Rows, real: Rows, other: Rows, seed: int) -> tuple[float, bool]:
    """By how much `rows` use fewer of the rarer words than `other` real rows, and whether that is an alarm."""
    size = sample_size(PROBE, rows, real, other)
    found, usual = (sample(PROBE, each, real, size, seed, 0.95) for each in (rows, other))
    assert found.value is not None
    assert usual.value is not None
    return usual.value - found.value, found.high < usual.value - TOLERANCE


def main(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for name, parts in sets(folder):
        with tempfile.TemporaryDirectory() as place:
            rows = opened(Path(place) / "all", [text for part in parts for text in part])
            found, joined, chosen = [], [], []
            for division in range(DIVISIONS):
                thirds = [rows.take(np.sort(each)) for each in np.array_split(rng.permutation(len(rows)), 3)]
                found.append(short_of(thirds[0], thirds[1], thirds[2], division))
                near = nearness(thirds[0])
                rest = thirds[1]
                group = near.groups(rest)
                joined.append((np.bincount(group, minlength=len(group))[group] > 1).mean())
                chosen.append((near.threshold, near.shingle_words))
            low, alarms = (np.array(each) for each in zip(*found, strict=True))
            print(
                f"{name}: {len(rows):,} rows, {DIVISIONS} divisions: coverage at most {low.max():.3f} lower, "
                f"{alarms.sum()} alarms; near-duplicates at {sorted(set(chosen))} (likeness, words of a run), "
                f"{np.mean(joined):.2%} of the rows joined, at most {np.max(joined):.2%}",
                flush=True,
            )
            if len(parts) > 1:
                edges = np.cumsum([0, *(len(part) for part in parts)])
                found = []
                for at in range(len(parts)):
                    mine = rows.take(np.arange(edges[at], edges[at + 1]))
                    others = rng.permutation(
                        np.setdiff1d(np.arange(len(rows)), np.arange(edges[at], edges[at + 1]))
                    )
                    real, other = (rows.take(np.sort(each)) for each in np.array_split(others, 2))
                    if min(len(mine), len(real)) >= 100:
                        found.append(short_of(mine, real, other, at))
                differences = ", ".join(f"{each:.3f}" for each, _ in found)
                print(
                    f"  each part against the others: {differences} lower, {sum(a for _, a in found)} alarms"
                )


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("Give the folder of the sets, see the top of this file.")
    main(Path(sys.argv[1]))
