import itertools
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.kernels.ngrams import hashed_counts, ngram_ids
from assay.kernels.text import tokens

ROWS = st.lists(st.lists(st.sampled_from("abcd"), max_size=8).map(" ".join), max_size=6)


@settings(max_examples=100, deadline=None)
@given(ROWS, st.integers(1, 4))
def test_ngram_ids_stand_for_runs_of_words(rows: list[str], n: int) -> None:
    ids, offsets = ngram_ids(tokens(pa.array(rows, pa.string())), n)
    runs = [tuple(text.split()[i : i + n]) for text in rows for i in range(len(text.split()) - n + 1)]
    meaning = dict(zip(ids.tolist(), runs, strict=True))
    assert [meaning[gram] for gram in ids.tolist()] == runs
    assert len(meaning) == len(set(runs))
    assert np.diff(offsets).tolist() == [max(len(text.split()) - n + 1, 0) for text in rows]


@settings(max_examples=100, deadline=None)
@given(ROWS)
def test_hashed_counts_count_each_order(rows: list[str]) -> None:
    found = hashed_counts(tokens(pa.array(rows, pa.string())), bits=20)
    assert found.shape == (len(rows), 2**20)
    assert found.dtype == np.float32
    assert found.has_sorted_indices
    for row, text in enumerate(rows):
        words = text.split()
        expected = Counter(words) + Counter(itertools.pairwise(words))
        assert sorted(found[row].data.tolist()) == sorted(map(float, expected.values()))


def test_equal_ngrams_share_a_column_across_rows() -> None:
    found = hashed_counts(tokens(pa.array(["red car", "Red CAR red car", "boat"])))
    assert (found[0].toarray() > 0).sum() == 3
    assert found[1].toarray()[found[0].toarray() > 0].tolist() == [2, 2, 2] or found[1].sum() == 7
    assert found[0].multiply(found[2]).nnz == 0


@pytest.mark.parametrize("rows", [[], [""], [None, "a"]])
def test_rows_too_short_have_no_ngrams(rows: list[str | None]) -> None:
    ids, offsets = ngram_ids(tokens(pa.array(rows, pa.string())), 2)
    assert len(ids) == 0
    assert len(offsets) == len(rows) + 1
