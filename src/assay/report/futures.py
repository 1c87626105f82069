"""The forecast as plain data: curves by regime, what they add up to, and what each round wrote."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.core import words
from assay.core.evidence import Evidence
from assay.core.measure import Measure
from assay.report import layers, safe
from assay.report.figures import Figure, Rows, figures
from assay.report.layers import Layer, Spec
from assay.report.plots import SERIES, SHAPES, points_of
from assay.report.trials import lower_is_better

LOSS = "forecast.loss"
_ROUNDS, _TEXTS, _REGIMES = 6, 2, 6
_DASHES: tuple[list[int], ...] = ([1, 0], [6, 4], [2, 3], [9, 3, 2, 3], [12, 4], [4, 2])


@dataclass(frozen=True)
class Wrote:
    """What one round of one regime wrote."""

    round: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Forecast:
    """What the run foretells.

    Attributes:
        regimes: Names in the order of the plot's lines.
        rounds: Regime, round and score of every point on the plot.
        facts: Shape, growth, half-life and safe share, as figures.
        samples: By regime, what the first and later rounds wrote, side by side.
    """

    regimes: tuple[str, ...]
    rounds: tuple[tuple[str, str, str], ...]
    facts: tuple[Figure, ...]
    samples: tuple[tuple[str, tuple[Wrote, ...]], ...]

    @property
    def anything(self) -> bool:
        """Whether there is something to show."""
        return bool(self.regimes or self.facts or self.samples)


def forecast(evidence: Evidence, rows: Rows, folder: Path) -> Forecast:
    """All that the run foretells; the texts come from `forecast.json` beside the evidence, if it is there."""
    facts = [
        each
        for each in evidence.measures
        if each.name.startswith("forecast.") and "round" not in (each.slice or {}) and each.value is not None
    ]
    by_name: dict[str, list[Measure]] = {}
    for each in facts:
        by_name.setdefault(each.name, []).append(each)
    return Forecast(
        regimes=tuple(safe.visible(name) for name in _curves(evidence)),
        rounds=tuple(
            (safe.visible(name), (each.slice or {})["round"], words.with_interval(each))
            for name, found in _curves(evidence).items()
            for each in found
        ),
        facts=tuple(one for found in by_name.values() for one in figures(found, rows)),
        samples=_samples(folder / "forecast.json"),
    )


def curves(evidence: Evidence) -> Spec | None:
    """Loss on real test rows by round, one line per regime; None where no regime has two rounds."""
    found = _curves(evidence)
    if not found:
        return None
    drawn: list[Layer] = []
    tips = [layers.tip("regime", "regime"), layers.tip("x", "round", "d"), layers.tip("score", "score"),
            layers.tip("n", "test rows", ",d")]  # fmt: skip
    rounds = sorted({point["x"] for measures in found.values() for point in points_of(measures, _round)})
    for place, (regime, measures) in enumerate(found.items()):
        points = [{**point, "regime": regime} for point in points_of(measures, _round)]
        drawn += layers.line(points, SERIES[place], SHAPES[place], tips, dash=_DASHES[place])
    unit = next(iter(found.values()))[0].unit
    better = "lower" if lower_is_better(unit) else "higher"
    axis = {"values": rounds, "format": "d", "title": "round; round 0 is trained on real rows"}
    return layers.plot(
        drawn,
        x={
            "scale": {"domain": [rounds[0], rounds[-1]], "nice": False},
            "axis": {**axis, **layers.X_AXIS},
        },
        y_title=f"{unit} on real test rows ({better} is better)",
        description="Score on real test rows by round of training on the round before, by regime",
    )


def _curves(evidence: Evidence) -> dict[str, list[Measure]]:
    by_regime: dict[str, list[Measure]] = {}
    for measure in evidence.sliced(LOSS):
        where = measure.slice or {}
        if measure.value is not None and where.get("round", "").isdecimal():
            by_regime.setdefault(where.get("regime", "one regime"), []).append(measure)
    return {name: found for name, found in list(by_regime.items())[:_REGIMES] if len(found) > 1}


def _round(where: dict[str, str]) -> float:
    return float(where["round"])


def _samples(path: Path) -> tuple[tuple[str, tuple[Wrote, ...]], ...]:
    """The texts in the file, cut; a file of another form shows nothing."""
    try:
        held: Any = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return ()
    entries = held.get("samples", []) if isinstance(held, dict) else []
    by_regime: dict[str, list[Wrote]] = {}
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("texts"), list):
            continue
        texts = [safe.visible(str(each), safe.ROW_LIMIT) for each in entry["texts"][:_TEXTS]]
        regime = safe.visible(str(entry.get("regime", "")))
        by_regime.setdefault(regime, []).append(
            Wrote(safe.visible(str(entry.get("round", ""))), tuple(texts))
        )
    return tuple((regime, tuple(_spread(found))) for regime, found in list(by_regime.items())[:_REGIMES])


def _spread(found: list[Wrote]) -> list[Wrote]:
    """At most so many rounds, the first and the last among them."""
    if len(found) <= _ROUNDS:
        return found
    return [found[round(at * (len(found) - 1) / (_ROUNDS - 1))] for at in range(_ROUNDS)]
