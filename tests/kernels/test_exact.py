import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.kernels.exact import exact_clusters, exact_matches
from assay.kernels.text import tokens

ROWS = st.lists(st.text("ab \0é", max_size=3), max_size=12)


@settings(max_examples=100, deadline=None)
@given(ROWS)
def test_clusters_name_the_first_equal_row(rows: list[str]) -> None:
    assert exact_clusters(pa.array(rows, pa.string())).tolist() == [rows.index(text) for text in rows]


@settings(max_examples=100, deadline=None)
@given(ROWS, ROWS)
def test_matches_name_the_first_equal_target(query: list[str], target: list[str]) -> None:
    found = exact_matches(pa.array(query, pa.string()), pa.array(target, pa.large_string()))
    assert found.tolist() == [target.index(text) if text in target else -1 for text in query]


@pytest.mark.parametrize("layout", [pa.array, lambda rows: pa.chunked_array([rows[:2], rows[2:]])])
def test_tokens_compare_words_alone(layout: type[pa.Array]) -> None:
    column = layout(["To be, or not", "not", "to be - OR NOT!", "be to or not"])
    assert exact_clusters(tokens(column)).tolist() == [0, 1, 0, 3]
    assert exact_clusters(column).tolist() == [0, 1, 2, 3]
