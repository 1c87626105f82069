"""What must hold for every probe, whatever it measures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assay.audit.annotate.columns import Columns, annotate
from assay.audit.annotate.copies import copied
from assay.audit.annotate.phrases import find as find_phrase
from assay.audit.probe import Probe, buckets
from assay.audit.probes import PROBES
from assay.audit.probes.giveaways import phrase_probes
from assay.audit.probes.slices import slice_probes
from assay.audit.rows import Rows, open_rows
from assay.audit.run import AuditResult
from assay.core.measure import Measure
from assay.kernels.ngrams import ngram_ids
from tests.audit.corpora import LABELS, Row, audited, find, rows, some, write
from tests.laws.doses import surely_worse

NAMES = {
    "duplicates.exact_share",
    "duplicates.near_share",
    "diversity.compression_ratio",
    "diversity.distinct_2",
    "diversity.type_coverage",
    "diversity.opening_share",
    "diversity.self_repetition",
    "diversity.syntax_compression",
    "diversity.effective_rows",
    "duplicates.template_share",
    "diversity.vendi",
    "fidelity.two_sample_auc",
    "fidelity.formatting_auc",
    "fidelity.length_ks",
    "fidelity.giveaways",
    "fidelity.precision",
    "fidelity.recall",
    "fidelity.density",
    "fidelity.coverage",
    "fidelity.mauve",
    "quality.empty_share",
    "quality.refusal_share",
    "quality.repetition_share",
    "quality.truncated_share",
    "quality.boilerplate_share",
    "quality.placeholder_share",
    "quality.label_noise_share",
    "quality.contradiction_share",
    "copying.verbatim_share",
    "copying.near_share",
    "copying.rare_ngram_excess",
    "copying.pii_excess",
    "copying.pii_share",
    "coverage.slice_ratio",
    "coverage.region_gap",
    "coverage.regions",
    "coverage.tail",
}
# Asked of what these rows do not have (prompts, code, equations, lineage, batches, a hold-out); their own laws stand elsewhere.
ELSEWHERE = {
    "quality.prompt_echo_share",
    "quality.language_mismatch_share",
    "quality.broken_code_share",
    "quality.invalid_json_share",
    "quality.wrong_arithmetic_share",
    "provenance.complete_share",
    "provenance.clear_share",
    "provenance.licence_flags",
    "provenance.same_base",
    "drift.batch",
    "drift.trend",
    "copying.dcr_share",
    "copying.canary_recall",
    "copying.name_share",
    "copying.name_excess",
}
REAL = rows(600, seed=1)
CLEAN = rows(400, seed=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("laws")


@pytest.fixture(scope="module")
def clean(folder: Path) -> AuditResult:
    return audited(folder / "clean", REAL, CLEAN)


def opened(folder: Path, made: list[Row]) -> Rows:
    return open_rows(write(folder, made, "rows", "synthetic"))


def additive(folder: Path) -> tuple[tuple[Probe, ...], Columns]:
    """Every additive probe, and the columns of rows with every defect one of them counts."""
    spoilt = [*CLEAN[:60], *CLEAN[:10], *REAL[:10], ("", "bad"), ("I'm sorry, but I cannot.", "good")]
    ours, real = opened(folder / "ours", spoilt), opened(folder / "real", REAL)
    phrase = find_phrase(ours, int(ngram_ids(ours.tokens, 1)[0][3]), (1,))
    held = opened(folder / "held", rows(300, seed=4))
    columns = annotate(ours, copied(ours, real, holdout=held), (phrase,))
    beside = annotate(real, copied(real, ours), (phrase,))
    counted = tuple(probe for probe in PROBES if isinstance(probe, Probe))
    return (*counted, *phrase_probes((phrase,)), *slice_probes(columns, beside)), columns


def test_any_split_gives_the_same_sum(folder: Path) -> None:
    probes, columns = additive(folder / "split")
    part = np.random.default_rng(0).integers(0, 3, len(columns))
    for probe in probes:
        whole = buckets(columns, probe.tally(columns))
        parts = [columns.take(np.flatnonzero(part == each)) for each in range(3)]
        np.testing.assert_array_equal(whole, sum(buckets(each, probe.tally(each)) for each in parts))
        assert whole[:, 1].sum() > 0 or probe.name in ELSEWHERE


def test_every_measure_is_there_with_interval_reference_and_method(clean: AuditResult) -> None:
    assert {measure.name for measure in clean.measures} == NAMES | ELSEWHERE
    for measure in clean.measures:
        if measure.name in ELSEWHERE:
            assert measure.value is None
            assert measure.missing
            continue
        assert measure.value is not None
        assert measure.low is not None
        assert measure.high is not None
        assert measure.low <= measure.value <= measure.high, measure
        assert measure.reference is not None
        assert measure.n > 0
        assert measure.method


def test_real_against_real_shows_nothing(clean: AuditResult) -> None:
    for measure in clean.measures:
        assert measure.value is None or not surely_worse(measure), measure


def test_chance_lies_in_the_interval_of_the_classifier(clean: AuditResult) -> None:
    auc = find(clean, "fidelity.two_sample_auc")
    assert (auc.low or 1) <= 0.5 <= (auc.high or 0)


@pytest.mark.parametrize(
    ("ours", "theirs"), [([], REAL), (CLEAN, []), ([], [])], ids=["no rows", "no real", "none"]
)
def test_nothing_to_measure_is_missing_never_zero(tmp_path: Path, ours: list[Row], theirs: list[Row]) -> None:
    result = audited(tmp_path, theirs, ours)
    assert {measure.name for measure in result.measures} >= NAMES - {"coverage.slice_ratio"}
    for measure in result.measures:
        if not ours or measure.corpus is None:
            assert measure.value is None, measure
            assert measure.missing
        if not theirs:
            assert measure.reference is None
    assert result.rows.num_rows == len(ours)


def test_one_row_and_rows_all_alike_do_not_break_it(tmp_path: Path) -> None:
    one = audited(tmp_path / "one", REAL, CLEAN[:1])
    assert find(one, "fidelity.two_sample_auc").missing
    alike = audited(tmp_path / "alike", REAL, CLEAN[:1] * 200)
    assert find(alike, "duplicates.exact_share").value == pytest.approx(199 / 200)


def test_same_seed_same_numbers_and_json_round_trip(folder: Path, clean: AuditResult) -> None:
    again = audited(folder / "again", REAL, CLEAN)
    assert again.measures == clean.measures
    assert again.rows.equals(clean.rows)
    assert again.examples.equals(clean.examples)
    for measure in clean.measures:
        assert Measure.model_validate_json(measure.model_dump_json()) == measure


def repeated(dose: float) -> list[Row]:
    return some(CLEAN, dose, lambda i, text: CLEAN[-1 - i % 5][0])


def nearly_repeated(dose: float) -> list[Row]:
    return some(CLEAN, dose, lambda i, text: CLEAN[-1 - i % 5][0] + f" extra{i}")


def copied_rows(dose: float) -> list[Row]:
    return some(CLEAN, dose, lambda i, text: REAL[i][0])


def copied_passages(dose: float) -> list[Row]:
    # Real rows here are shorter than 50 words, so a passage is a chain of them that one real row holds.
    return some(CLEAN, dose, lambda i, text: LONG_REAL[i][0])


LONG_REAL = [(" ".join(text for text, _ in REAL[at : at + 4]), REAL[at][1]) for at in range(0, 600, 4)]


def refused(dose: float) -> list[Row]:
    return some(CLEAN, dose, lambda i, text: "I'm sorry, but I cannot help with that. " + text)


def emptied(dose: float) -> list[Row]:
    return some(CLEAN, dose, lambda i, text: " . ")


def going_round(dose: float) -> list[Row]:
    return some(CLEAN, dose, lambda i, text: " ".join(text.split()[:8] * 4))


def opened_alike(dose: float) -> list[Row]:
    return some(CLEAN, dose, lambda i, text: "Once upon a time in a land far away " + text)


def broken_lines(dose: float) -> list[Row]:
    return some(CLEAN, dose, lambda i, text: text.replace(" ", "\n"))


def shortened(dose: float) -> list[Row]:
    return some(CLEAN, dose, lambda i, text: " ".join(text.split()[:8]))


def poorer_words(dose: float) -> list[Row]:
    """Words beyond the commonest become common ones."""
    kept = int(3000 * (1 - dose))
    return [
        (" ".join(f"w{int(word[1:]) % kept}" if word[1:].isdigit() else word for word in text.split()), label)
        for text, label in CLEAN
    ]


def without_a_mode(dose: float) -> list[Row]:
    """A share of the rows with the label "good" becomes rows of the others."""
    good = [row for row in CLEAN if row[1] == "good"]
    others = [row for row in rows(900, seed=3) if row[1] != "good"]
    gone = round(len(good) * dose)
    return [*(row for row in CLEAN if row[1] != "good"), *good[gone:], *others[:gone]]


GOOD = {"label": LABELS[0]}


@pytest.mark.parametrize(
    ("name", "slice", "plant", "doses"),
    [
        ("duplicates.exact_share", None, repeated, (0.1, 0.3)),
        ("duplicates.near_share", None, nearly_repeated, (0.1, 0.3)),
        ("diversity.compression_ratio", None, repeated, (0.3, 0.6)),
        ("diversity.distinct_2", None, repeated, (0.3, 0.6)),
        ("diversity.type_coverage", None, poorer_words, (0.5, 0.9)),
        ("diversity.opening_share", None, opened_alike, (0.2, 0.4)),
        ("fidelity.two_sample_auc", None, opened_alike, (0.5, 1.0)),
        ("fidelity.formatting_auc", None, broken_lines, (0.4, 0.8)),
        ("fidelity.formatting_auc", {"feature": "newlines"}, broken_lines, (0.4, 0.8)),
        ("fidelity.length_ks", None, shortened, (0.2, 0.5)),
        ("fidelity.giveaways", None, opened_alike, (0.5, 1.0)),
        ("quality.empty_share", None, emptied, (0.05, 0.2)),
        ("quality.refusal_share", None, refused, (0.05, 0.2)),
        ("quality.repetition_share", None, going_round, (0.05, 0.2)),
        ("copying.near_share", None, copied_rows, (0.1, 0.3)),
        ("coverage.slice_ratio", GOOD, without_a_mode, (0.5, 1.0)),
    ],
)
def test_a_planted_defect_moves_its_measure_more_with_dose(
    tmp_path: Path,
    clean: AuditResult,
    name: str,
    slice: dict[str, str] | None,
    plant: Callable[[float], list[Row]],
    doses: tuple[float, float],
) -> None:
    weak, strong = (find(audited(tmp_path / str(dose), REAL, plant(dose)), name, slice) for dose in doses)
    way = -1 if weak.worse in {"lower", "either"} else 1  # the planted gap makes its slice rarer
    values = [way * (measure.value or 0.0) for measure in (find(clean, name, slice), weak, strong)]
    # The giveaways of one opening are all found at the lower dose already.
    assert values[0] < values[1] <= values[2], values
    assert surely_worse(strong)


def test_copied_passages_are_measured_in_tokens(tmp_path: Path) -> None:
    clean = find(audited(tmp_path / "clean", LONG_REAL, CLEAN), "copying.verbatim_share")
    weak, strong = (
        find(audited(tmp_path / str(dose), LONG_REAL, copied_passages(dose)), "copying.verbatim_share")
        for dose in (0.05, 0.2)
    )
    assert clean.value == 0
    assert 0 < (weak.value or 0) < (strong.value or 0)
    assert (strong.low or 0) > 0.2  # copied rows are four times as long as the others
