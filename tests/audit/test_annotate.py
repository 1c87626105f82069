"""The columns that probes count, on rows small enough to count by hand."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from assay.audit.annotate.columns import annotate
from assay.audit.annotate.copies import copied, copied_among
from assay.audit.annotate.phrases import find, holds, locate
from assay.audit.annotate.repeats import repeats
from assay.audit.annotate.repetition import repeated_share, repeats_itself
from assay.audit.rows import Rows, open_rows
from assay.kernels.ngrams import ngram_ids
from assay.kernels.text import tokens
from tests.audit.corpora import rows, write


def opened(folder: Path, *texts: str, roots: tuple[str, ...] = ()) -> Rows:
    return open_rows(write(folder, [(text, "good") for text in texts], "rows", "real", roots))


def test_only_later_rows_of_a_group_repeat_and_empty_ones_never() -> None:
    groups = np.array([7, 3, 7, 3, 9, 7])
    counts = np.array([True, True, True, False, True, True])
    assert repeats(groups, counts).tolist() == [False, False, True, False, False, True]


def test_alone_a_row_repeats_nothing_that_is_gone(tmp_path: Path) -> None:
    real = opened(tmp_path, "One two three.", "one, two THREE", "one two three", "")
    columns = annotate(real, copied_among(real, salt=0))
    assert columns.exact_repeat.tolist() == [False, True, True, False]
    assert columns.alone(np.array([1, 2])).exact_repeat.tolist() == [False, True]
    assert columns.empty.tolist() == [False, False, False, True]


def test_repeated_share_counts_ngrams_seen_earlier_in_the_row() -> None:
    words = tokens(pa.array(["a b c a b c a b c", "a b c d e f g", "a"]))
    # Seven trigrams, three distinct ones.
    np.testing.assert_allclose(repeated_share(words, 3), [4 / 7, 0.0, 0.0])


def test_rows_that_go_round_are_found_in_scripts_without_spaces_too() -> None:
    texts = ["no, " * 12, "好" * 12, "a perfectly ordinary sentence with every word in it once"]
    assert repeats_itself(tokens(pa.array(texts))).tolist() == [True, True, False]


def test_kin_are_no_copies_among_real_rows(tmp_path: Path) -> None:
    text = " ".join(f"word{number}" for number in range(60))
    kin = opened(
        tmp_path / "kin",
        text,
        text,
        *(f"other row {n}" for n in range(30)),
        roots=("a", "a", *map(str, range(30))),
    )
    assert not (copied_among(kin, salt=0).near >= 0).any()
    salts = [copied_among(opened(tmp_path / "strangers", text, text), salt=salt) for salt in range(20)]
    # Strangers that say the same count as soon as they fall into different fifths.
    assert any((each.near >= 0).all() and (each.tokens == 60).all() for each in salts)


def test_a_phrase_is_recovered_as_text_with_its_place(tmp_path: Path) -> None:
    some = opened(tmp_path, "nothing here", "Größe ist  Alles, mein Freund", "ist alles")
    ids, offsets = ngram_ids(some.tokens, 2)
    phrase = find(some, int(ids[offsets[1] + 1]), (1, 2, 3))
    assert (phrase.text, phrase.words) == ("ist alles", 2)
    assert holds(some, phrase).tolist() == [False, True, True]
    start, end = locate(some, 1, phrase)
    assert "Größe ist  Alles, mein Freund".encode()[start:end] == b"ist  Alles"


def test_copies_are_found_in_the_right_row(tmp_path: Path) -> None:
    real = open_rows(write(tmp_path, rows(50, seed=5), "real", "real"))
    found = copied(real.take(np.array([7, 3])), real)
    assert found.near.tolist() == [7, 3]
    assert found.similarity.tolist() == [1.0, 1.0]
