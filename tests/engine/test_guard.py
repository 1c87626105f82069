import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from assay.core.corpus import Corpus, root_hash, schema
from assay.core.errors import InputError
from assay.engine.guard import Split, copies_of, split
from assay.kernels.exact import exact_matches, plain
from assay.kernels.minhash import Sketches, matches, sketch
from assay.kernels.text import tokens

BANKING = Path(__file__).parents[3] / "shared" / "data" / "banking77" / "banking_data"


def corpus(folder: Path, texts: list[str], roots: list[str] | None = None) -> Corpus:
    """A real corpus of `texts`; each row is its own root unless told otherwise."""
    roots = roots or [f"{folder.name}:{row}" for row in range(len(texts))]
    columns = {name: [None] * len(texts) for name in schema().names} | {
        "text": texts,
        "root": [root_hash(root) for root in roots],
        "row": list(range(len(texts))),
    }
    batches = pa.table(columns, schema=schema()).to_batches()
    return Corpus.write(folder, batches, name=folder.name, origin="real", shape="text")


def sentence(rng: np.random.Generator, words: int = 30) -> str:
    return " ".join(f"w{number}" for number in rng.integers(0, 3000, words))


def families(count: int, seed: int = 0) -> tuple[list[str], list[str]]:
    """Texts and roots: every third family is a near-duplicate of the one before it, every root has two rows."""
    rng = np.random.default_rng(seed)
    texts: list[str] = []
    roots: list[str] = []
    for family in range(count):
        text = f"{texts[-1]} again" if family % 3 == 2 else sentence(rng)
        texts += [sentence(rng), text]
        roots += [f"family {family}"] * 2
    return texts, roots


def rows_of(part: Corpus) -> list[int]:
    return [row.as_py() for row in part.table(["row"])["row"]]


def column(part: Corpus, name: str) -> list[object]:
    return [value.as_py() for value in part.table([name])[name]]


def text_of(part: Corpus) -> pa.ChunkedArray:
    return part.table(["text"])["text"]


def parts(done: Split) -> tuple[Corpus, Corpus, Corpus]:
    return done.train, done.reference, done.test


def test_every_row_lands_in_one_part_in_the_promised_shares(tmp_path: Path) -> None:
    real = corpus(tmp_path / "real", *families(600))
    done = split(real, tmp_path / "split")
    assert sorted(row for part in parts(done) for row in rows_of(part)) == list(range(1200))
    shares = [part.rows / real.rows for part in parts(done)]
    assert shares == pytest.approx([0.6, 0.2, 0.2], abs=0.005)
    assert done.left_out.tolist() == []


def sketched(corpus: Corpus) -> Sketches:
    return sketch(tokens(text_of(corpus)))


def test_no_test_row_has_a_sibling_or_near_duplicate_elsewhere(tmp_path: Path) -> None:
    done = split(corpus(tmp_path / "real", *families(300)), tmp_path / "split")
    for part in (done.train, done.reference):
        assert not set(column(done.test, "root")) & set(column(part, "root"))
        rows, _ = matches(sketched(done.test), sketched(part))
        assert (rows == -1).all()


def test_near_duplicates_may_part_between_train_and_reference_but_siblings_never(tmp_path: Path) -> None:
    done = split(corpus(tmp_path / "real", *families(300)), tmp_path / "split")
    assert not set(column(done.train, "root")) & set(column(done.reference, "root"))
    rows, _ = matches(sketched(done.reference), sketched(done.train))
    assert (rows >= 0).any()


def test_same_seed_same_bytes_other_seed_other_rows(tmp_path: Path) -> None:
    real = corpus(tmp_path / "real", *families(60))
    once, again, other = (
        split(real, tmp_path / name, seed=seed) for name, seed in [("a", 3), ("b", 3), ("c", 4)]
    )
    assert [part.fingerprint for part in parts(once)] == [part.fingerprint for part in parts(again)]
    assert rows_of(once.test) != rows_of(other.test)


def test_where_a_root_goes_does_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    texts, roots = families(100)
    forward = split(corpus(tmp_path / "real", texts, roots), tmp_path / "a")
    backward = split(corpus(tmp_path / "reversed", texts[::-1], roots[::-1]), tmp_path / "b")
    for one, other in zip(parts(forward), parts(backward), strict=True):
        assert set(column(one, "root")) == set(column(other, "root"))


def test_large_groups_are_not_drawn_more_often(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    roots = [f"big {i // 5}" if i < 100 else f"small {i}" for i in range(200)]
    real = corpus(tmp_path / "real", [sentence(rng) for _ in roots], roots)
    shares = [
        np.mean([row < 100 for row in rows_of(split(real, tmp_path / str(seed), seed=seed).test)])
        for seed in range(40)
    ]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.08)


def test_a_users_test_data_replaces_the_test_part(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    texts = [sentence(rng) for _ in range(100)]
    test = corpus(
        tmp_path / "test", [texts[7].upper(), f"so {texts[30]}", "!?", sentence(rng)], ["a", "b", "c", "kin"]
    )
    # Root ids are not compared: another file may use the same ones for other rows.
    roots = ["kin" if row == 50 else f"row {row}" for row in range(102)]
    real = corpus(tmp_path / "real", [*texts, "!?", "!"], roots)
    done = split(real, tmp_path / "split", test=test)
    assert done.test == test
    assert done.left_out.tolist() == [7, 100, 30]
    assert sorted(rows_of(done.train) + rows_of(done.reference) + [7, 30, 100]) == list(range(102))


def test_copies_are_found_whatever_their_case_or_small_edits(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    test = corpus(tmp_path / "test", [sentence(rng) for _ in range(20)] + ["?!"])
    texts = [str(text) for text in column(test, "text")]
    synthetic = corpus(
        tmp_path / "synthetic", [texts[3].upper(), texts[5] + " yes", sentence(rng), "?!", "?"]
    )
    found = copies_of(synthetic, test)
    assert found.mask.tolist() == [True, True, False, True, False]
    assert found.test_rows.tolist() == [3, 5, -1, 20, -1]
    assert found.similarity == pytest.approx([1, 28 / 29, 0, 1, 0])


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "no rows"),
        (["one row alone"], "cannot be split"),
        (["all rows are the same words"] * 50, "cannot be split"),
        (["first of two rows here", "second one is not alike"], "cannot be split"),
    ],
)
def test_too_little_real_data_is_refused_with_advice(tmp_path: Path, texts: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        split(corpus(tmp_path / "real", texts), tmp_path / "split")
    assert caught.value.fix


def test_three_independent_rows_are_enough(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    done = split(corpus(tmp_path / "real", [sentence(rng) for _ in range(3)]), tmp_path / "split")
    assert [part.rows for part in parts(done)] == [1, 1, 1]


def test_test_data_that_leaves_nothing_is_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    texts = [sentence(rng) for _ in range(5)]
    real = corpus(tmp_path / "real", texts)
    with pytest.raises(InputError, match="also in the test data"):
        split(real, tmp_path / "split", test=corpus(tmp_path / "test", texts))
    with pytest.raises(InputError, match="no rows"):
        split(real, tmp_path / "split", test=corpus(tmp_path / "none", []))
    with pytest.raises(InputError, match="single root id"):
        split(real, tmp_path / "split", test=corpus(tmp_path / "most", texts[:4]))


@pytest.mark.shared
def test_banking77_holds_six_test_texts_in_its_train_file(tmp_path: Path) -> None:
    if not BANKING.exists():
        pytest.skip("the shared data set banking77 is not beside this checkout")
    sides = {}
    for name in ("train", "test"):
        with (BANKING / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            sides[name] = corpus(tmp_path / name, [row["text"] for row in csv.DictReader(file)])
    leaked = exact_matches(plain(text_of(sides["test"])), plain(text_of(sides["train"]))) >= 0
    assert leaked.sum() == 6
    names = {text.strip() for text in text_of(sides["test"]).filter(pa.array(leaked)).to_pylist()}
    assert {"How do I unblock my PIN?", "What businesses accept this card?"} < names
    found = copies_of(sides["test"], sides["train"])
    assert found.mask[leaked].all()
    assert (found.similarity[leaked] == 1).all()
    done = split(sides["train"], tmp_path / "split", test=sides["test"])
    assert len(done.left_out) >= 6
    assert done.train.rows + done.reference.rows + len(done.left_out) == sides["train"].rows
    assert not copies_of(done.train, sides["test"]).mask.any()
