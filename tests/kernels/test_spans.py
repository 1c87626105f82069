import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import InputError
from assay.kernels.spans import verbatim
from assay.kernels.text import Tokens, tokens

ROWS = st.lists(st.text("ab", max_size=12).map(" ".join), max_size=5)


def of(texts: list[str]) -> Tokens:
    return tokens(pa.array(texts, pa.string()))


def brute_mask(query: list[str], target: list[str], width: int) -> list[bool]:
    known = {
        tuple(text.split()[i : i + width]) for text in target for i in range(len(text.split()) - width + 1)
    }
    mask = []
    for text in query:
        words = text.split()
        covered = [False] * len(words)
        for i in range(len(words) - width + 1):
            if tuple(words[i : i + width]) in known:
                covered[i : i + width] = [True] * width
        mask += covered
    return mask


@settings(max_examples=300, deadline=None)
@given(ROWS, ROWS, st.integers(1, 5))
def test_covered_tokens_equal_brute_force(query: list[str], target: list[str], width: int) -> None:
    mask, rows = verbatim(of(query), of(target), min_tokens=width)
    assert mask.tolist() == brute_mask(query, target, width)
    offsets = of(query).offsets
    for row, found in enumerate(rows.tolist()):
        covered = mask[offsets[row] : offsets[row + 1]].any()
        assert (found >= 0) == covered
        if found >= 0:
            assert any(brute_mask([query[row]], [target[found]], width))


def test_the_row_with_the_longest_shared_run_is_named() -> None:
    rng = np.random.default_rng(0)
    words = [f"w{number}" for number in rng.permutation(400)]
    target = [" ".join(words[:100]), " ".join(words[100:300]), " ".join(words[300:])]
    query = [
        " ".join(["x", *words[20:80], "y", *words[110:190], "z"]),  # 60 words of row 0, 80 of row 1
        " ".join(words[40:89]),  # one word too few
        " ".join(words[70:130]),  # 30 of row 0 and 30 of row 1 are no run of 50
        "",
    ]
    mask, rows = verbatim(of(query), of(target))
    assert rows.tolist() == [1, -1, -1, -1]
    assert mask.sum() == 60 + 80
    assert mask[[0, 61, 142]].tolist() == [False] * 3


def test_nothing_to_compare() -> None:
    mask, rows = verbatim(of(["a b c"]), of([]), min_tokens=2)
    assert not mask.any()
    assert rows.tolist() == [-1]
    assert verbatim(of([]), of(["a b c"]), min_tokens=2)[0].shape == (0,)


def test_a_window_of_no_tokens_is_refused() -> None:
    with pytest.raises(InputError, match="min_tokens"):
        verbatim(of(["a"]), of(["a"]), min_tokens=0)
