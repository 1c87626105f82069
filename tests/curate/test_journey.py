"""A run with planted defects, curated and run again: the defects are gone, nothing is lost, no test row trains."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from assay.cli import app
from assay.core.cost import Prices
from assay.core.errors import InputError
from assay.core.evidence import Run
from assay.core.labels import CHOICES
from assay.curate.curate import Settings
from assay.study import Study, curate, run
from tests.audit.corpora import rows

Line = dict[str, object]
REAL = 420
PLANTED = {"exact": 20, "refusals": 20, "copies": 20, "leaks": 5}


def lines(path: Path) -> list[Line]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def write(path: Path, made: Sequence[Mapping[str, object]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the folder `run` of an audit whose synthetic rows hold the defects of `PLANTED`."""
    folder = tmp_path_factory.mktemp("curate")
    real = [{"review": text, "stars": label, "id": f"r{i}"} for i, (text, label) in enumerate(rows(REAL, 1))]
    test = [{"review": text, "stars": label, "id": f"t{i}"} for i, (text, label) in enumerate(rows(60, 2))]
    # Bad reviews are three times too rare.
    fresh = [
        {"review": text, "stars": label}
        for i, (text, label) in enumerate(rows(240, 3))
        if label != "bad" or i % 3 == 0
    ]
    planted = fresh[: PLANTED["exact"]]
    planted += [
        {"review": f"I'm sorry, but as an AI language model I cannot write number {i}.", "stars": "good"}
        for i in range(PLANTED["refusals"])
    ]
    planted += [{"review": row["review"], "stars": row["stars"]} for row in real[: PLANTED["copies"]]]
    planted += [{"review": row["review"], "stars": row["stars"]} for row in test[: PLANTED["leaks"]]]
    sides = {"real": real, "test": test, "synthetic": fresh + planted}
    paths = {name: (write(folder / f"{name}.jsonl", side),) for name, side in sides.items()}
    prices = Prices(row=0.01, real_row=0.5)
    study = Study(
        **paths,
        prices=prices,
        columns={"text": "review", "label": "stars"},
        trial=False,
        forecast=False,
        groups=("none",),
    )
    run(study, folder / "run")
    return folder


def value(run: Run, name: str) -> float:
    found = run.evidence.find(name, "synthetic")
    assert found is not None
    assert found.value is not None
    return found.value


def test_the_loop_closes(made: Path) -> None:
    before = Run(made / "run")
    curated = curate(made / "run", made / "better", Settings(share=0.2))
    again = run(Study.load(made / "better" / "study.toml"), made / "again")
    for name in ("duplicates.exact_share", "quality.refusal_share", "copying.near_share"):
        assert value(before, name) > 0.05, name
        assert value(again, name) < 0.005, name
    assert not [each for each in again.evidence.losses if "copy test rows" in each.what]

    # Rows that were thrown away stay paid for.
    paid = [each.evidence.find("cost.usd", slice={"of": "generation"}) for each in (before, again)]
    total = 0.01 * len(lines(made / "synthetic.jsonl"))
    assert [each and each.value for each in paid] == pytest.approx([total, total])
    assert value(before, "cost.per_kept_row") > 0.011
    claims = {each.id: each.verdict for each in before.evidence.claims}
    assert (claims["compute-cost"], claims["lower-cost"]) == ("no harm", "not measured")

    synthetic, aside, train = (
        lines(made / "better" / f"{name}.jsonl") for name in ("synthetic", "set-aside", "train")
    )
    # Nothing is lost, and everything set aside says why.
    total = len(lines(made / "synthetic.jsonl"))
    assert sorted(row["assay_row"] for row in synthetic + aside) == list(range(total))  # type: ignore[type-var]
    assert all(row["assay_reasons"] for row in aside)
    assert sum("copies_test" in str(row["assay_reasons"]) for row in aside) == PLANTED["leaks"]
    # The mix: rows in their own columns, of the share asked for, and none of the test.
    assert curated.synthetic_rows == round(REAL / 4)
    assert len(train) == curated.real_rows + curated.synthetic_rows
    assert curated.share == pytest.approx(0.2, abs=0.002)
    assert list(train[0]) == [
        *("review", "stars", "id"),
        *("assay_origin", "assay_file", "assay_line", "assay_row", "assay_root", "assay_generation"),
        "assay_filters",
    ]
    test = {row["review"] for row in lines(made / "test.jsonl")}
    assert not test & {row["review"] for row in train}
    assert "assay run --study" in _printed(made / "run", made / "printed")


def _printed(folder: Path, out: Path) -> str:
    done = CliRunner().invoke(app, ["curate", "--run", str(folder), "--out", str(out)])
    assert done.exit_code == 0, done.output
    return done.output


def test_without_a_trial_no_row_is_added_and_the_record_says_so(made: Path) -> None:
    found = curate(made / "run", made / "plain", Settings())
    assert (found.share, found.synthetic_rows, found.real_rows) == (0.0, 0, REAL)
    assert "no trial measured" in found.why
    record = json.loads((made / "plain" / "curate.json").read_text(encoding="utf-8"))
    assert record["files"]["train"]["rows"] == REAL
    assert "## How this set was made" in (made / "plain" / "README.md").read_text(encoding="utf-8")


def test_the_same_seed_writes_the_same_bytes_and_a_larger_share_holds_a_smaller_one(made: Path) -> None:
    def drawn(name: str, **wishes: object) -> tuple[bytes, set[object]]:
        curate(made / "run", made / name, Settings(**wishes))  # type: ignore[arg-type]
        path = made / name / "train.jsonl"
        return path.read_bytes(), {
            row["assay_row"] for row in lines(path) if row["assay_origin"] == "synthetic"
        }

    first, few = drawn("first", share=0.1)
    second, same = drawn("second", share=0.1)
    assert first == second
    assert few == same
    assert few < drawn("third", share=0.2)[1]
    assert few != drawn("fourth", share=0.1, seed=1)[1]
    whole, all_of_them = drawn("first", share=1)  # again into the same folder
    assert b'"assay_origin": "real"' not in whole
    assert len(all_of_them) == whole.count(b"\n")


def test_what_a_person_said_counts(made: Path) -> None:
    aside = lines(made / "better" / "set-aside.jsonl")
    refused = next(row for row in aside if "refusal" in str(row["assay_reasons"]))["assay_row"]
    leaked = next(row for row in aside if "copies_test" in str(row["assay_reasons"]))["assay_row"]
    said = {refused: "keep", leaked: "keep", 150: "drop"}
    path = made / "run" / CHOICES
    path.write_text("".join(json.dumps({"row": row, "answer": word}) + "\n" for row, word in said.items()))
    try:
        found = curate(made / "run", made / "said", Settings())
    finally:
        path.unlink()
    stays = {row["assay_row"]: row for row in lines(made / "said" / "synthetic.jsonl")}
    assert "refusal" in str(stays[refused]["assay_filters"])
    assert leaked not in stays
    assert 150 not in stays
    assert next(each for each in found.filters if each.name == "refusal").overruled == 1


def test_parquet_rebalanced_with_a_filter_skipped(made: Path) -> None:
    found = curate(
        made / "run",
        made / "even",
        Settings(share=0.1, rebalance="label", skip=("near_duplicate", "exact_duplicate"), form="parquet"),
    )
    assert found.balance is not None
    # Few rows: the shares come as near as chance brings as many real rows, and much nearer than they were.
    off = {
        name: abs(shares["bad"] - found.balance.real["bad"])
        for name, shares in (("before", found.balance.before), ("after", found.balance.after))
    }
    assert off["after"] < 0.1 < off["before"]
    table = pq.read_table(made / "even" / "train.parquet")
    assert table.num_rows == found.real_rows + found.synthetic_rows
    assert {each.name for each in found.filters}.isdisjoint({"near_duplicate", "exact_duplicate"})
    written = pq.read_table(made / "even" / "set-aside.parquet")
    assert any(reason.startswith("rebalance") for reason in written["assay_reasons"].to_pylist())


def test_what_cannot_be_done_is_said(made: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder of the run"):
        curate(made / "run", made / "run", Settings())
    (tmp_path / "train.jsonl").write_text("{}\n")
    with pytest.raises(InputError, match="not written by a curation"):
        curate(made / "run", tmp_path, Settings())
    file = made / "synthetic.jsonl"
    before = file.read_bytes()
    try:
        file.write_bytes(before + b'{"review": "one more", "stars": "good"}\n')
        with pytest.raises(InputError, match="not those that the run read"):
            curate(made / "run", tmp_path / "late", Settings())
        file.unlink()
        with pytest.raises(InputError, match="cannot be read again"):
            curate(made / "run", tmp_path / "late", Settings())
    finally:
        file.write_bytes(before)
