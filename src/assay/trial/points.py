"""A user's table of runs (sizes and losses) to a scaling law with an interval for every constant."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assay.core.catalogue import define
from assay.core.errors import InputError
from assay.core.measure import Measure
from assay.engine.files import find
from assay.engine.formats.delimited import delimited_rows
from assay.engine.formats.record import Broken
from assay.stats import scaling
from assay.stats.bootstrap import interval

Floats = npt.NDArray[np.float64]

MEASURES = ("scaling.fit", "scaling.optimal_exponent")
FLOPS_PER_TOKEN = 6  # and parameter, forwards and backwards: Kaplan et al. 2020

# What tables call these columns, letters and digits only, in the order in which they are believed.
_NAMES = {
    "parameters": ("parameters", "params", "nparams", "numparams", "numparameters", "modelsize", "modelparams", "nonembeddingparams", "n"),
    "tokens": ("tokens", "trainingtokens", "traintokens", "ntokens", "numtokens", "tokensseen", "datasetsize", "rows", "trainrows", "d"),
    "flops": ("flops", "flop", "trainingflops", "trainingflop", "trainflops", "compute", "totalflops", "c"),
    "loss": ("loss", "finalloss", "valloss", "validationloss", "testloss", "evalloss", "crossentropy", "bpb", "bitsperbyte", "l"),
    "run": ("run", "runid", "runname", "wandbrun", "experiment", "modelid"),
}  # fmt: skip


@dataclass(frozen=True)
class Points:
    """Runs that can be fitted.

    Attributes:
        axes: What each column of `sizes` is: parameters and tokens, or one of parameters, tokens and FLOPs.
        sizes: Shape (points, axes).
        losses: Shape (points,).
        runs: Number of each point's run, 0 to runs - 1, shape (points,); None where every point is a run.
        columns: Which column of the table was taken for what.
        left_out: Rows that could not be used, by reason.
        derived: How an axis was worked out from others; empty where it was read.
    """

    axes: tuple[str, ...]
    sizes: Floats
    losses: Floats
    runs: npt.NDArray[np.int64] | None
    columns: dict[str, str]
    left_out: dict[str, int]
    derived: str = ""


def read_points(path: str | Path, columns: dict[str, str] | None = None) -> Points:
    """Read a CSV or TSV file of one row per run or checkpoint.

    Args:
        path: May be compressed. The loss and at least one of parameters, tokens and FLOPs must be there; where one of
            parameters and tokens is not, FLOPs = 6 * parameters * tokens gives it.
        columns: Column of `parameters`, `tokens`, `flops`, `loss` or `run`, for names that are not recognised.
    Raises: InputError: another kind of file, no usable column or row, or a name that the table does not have.
    Source: FLOPs per token and parameter: Kaplan et al. 2020, Scaling Laws for Neural Language Models.
    """
    found = find(path).sources
    if len(found) != 1 or found[0].format not in ("csv", "tsv"):
        raise InputError("a table of points is one CSV or TSV file", where=str(path))
    source = found[0]
    left_out: Counter[str] = Counter()
    rows: list[dict[str, str]] = []
    for item in delimited_rows(source):
        if isinstance(item, Broken):
            left_out["rows that cannot be read"] += 1
        else:
            rows.append(item.values)
    if not rows:
        raise InputError("the table has no row below its header", where=source.where)
    taken = _columns(list(rows[0]), columns or {}, source.where)
    wanted = [name for name in ("parameters", "tokens", "flops", "loss") if name in taken]
    numbers = np.array([[_number(row[taken[name]]) for name in wanted] for row in rows])
    fit = np.isfinite(numbers).all(axis=1) & (numbers > 0).all(axis=1)
    blank = ~np.isfinite(numbers).all(axis=1)
    left_out["rows with a size or loss that is not a number"] += int(blank.sum())
    left_out["rows with a size or loss that is not above 0"] += int((~fit & ~blank).sum())
    if not fit.any():
        raise InputError(
            f"no row has a positive number in each of {', '.join(repr(taken[name]) for name in wanted)}",
            where=source.where,
        )
    kept = dict(zip(wanted, numbers[fit].T, strict=True))
    axes, sizes, derived = _axes(kept)
    runs = None
    if "run" in taken:
        names = [row[taken["run"]] for row, good in zip(rows, fit, strict=True) if good]
        runs = np.unique(names, return_inverse=True)[1].astype(np.int64)
    return Points(
        axes, sizes, kept["loss"], runs, taken, {why: n for why, n in left_out.items() if n}, derived
    )


def measures(
    points: Points, *, level: float = 0.95, seed: int = 0, draws: int = scaling.DRAWS
) -> list[Measure]:
    """Fit ``L = E + A / N^alpha + B / D^beta``, or one axis of it, and report every constant.

    Returns: `scaling.fit` once for each constant (slice ``parameter``) and, with both axes, `scaling.optimal_exponent`,
        beta / (alpha + beta): the power of compute with which the best model size grows. Missing with the reason where
        the points cannot settle the law.
    """
    labels = _labels(points.axes)
    try:
        found = scaling.fit(points.sizes, points.losses, clusters=points.runs, draws=draws, seed=seed)
    except InputError as error:
        return [
            _measure("scaling.fit", None, None, error.what, points, level, {"parameter": label})
            for label in labels
        ] + (
            [_measure("scaling.optimal_exponent", None, None, error.what, points, level)]
            if len(labels) == 5
            else []
        )
    how = _how(points, found, draws)
    out = [
        _measure(
            "scaling.fit",
            float(value),
            found.draws[:, place],
            f"{_rests_on(points, found, place, label)}; {how}" if place and place % 2 == 0 else how,
            points,
            level,
            {"parameter": label},
        )
        for place, (label, value) in enumerate(zip(labels, found.constants, strict=True))
    ]
    if len(labels) == 5:
        value, drawn, trimmed = (
            constants[..., 4] / np.maximum(constants[..., 2] + constants[..., 4], 1e-12)
            for constants in (found.constants, found.draws, found.trimmed)
        )
        note = f"beta / (alpha + beta); {float(trimmed):.3g} without the {len(found.influential)} most influential points; {how}"
        out.append(_measure("scaling.optimal_exponent", float(value), drawn, note, points, level))
    return out


def _columns(header: Sequence[str], given: dict[str, str], where: str) -> dict[str, str]:
    there = ", ".join(repr(name) for name in header)
    unknown = [name for name in given if name not in _NAMES]
    if unknown:
        raise InputError(f"no column is read as {unknown[0]!r}", fix=f"Known: {', '.join(_NAMES)}.")
    for name, column in given.items():
        if column not in header:
            raise InputError(
                f"there is no column {column!r} for {name}", where=where, fix=f"The table has: {there}."
            )
    taken = dict(given)
    plain = {"".join(filter(str.isalnum, name)).casefold(): name for name in reversed(header)}
    for name, spellings in _NAMES.items():
        match = next((plain[spelling] for spelling in spellings if spelling in plain), None)
        if name not in taken and match is not None and match not in taken.values():
            taken[name] = match
    if "loss" not in taken:
        raise InputError(
            "no column is recognised as the loss",
            where=where,
            fix=f"The table has: {there}. Name the column 'loss', or say which one it is.",
        )
    if not taken.keys() & {"parameters", "tokens", "flops"}:
        raise InputError(
            "no column is recognised as parameters, tokens or FLOPs",
            where=where,
            fix=f"The table has: {there}. Name one 'parameters', 'tokens' or 'flops', or say which one it is.",
        )
    return taken


def _number(field: str) -> float:
    try:
        return float(field.replace("_", ""))
    except ValueError:
        return math.nan


def _axes(kept: dict[str, Floats]) -> tuple[tuple[str, ...], Floats, str]:
    """The axes of the law, and how one was worked out; an axis of one size everywhere is part of the floor."""
    size, tokens, flops = (kept.get(name) for name in ("parameters", "tokens", "flops"))
    derived = ""
    if flops is not None and size is not None and tokens is None:
        tokens, derived = flops / (FLOPS_PER_TOKEN * size), "tokens = FLOPs / (6 * parameters)"
    elif flops is not None and tokens is not None and size is None:
        size, derived = flops / (FLOPS_PER_TOKEN * tokens), "parameters = FLOPs / (6 * tokens)"
    both = {
        name: values
        for name, values in (("parameters", size), ("tokens", tokens))
        if values is not None and np.ptp(values) > 0
    }
    if not both and flops is not None and size is None and tokens is None:
        both = {"FLOPs": flops}
    if not both:
        raise InputError("all runs have the same size", fix="A law needs runs of different sizes.")
    return tuple(both), np.column_stack(list(both.values())), derived


def _labels(axes: tuple[str, ...]) -> tuple[str, ...]:
    """E, A, alpha, B, beta; a law of tokens alone has B and beta, one of compute C and gamma."""
    letters = {"parameters": ("A", "alpha"), "tokens": ("B", "beta"), "FLOPs": ("C", "gamma")}
    return ("E", *(letter for axis in axes for letter in letters[axis]))


def _rests_on(points: Points, found: scaling.Fit, place: int, label: str) -> str:
    """How far an exponent hangs on single points."""
    moved = np.abs(found.without[:, place] - found.constants[place])
    worst = int(np.argmax(moved))
    where = ", ".join(
        f"{size:.3g} {axis}" for size, axis in zip(points.sizes[worst], points.axes, strict=True)
    )
    return (
        f"one point less changes {label} by up to {moved[worst]:.2g} (the one at {where}, loss {points.losses[worst]:.4g}); "
        f"without the {len(found.influential)} most influential points it is {found.trimmed[place]:.4g}"
    )


def _how(points: Points, found: scaling.Fit, draws: int) -> str:
    terms = {"parameters": "A / N^alpha", "tokens": "B / D^beta", "FLOPs": "C / FLOPs^gamma"}
    law = " + ".join(["E", *(terms[axis] for axis in points.axes)])
    units = (
        f"{int(points.runs.max()) + 1} runs" if points.runs is not None else f"{len(points.losses)} points"
    )
    derived = f"; {points.derived}" if points.derived else ""
    return (
        f"L = {law}, Huber loss ({scaling.DELTA:g}) of log L, many starts; half of the points lie within "
        f"{found.error:.2%} of the law; bootstrap over {units}, {draws} draws{derived}"
    )


def _measure(
    name: str,
    value: float | None,
    draws: Floats | None,
    text: str,
    points: Points,
    level: float,
    slice: dict[str, str] | None = None,
) -> Measure:
    definition = define(name)
    told: dict[str, object] = {
        "name": name,
        "slice": slice,
        "level": level,
        "n": len(points.losses),
        "unit": definition.unit,
        "worse": definition.worse,
        "left_out": points.left_out,
    }
    if value is None or draws is None:
        return Measure.model_validate({**told, "value": None, "missing": text, "method": definition.formula})
    low, high = interval(draws, level)
    told |= {"value": value, "low": min(low, value), "high": max(high, value), "method": text}
    return Measure.model_validate(told)
