"""What must hold for measures taken in an embedding space: corpora of topics, one of them rare, spoilt on purpose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assay.audit.annotate.columns import annotate
from assay.audit.annotate.copies import copied
from assay.audit.annotate.regions import find_regions
from assay.audit.probe import buckets
from assay.audit.probes.regions import region_probes
from assay.audit.rows import open_rows
from assay.audit.run import AuditResult
from assay.core.verdict import decide
from assay.models.embed import fit_embedder
from tests.audit.corpora import Row, audited, find, write
from tests.laws.doses import assert_worse_with_dose, surely_worse

TOPICS = ("tax", "garden", "engine", "music", "harbour", "fossil")
SHARES = (0.3, 0.25, 0.2, 0.12, 0.08, 0.05)
SUBJECTS = 8
REAL_ROWS, SYNTHETIC_ROWS = 1200, 600


def about(topic: str, rng: np.random.Generator) -> str:
    """A row of 20 words: those of one subject of the topic, of the topic, and of everybody."""
    subject = rng.integers(SUBJECTS)
    words = [
        *(f"{topic}{subject}x{word}" for word in rng.integers(0, 6, 5)),
        *(f"{topic}{word}" for word in rng.integers(0, 30, 7)),
        *(f"w{word}" for word in rng.zipf(1.5, 8) % 500),
    ]
    return " ".join(rng.permutation(words))


def topical(number: int, seed: int, shares: tuple[float, ...] = SHARES) -> list[Row]:
    rng = np.random.default_rng(seed)
    picked = rng.choice(TOPICS, number, p=np.array(shares) / sum(shares))
    return [(about(topic, rng), "") for topic in picked]


REAL = topical(REAL_ROWS, seed=1)
CLEAN = topical(SYNTHETIC_ROWS, seed=2)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> AuditResult:
    return audited(tmp_path_factory.mktemp("clean"), REAL, CLEAN)


def without_the_commonest(dose: float) -> list[Row]:
    """A share of the rows of the commonest topic is of the others instead."""
    return topical(SYNTHETIC_ROWS, 2, (SHARES[0] * (1 - dose), *SHARES[1:]))


def narrowed(dose: float) -> list[Row]:
    """A share of the topics is gone, the rarest first; a few stray rows of a topic would uphold recall."""
    kept = max(round(len(TOPICS) * (1 - dose)), 1)
    return topical(SYNTHETIC_ROWS, 2, (*SHARES[:kept], *[0.0] * (len(TOPICS) - kept)))


def without_the_rarest(dose: float) -> list[Row]:
    return topical(SYNTHETIC_ROWS, 2, (*SHARES[:2], *(share * (1 - dose) for share in SHARES[2:])))


def collapsed(dose: float) -> list[Row]:
    """A share of the rows are five rows said again and again, a word or two changed."""
    rng = np.random.default_rng(3)
    number = round(dose * SYNTHETIC_ROWS)
    said = [f"{CLEAN[-1 - row % 5][0]} w{rng.integers(500)}" for row in range(number)]
    return [*((text, "") for text in said), *CLEAN[number:]]


def shifted(dose: float) -> list[Row]:
    """A share of the rows speaks of what no real row speaks of."""
    rng = np.random.default_rng(4)
    number = round(dose * SYNTHETIC_ROWS)
    # Everybody's words only: new words would be unknown to the embedder, not far in it.
    strange = [" ".join(f"w{word}" for word in rng.zipf(1.5, 20) % 500) for _ in range(number)]
    return [*((text, "") for text in strange), *CLEAN[number:]]


@pytest.mark.parametrize(
    ("name", "plant", "doses"),
    [
        ("fidelity.precision", shifted, (0.4, 0.9)),
        ("fidelity.recall", narrowed, (0.5, 0.8)),
        ("fidelity.density", shifted, (0.4, 0.9)),
        ("fidelity.coverage", collapsed, (0.5, 0.9)),
        ("fidelity.mauve", without_the_commonest, (0.8, 1.0)),
        ("fidelity.mauve", collapsed, (0.5, 0.9)),
        ("diversity.vendi", collapsed, (0.5, 0.9)),
        ("coverage.region_gap", without_the_commonest, (0.5, 1.0)),
        ("coverage.tail", without_the_rarest, (0.7, 1.0)),
    ],
)
def test_a_planted_defect_moves_its_measure_more_with_dose(
    tmp_path: Path,
    clean: AuditResult,
    name: str,
    plant: Callable[[float], list[Row]],
    doses: tuple[float, float],
) -> None:
    weak, strong = (find(audited(tmp_path / str(dose), REAL, plant(dose)), name) for dose in doses)
    assert_worse_with_dose(find(clean, name), weak, strong)


def test_the_missing_topic_is_named_and_shown_with_rows(tmp_path: Path) -> None:
    result = audited(tmp_path, REAL, without_the_commonest(1.0))
    regions = [each for each in result.measures if each.name == "coverage.regions"]
    thin = [each for each in regions if surely_worse(each) and (each.value or 0) < 0.5]
    assert thin
    for each in thin:
        assert each.slice
        assert all(word.startswith("tax") for word in each.slice["region"].split(", "))
    rows = result.examples.to_pylist()
    shown = [row["text"] for row in rows if row["measure"] == "coverage.regions" and row["corpus"] == "real"]
    assert any("tax" in text for text in shown)
    assert next(each for each in decide(result.measures) if each.id == "representativeness").verdict == "harm"


def test_rare_rows_out_of_reach_are_shown(tmp_path: Path) -> None:
    result = audited(tmp_path, REAL, without_the_rarest(1.0))
    missed = [row for row in result.examples.to_pylist() if row["measure"] == "coverage.tail"]
    assert missed
    for row in missed:
        assert row["corpus"] == "real"
        assert row["beside"]


def test_a_map_of_real_rows_against_real_rows_shows_nothing(clean: AuditResult) -> None:
    for measure in clean.measures:
        if measure.name.startswith(("coverage.", "fidelity.", "diversity.vendi")):
            assert measure.missing or not surely_worse(measure), measure
    claim = next(each for each in decide(clean.measures) if each.id == "representativeness")
    assert claim.verdict != "harm"


def test_any_split_gives_the_same_sum_of_regions(tmp_path: Path) -> None:
    real = open_rows(write(tmp_path, REAL[:400], "real", "real"))
    space = fit_embedder("lsa", real.tokens, seed=0)
    real = real.placed(space.embed(real.text, real.tokens))
    atlas = find_regions(real, seed=0)
    columns = annotate(real, copied(real, real), (), atlas)
    part = np.random.default_rng(0).integers(0, 3, len(columns))
    probes = region_probes(atlas)
    assert len(probes) == len(atlas.names) >= 2
    for probe in probes:
        whole = buckets(columns, probe.tally(columns))
        parts = [columns.take(np.flatnonzero(part == each)) for each in range(3)]
        np.testing.assert_array_equal(whole, sum(buckets(each, probe.tally(each)) for each in parts))
    hits = sum(buckets(columns, probe.tally(columns))[:, 0].sum() for probe in probes)
    assert hits == (columns.region >= 0).sum()


def test_few_rows_have_no_regions_and_say_so(tmp_path: Path) -> None:
    result = audited(tmp_path, REAL[:120], CLEAN[:80])
    for name in ("coverage.regions", "coverage.region_gap", "coverage.tail"):
        found = find(result, name)
        assert found.value is None
        assert found.missing
