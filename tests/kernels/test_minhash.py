from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest

from assay.core.errors import InputError
from assay.kernels import minhash
from assay.kernels.minhash import clusters, matches, signatures, sketch
from assay.kernels.text import Tokens, tokens

THRESHOLD = 0.7


def planted(rng: np.random.Generator, rows: int, edits: int) -> list[str]:
    """`rows` pairs: 30 random words, and the same with up to `edits` of them replaced."""
    texts = []
    for _ in range(rows):
        words = [f"w{number}" for number in rng.integers(0, 5000, 30)]
        copy = list(words)
        for at in rng.choice(30, rng.integers(0, edits + 1), replace=False):
            copy[at] = f"v{rng.integers(5000)}"
        texts += [" ".join(words), " ".join(copy)]
    return texts


def shingles(text: str) -> set[tuple[str, ...]]:
    words = text.lower().split()
    size = min(3, len(words))
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)} if words else set()


def jaccard(left: str, right: str) -> float:
    return overlap(shingles(left), shingles(right))


def overlap(a: set[tuple[str, ...]], b: set[tuple[str, ...]]) -> float:
    return len(a & b) / len(a | b) if a and b else 0.0


def brute_clusters(texts: list[str]) -> list[int]:
    cluster = list(range(len(texts)))
    sets = [shingles(text) for text in texts]
    for i, j in combinations(range(len(texts)), 2):
        if overlap(sets[i], sets[j]) >= THRESHOLD and cluster[i] != cluster[j]:
            low, high = sorted((cluster[i], cluster[j]))
            cluster = [low if name == high else name for name in cluster]
    return cluster


def of(texts: list[str]) -> Tokens:
    return tokens(pa.array(texts, pa.string()))


def test_clusters_equal_brute_force_over_planted_near_duplicates() -> None:
    texts = planted(np.random.default_rng(0), 100, 4)
    expected = brute_clusters(texts)
    assert 110 < len(set(expected)) < 190  # pairs on both sides of the threshold
    assert clusters(sketch(of(texts))).tolist() == expected


def test_chains_of_edits_end_in_one_cluster() -> None:
    words = [f"w{i}" for i in range(60)]
    chain = []
    for step in range(10):
        words[step * 6] = f"v{step}"
        chain.append(" ".join(words))
    assert jaccard(chain[0], chain[-1]) < THRESHOLD
    assert clusters(sketch(of([*chain, "something else entirely here"]))).tolist() == [0] * 10 + [10]


def test_matches_equal_brute_force() -> None:
    rng = np.random.default_rng(1)
    texts = planted(rng, 120, 4)
    query, target = [*texts[1::2], "nothing like it at all"], texts[0::2] + planted(rng, 30, 0)
    rows, scores = matches(sketch(of(query)), sketch(of(target)))
    for row, text in enumerate(query):
        similarities = [jaccard(text, other) for other in target]
        best = max(similarities)
        if best < THRESHOLD:
            assert rows[row] == -1
            assert scores[row] == 0
        else:
            assert rows[row] == similarities.index(best)
            assert scores[row] == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8, 0.95, 1.0])
def test_other_thresholds_find_their_pairs_too(threshold: float) -> None:
    texts = planted(np.random.default_rng(2), 200, 9)
    query, target = texts[1::2], texts[0::2]
    rows, _ = matches(sketch(of(query), threshold), sketch(of(target), threshold))
    expected = [jaccard(a, b) >= threshold for a, b in zip(query, target, strict=True)]
    assert (rows >= 0).tolist() == expected


def test_short_and_empty_rows() -> None:
    texts = ["", "yes", "Yes!", "...", "yes sir", "sir yes", "", "yes sir."]
    assert clusters(sketch(of(texts))).tolist() == [0, 1, 1, 3, 4, 5, 6, 4]
    rows, scores = matches(sketch(of(texts)), sketch(of(["no", "YES", "", "yes"])))
    assert rows.tolist() == [-1, 1, 1, -1, -1, -1, -1, -1]
    assert scores[1] == 1


def test_no_rows_at_all() -> None:
    nothing, something = of([]), of(["one two three four"])
    assert clusters(sketch(nothing)).shape == (0,)
    assert matches(sketch(nothing), sketch(something))[0].shape == (0,)
    assert matches(sketch(something), sketch(nothing))[0].tolist() == [-1]


def test_a_corpus_of_one_row_repeated_is_one_set() -> None:
    repeated = of(["the same row of words again and again"] * 20_000 + ["another row of other words"])
    sketches = sketch(repeated)
    assert len(minhash._sets(sketches.hashes, sketches.lengths > 0)[0]) == 2
    assert np.unique(clusters(sketches)).tolist() == [0, 20_000]


def test_rows_of_one_template_end_in_one_cluster() -> None:
    body = " ".join(f"word{i}" for i in range(60))
    texts = [f"{body} {i} {i * 7}" for i in range(5_000)]
    assert not clusters(sketch(of(texts))).any()


def test_signatures_estimate_the_similarity() -> None:
    texts = planted(np.random.default_rng(3), 400, 6)
    signed = signatures(of(texts))
    estimates = (signed[0::2] == signed[1::2]).mean(axis=1)
    errors = estimates - [jaccard(a, b) for a, b in zip(texts[0::2], texts[1::2], strict=True)]
    assert abs(errors.mean()) < 0.005
    assert errors.std() < 0.04


@pytest.mark.parametrize("threshold", [0.0, 1.1, -1.0, float("nan")])
def test_a_threshold_outside_its_range_is_refused(threshold: float) -> None:
    with pytest.raises(InputError, match="threshold"):
        sketch(of(["a"]), threshold)


def test_a_pair_exactly_at_the_threshold_counts() -> None:
    words = [f"w{i}" for i in range(102)]
    whole, part = " ".join(words), " ".join(words[:57])  # 100 shingles and 55 of them
    rows, scores = matches(sketch(of([part]), 0.55), sketch(of([whole]), 0.55))
    assert rows.tolist() == [0]
    assert scores[0] == pytest.approx(0.55)
