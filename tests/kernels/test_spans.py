from itertools import pairwise

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


def suffix_array(ids: list[int]) -> list[int]:
    """Suffixes in order, by doubling the length that is compared (Manber & Myers 1993)."""
    rank, width, places = list(ids), 1, range(len(ids))
    while True:
        keys = [(rank[i], rank[i + width] if i + width < len(ids) else -1) for i in places]
        order = sorted(places, key=keys.__getitem__)
        rank = [0] * len(ids)
        for before, here in pairwise(order):
            rank[here] = rank[before] + (keys[here] != keys[before])
        if not ids or rank[order[-1]] == len(ids) - 1:
            return order
        width *= 2


def suffix_array_mask(query: Tokens, target: Tokens, width: int) -> list[bool]:
    """The covered tokens as a suffix array of both sides has them."""
    number = {word: at for at, word in enumerate(np.unique(np.concatenate([query.ids, target.ids])).tolist())}
    joined, place, own = [], [], 0  # each row ends in a sign of its own, so that no run crosses rows
    for side, tokens_ in enumerate((query, target)):
        for row in range(tokens_.rows):
            for at in range(tokens_.offsets[row], tokens_.offsets[row + 1]):
                joined.append(number[int(tokens_.ids[at])])
                place.append((side, at))
            joined.append(len(number) + own)
            place.append((-1, -1))
            own += 1
    order = suffix_array(joined)
    shared = [0]  # longest common prefix with the suffix before
    for before, here in pairwise(order):
        length = 0
        while max(before, here) + length < len(joined) and joined[before + length] == joined[here + length]:
            length += 1
        shared.append(length)
    mask = [False] * len(query.ids)
    for way in (1, -1):
        longest = 0
        places = range(len(order)) if way == 1 else range(len(order) - 1, -1, -1)
        for at in places:
            # The common prefix with the last target suffix is the least of those between.
            gap = at if way == 1 else at + 1
            longest = min(longest, shared[gap] if gap < len(shared) else 0)
            side, token = place[order[at]]
            if side == 1:
                longest = len(joined)
            elif side == 0 and longest >= width:
                mask[token : token + longest] = [True] * longest
    return mask


@settings(max_examples=200, deadline=None)
@given(ROWS, ROWS, st.integers(1, 6))
def test_spans_are_those_of_a_suffix_array(query: list[str], target: list[str], width: int) -> None:
    mask, _ = verbatim(of(query), of(target), min_tokens=width)
    assert mask.tolist() == suffix_array_mask(of(query), of(target), width)


def thue_morse(order: int, first: str, second: str) -> list[str]:
    """A text and its mirror image of 2**order words whose sums of powers modulo 2^64 are equal."""
    return [second if bin(at).count("1") % 2 else first for at in range(2**order)]


def fibonacci(number: int) -> list[str]:
    before, word = ["a"], ["a", "b"]
    while len(word) < number:
        before, word = word, word + before
    return word[:number]


@pytest.mark.parametrize(
    ("query", "target", "width"),
    [
        (["a"] * 500, ["a"] * 300, 50),
        (["a"] * 500, [*["a"] * 49, "b", *["a"] * 49], 50),
        (["a", "b"] * 200, ["b", "a"] * 150, 50),
        (fibonacci(600), [*fibonacci(400)[7:], "c", *fibonacci(300)], 50),
        (thue_morse(9, "a", "b"), thue_morse(9, "b", "a"), 50),
        ([*"abc"] * 100 + ["d"] + [*"abc"] * 100, [*"abc"] * 60, 50),
    ],
    ids=["one word", "one short", "swapped", "fibonacci", "thue-morse", "broken period"],
)
def test_texts_made_to_confuse_give_what_a_suffix_array_gives(
    query: list[str], target: list[str], width: int
) -> None:
    ours, theirs = of([" ".join(query)]), of([" ".join(target)])
    mask, _ = verbatim(ours, theirs, min_tokens=width)
    assert mask.tolist() == suffix_array_mask(ours, theirs, width)


def test_texts_whose_hashes_meet_are_never_called_copies() -> None:
    """At 2,048 words a text of two words and its mirror image have one sum modulo 2^64, whatever the base."""
    text, mirror = thue_morse(11, "a", "b"), thue_morse(11, "b", "a")
    query = of([" ".join(text)])
    assert not verbatim(query, of([" ".join(mirror)]), min_tokens=2048)[0].any()
