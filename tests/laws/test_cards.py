"""Cards say what was measured and nothing else, keep what a person wrote, and stay valid whatever the data holds."""

from __future__ import annotations

import json
import re
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from assay.core.errors import InputError, MissingExtra
from assay.core.evidence import Evidence, Input, Run
from assay.report import tracking
from assay.report.cards import FILES, croissant, dataset_card, eu, spdx, write
from assay.report.cards.facts import facts

from ..report.sample import evidence, measured, write_run
from .test_gate import HOSTILE

SOUND = HOSTILE.replace("\ud800", "") + f" {dataset_card.END} {dataset_card.BEGIN}"


def made(folder: Path, record: Evidence | None = None) -> Run:
    return write_run(folder / "run", record)


def one_file(**changes: object) -> Evidence:
    """Evidence of one file called reviews.jsonl."""
    fields = {"role": "synthetic", "name": "reviews.jsonl", "sha256": "b2" * 32, "rows": 3200, "rows_unread": 2,
              "bytes": 1_900_000, "shape": "text-label"}  # fmt: skip
    return evidence(inputs=(evidence().inputs[0], Input.model_validate(fields | changes)))


def hostile() -> Evidence:
    record = one_file(name=SOUND)
    claims = tuple(each.model_copy(update={"statement": SOUND}) for each in record.claims)
    losses = tuple(each.model_copy(update={"what": SOUND, "why": SOUND}) for each in record.losses)
    measures = (*record.measures, measured("copying.pii_share", (0.1, 0.09, 0.11), slice={"kind": SOUND}))
    return record.model_copy(update={"claims": claims, "losses": losses, "measures": measures})


def test_a_card_update_keeps_every_byte_outside_its_markers(tmp_path: Path) -> None:
    found = facts(made(tmp_path))
    header = "---\nlicense: mit\ntags: [mine]\n---\n\n# Mine  \n\nby hand\t\n"
    for ends in ("\n", "\r\n"):
        card = header.replace("\n", ends)
        once = dataset_card.update(card, found)
        assert once.startswith(card.rstrip("\r\n"))
        moved = once + f"after{ends}{ends}  the block{ends}"
        twice = dataset_card.update(moved, found)
        assert twice == moved
        assert ends == "\n" or "\n" not in twice.replace("\r\n", "")
    other = facts(write_run(tmp_path / "other", one_file(rows=7)))
    replaced = dataset_card.update(twice, other)
    start, stop = replaced.index(dataset_card.BEGIN), replaced.index(dataset_card.END)
    assert replaced[:start] == twice[: twice.index(dataset_card.BEGIN)]
    assert replaced[stop:] == twice[twice.index(dataset_card.END) :]
    assert "| synthetic: reviews.jsonl | 7 |" in replaced


@pytest.mark.parametrize("card", ["{begin}", "{end}\n{begin}", "{begin}\n{begin}\n{end}", "a\n{end}\n"])
def test_broken_markers_are_refused(card: str, tmp_path: Path) -> None:
    text = card.format(begin=dataset_card.BEGIN, end=dataset_card.END)
    with pytest.raises(InputError, match="markers"):
        dataset_card.update(text, facts(made(tmp_path)))


def test_a_new_card_says_what_is_known(tmp_path: Path) -> None:
    text = dataset_card.update("", facts(made(tmp_path, one_file())))
    assert text.startswith(
        "---\npretty_name: 'reviews'\ntags:\n- synthetic\nsize_categories:\n- 1K<n<10K\n---\n"
    )
    assert "license" not in text.partition("---\n\n")[0]


def test_no_field_is_filled_that_was_not_measured(tmp_path: Path) -> None:
    """Without measures and claims only the facts of the files are left."""
    run = made(tmp_path, one_file().model_copy(update={"measures": (), "claims": (), "losses": ()}))
    found = facts(run)
    described = croissant.update({}, found)
    assert sorted(key for key in described if key.startswith("rai:")) == ["rai:dataCollectionMissingData"]
    assert not {"license", "creator", "url", "datePublished", "version"} & described.keys()
    package = next(
        each for each in spdx.document(found)["@graph"] if each["type"] == "dataset_DatasetPackage"
    )
    assert sorted(key for key in package if key.startswith("dataset_")) == [
        "dataset_datasetSize",
        "dataset_datasetType",
    ]
    draft = eu.render(found)
    assert draft.count("not measured; for the provider") == 3
    assert "Draft" in draft
    assert eu.TEMPLATE in draft
    assert "###" not in dataset_card.block(found)


def test_a_digest_of_many_files_is_not_passed_off_as_one_file(tmp_path: Path) -> None:
    found = facts(made(tmp_path, one_file(name="synthetic")))
    assert "distribution" not in croissant.update({}, found)
    package = next(
        each for each in spdx.document(found)["@graph"] if each["type"] == "dataset_DatasetPackage"
    )
    assert "verifiedUsing" not in package


def test_croissant_keeps_what_a_person_filled_in(tmp_path: Path) -> None:
    found = facts(made(tmp_path, one_file()))
    first = croissant.update({}, found)
    assert first["conformsTo"] == list(croissant.CONFORMS)
    mine = {
        "name": "my-reviews", "license": "https://spdx.org/licenses/MIT.html", "rai:dataUseCases": "films",
        "conformsTo": ["http://mlcommons.org/croissant/1.0", "http://example.org/own"],
        "rai:dataBiases": ["stale"],
    }  # fmt: skip
    extra = {"@type": "cr:FileObject", "@id": "more.csv", "sha256": "e5" * 32}
    second = croissant.update(
        first | mine | {"distribution": [extra, {"@id": "reviews.jsonl", "sha256": "0"}]}, found
    )
    assert (second["name"], second["license"], second["rai:dataUseCases"]) == (
        "my-reviews", "https://spdx.org/licenses/MIT.html", "films",
    )  # fmt: skip
    assert second["conformsTo"] == [*croissant.CONFORMS, "http://example.org/own"]
    assert second["rai:dataBiases"] == first["rai:dataBiases"] != ["stale"]
    assert [each["@id"] for each in second["distribution"]] == ["reviews.jsonl", "more.csv"]
    assert second["distribution"][0]["sha256"] == "b2" * 32
    assert croissant.update(second, found) == second


def test_a_file_name_with_blanks_makes_a_sound_id(tmp_path: Path) -> None:
    (file,) = croissant.update({}, facts(made(tmp_path, one_file(name="my reviews (2).jsonl"))))[
        "distribution"
    ]
    assert (file["@id"], file["name"]) == ("my_reviews_2_.jsonl", "my reviews (2).jsonl")
    assert file["contentUrl"] == "my%20reviews%20%282%29.jsonl"


@pytest.mark.parametrize("record", [one_file, hostile], ids=["sample", "hostile"])
def test_croissant_is_valid(record: Any, tmp_path: Path) -> None:
    mlcroissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    described = croissant.update({}, facts(made(tmp_path, record())))
    issues = mlcroissant.Dataset(jsonld=described).metadata.issues
    assert issues.errors == set()


@pytest.mark.parametrize("record", [one_file, hostile], ids=["sample", "hostile"])
def test_spdx_is_valid(record: Any, tmp_path: Path) -> None:
    model = pytest.importorskip("spdx_python_model", reason="spdx-python-model is not installed")
    _, objects = model.load_data(json.loads(json.dumps(spdx.document(facts(made(tmp_path, record()))))))
    assert len(list(objects.foreach_type("dataset_DatasetPackage"))) == 1


def test_spdx_refers_to_what_it_holds_and_is_the_same_each_time(tmp_path: Path) -> None:
    found = facts(made(tmp_path, one_file()))
    document = spdx.document(found)
    assert document == spdx.document(facts(Run(tmp_path / "run")))
    creation, *elements = document["@graph"]
    known = {each["spdxId"] for each in elements}
    assert len(known) == len(elements)
    whole = elements[-1]
    assert {*whole["rootElement"], *whole["element"], whole["spdxId"]} == known
    assert creation["createdBy"][0] in known
    assert all(each["creationInfo"] == creation["@id"] for each in elements)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", creation["created"])


@pytest.mark.parametrize(
    ("share", "says"), [((0.02, 0.01, 0.03), "yes"), ((0.0, 0.0, 0.01), "noAssertion"), (None, None)]
)
def test_personal_data_is_never_denied(share: Any, says: str | None, tmp_path: Path) -> None:
    record = one_file().model_copy(
        update={"measures": () if share is None else (measured("copying.pii_share", share),)}
    )
    document = spdx.document(facts(made(tmp_path, record)))
    package = next(each for each in document["@graph"] if each["type"] == "dataset_DatasetPackage")
    assert package.get("dataset_hasSensitivePersonalInformation") == says


def test_hostile_text_breaks_no_card(tmp_path: Path) -> None:
    run = made(tmp_path, hostile())
    written = write(run, tuple(FILES), tmp_path / "cards")
    again = {path: path.read_bytes() for path in written}
    write(run, tuple(FILES), tmp_path / "cards")
    assert {path: path.read_bytes() for path in written} == again
    card = (tmp_path / "cards" / "README.md").read_text(encoding="utf-8")
    assert [card.splitlines().count(each) for each in (dataset_card.BEGIN, dataset_card.END)] == [1, 1]
    for text in (card, (tmp_path / "cards" / "eu-summary.md").read_text(encoding="utf-8")):
        assert "\x1b" not in text
        assert not re.search(r"(?<!\\)<script", text)
    for row in card.splitlines():
        if row.startswith("| "):
            assert len(re.findall(r"(?<!\\)\|", row)) in (4, 5)


def test_files_that_cannot_be_kept_are_refused(tmp_path: Path) -> None:
    run = made(tmp_path)
    (tmp_path / "croissant.json").write_text("[1")
    with pytest.raises(InputError, match="not JSON"):
        write(run, ("croissant",), tmp_path)
    (tmp_path / "README.md").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not UTF-8"):
        write(run, ("card",), tmp_path)
    real_only = evidence().model_copy(update={"inputs": evidence().inputs[:1]})
    with pytest.raises(InputError, match="no synthetic data"):
        write(write_run(tmp_path / "real", real_only), ("eu",), tmp_path)


class Ledger:
    """Stands in for mlflow: remembers what it was told."""

    MlflowException = RuntimeError

    def __init__(self) -> None:
        self.params: dict[str, str] = {}
        self.metrics: dict[str, float] = {}
        self.artifacts: list[str] = []
        self.active: object | None = None
        self.log_params, self.log_metrics = self.params.update, self.metrics.update
        self.log_artifact = self.artifacts.append

    def active_run(self) -> object | None:
        return self.active

    def start_run(self, run_name: str) -> Ledger:
        self.active = run_name
        return self

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.active = None


def test_mlflow_gets_every_number_with_its_interval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger()
    monkeypatch.setitem(sys.modules, "mlflow", ledger)
    tracking.to_mlflow(made(tmp_path, hostile()))
    assert ledger.metrics["trial.gap"] == -0.084
    assert ledger.metrics["trial.gap.low"] <= ledger.metrics["trial.gap"] <= ledger.metrics["trial.gap.high"]
    assert all(re.fullmatch(r"[\w\-. ]{1,250}", name) for name in (*ledger.metrics, *ledger.params))
    assert ledger.params["claim.copying"]
    assert [Path(each).name for each in ledger.artifacts] == ["evidence.json", "study.toml"]
    assert ledger.active is None


def test_wandb_gets_the_same_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config: dict[str, str] = {}
    told = SimpleNamespace(
        config=SimpleNamespace(update=lambda values, allow_val_change: config.update(values)),
        summary={},
        saved=[],
    )
    told.log_artifact = told.saved.append
    opened: list[dict[str, Any]] = []

    def init(**kind: Any) -> Any:
        opened.append(kind)
        return nullcontext(told)

    fake = SimpleNamespace(run=None, init=init, Error=RuntimeError)
    monkeypatch.setitem(sys.modules, "wandb", fake)
    run = made(tmp_path)
    tracking.to_wandb(run, files=False, project="films")
    assert opened == [{"name": "run", "project": "films"}]
    assert told.summary == dict(tracking.metrics(run))
    assert config == tracking.parameters(run)
    assert told.saved == []


@pytest.mark.parametrize(("package", "log"), [("mlflow", tracking.to_mlflow), ("wandb", tracking.to_wandb)])
def test_a_missing_ledger_says_how_to_install_it(
    package: str, log: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=rf"assay\[{package}\]"):
        log(made(tmp_path))
