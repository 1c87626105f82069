"""Controls on the whole pipeline: nothing is found where nothing is wrong, and planted defects are found."""

import csv
import random
from collections.abc import Callable
from pathlib import Path

import pytest

import assay

BANKING = Path(__file__).parents[3] / "shared" / "data" / "banking77" / "banking_data"
Row = dict[str, str]
Write = Callable[[str, list[Row]], Path]


def outcome(
    write: Write, out: Path, real: list[Row], synthetic: list[Row], *, audit: bool = True, trial: bool = True
) -> assay.Evidence:
    # The forecast asks what comes of the real rows; what is planted among the synthetic ones is not its question.
    study = assay.Study(
        real=(str(write("real.jsonl", real)),),
        synthetic=(str(write("synthetic.jsonl", synthetic)),),
        audit=audit,
        trial=trial,
        forecast=False,
    )
    return assay.run(study, out).evidence


def value(evidence: assay.Evidence, name: str) -> float:
    measure = evidence.find(name)
    assert measure is not None
    assert measure.value is not None, measure.missing
    return measure.value


@pytest.mark.slow
def test_twenty_halvings_of_real_data_raise_no_more_alarms_than_chance(
    snippets: list[Row], write: Write, tmp_path: Path
) -> None:
    """Each claim is tested at 5 % false discoveries per run: of 20 runs at most 2 may show harm, less in expectation."""
    alarms, auc_holds, rate_holds, rates = [], 0, 0, 0
    for seed in range(20):
        rows = snippets.copy()
        random.Random(seed).shuffle(rows)
        evidence = outcome(write, tmp_path / str(seed), rows[:600], rows[600:1200])
        alarms += [(seed, claim.id, claim.statement) for claim in evidence.claims if claim.verdict == "harm"]
        auc = evidence.find("fidelity.two_sample_auc")
        assert auc is not None
        assert auc.low is not None
        assert auc.high is not None
        auc_holds += auc.low <= 0.5 <= auc.high
        rate = evidence.find("trial.exchange_rate")
        if rate is not None and rate.low is not None and rate.high is not None:
            rates += 1
            rate_holds += rate.low <= 1 <= rate.high
    assert len({seed for seed, _, _ in alarms}) <= 2, alarms
    assert auc_holds >= 17
    assert rate_holds >= 0.85 * rates


def repeated(rows: list[Row], dose: float) -> list[Row]:
    keep = rows[: round(len(rows) * (1 - dose))]
    return keep + keep[: len(rows) - len(keep)]


def flipped(rows: list[Row], dose: float) -> list[Row]:
    other = {"positive": "negative", "negative": "positive"}
    cut = round(len(rows) * dose)
    return [{**row, "label": other[row["label"]]} if place < cut else row for place, row in enumerate(rows)]


def refusing(rows: list[Row], dose: float) -> list[Row]:
    cut = round(len(rows) * dose)
    refusal = "I'm sorry, but as an AI language model I cannot write a review of this film."
    return [{**row, "text": f"{refusal} {place}"} if place < cut else row for place, row in enumerate(rows)]


def one_sided(rows: list[Row], dose: float) -> list[Row]:
    cut = round(len(rows) * dose)
    dropped = [row for place, row in enumerate(rows) if place >= cut or row["label"] == "positive"]
    return dropped


@pytest.mark.parametrize(
    ("plant", "name", "direction", "slice", "doses"),
    [
        (repeated, "duplicates.exact_share", +1, None, (0.0, 0.2, 0.5)),
        (refusing, "quality.refusal_share", +1, None, (0.0, 0.2, 0.5)),
        (flipped, "trial.gap", -1, None, (0.0, 0.05, 0.1, 0.2)),
        (one_sided, "coverage.slice_ratio", -1, {"label": "negative"}, (0.0, 0.2, 0.5)),
    ],
)
def test_a_planted_defect_moves_its_measure_more_with_dose(
    plant: Callable[[list[Row], float], list[Row]],
    name: str,
    direction: int,
    slice: dict[str, str] | None,
    doses: tuple[float, ...],
    snippets: list[Row],
    write: Write,
    tmp_path: Path,
) -> None:
    found = []
    for dose in doses:
        trial = name.startswith("trial.")
        evidence = outcome(
            write,
            tmp_path / str(dose),
            snippets[:2500],
            plant(snippets[2500:4000], dose),
            audit=not trial,
            trial=trial,
        )
        measure = evidence.find(name, slice=slice)
        assert measure is not None
        assert measure.value is not None, measure.missing
        found.append(direction * measure.value)
    assert found == sorted(found)
    assert len(set(found)) == len(doses)


@pytest.mark.shared
def test_the_test_texts_that_banking77_trains_on_are_named(write: Write, tmp_path: Path) -> None:
    """Both files as published; the synthetic side is the training file with words dropped at random."""
    if not BANKING.exists():
        pytest.skip("the shared data set banking77 is not beside this checkout")
    texts, rng = {}, random.Random(0)
    for name in ("train", "test"):
        with (BANKING / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            texts[name] = [{"text": row["text"], "label": row["category"]} for row in csv.DictReader(file)]
    corrupted = [
        {**row, "text": " ".join(word for word in row["text"].split() if rng.random() > 0.15) or "-"}
        for row in rng.sample(texts["train"], 2000)
    ]
    study = assay.Study(
        real=(str(BANKING / "train.csv"),),
        test=(str(BANKING / "test.csv"),),
        synthetic=(str(write("synthetic.jsonl", corrupted)),),
        seeds=5,
        forecast=False,
    )
    evidence = assay.run(study, tmp_path / "run").evidence
    seen = {row["text"].lower().strip() for row in texts["train"]}
    leaked = {row["text"].lower().strip() for row in texts["test"]} & seen
    assert len(leaked) == 6
    loss = next(loss for loss in evidence.losses if loss.what == "real rows that copy test rows")
    assert leaked <= {text.lower().strip() for text in loss.examples}


def test_copied_test_rows_are_named_and_kept_out(snippets: list[Row], write: Write, tmp_path: Path) -> None:
    test = write("test.jsonl", snippets[:300])
    study = assay.Study(
        real=(str(write("real.jsonl", snippets[300:1200])),),
        synthetic=(str(write("synthetic.jsonl", snippets[1200:1700] + snippets[:7])),),
        test=(str(test),),
    )
    evidence = assay.run(study, tmp_path / "run").evidence
    loss = next(loss for loss in evidence.losses if loss.what == "synthetic rows that copy test rows")
    assert loss.rows >= 7
    assert {text[:200] for text in (row["text"] for row in snippets[:5])} & set(loss.examples)
    assert any("copy your test set" in sentence for sentence in assay.answer(evidence).sentences)
