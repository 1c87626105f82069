"""What `assay trial` takes instead of rows: results of training that went on elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.cli.options import Paths, mapping, option
from assay.core.errors import InputError
from assay.core.evidence import Run

_QUESTIONS = ("points", "scores", "answers")
SEVERAL = {"--scores", "--answers", "--points-column"}
_PANEL = "Trained elsewhere"


def _asked(name: str, default: object, kind: object, help: str, flag: str | None = None, **more: Any) -> Any:
    return option(name, default, kind, help, flag, rich_help_panel=_PANEL, **more)


OPTIONS = [
    _asked(
        "points", None, Path | None, "Table of runs (parameters, tokens or FLOPs, loss): fit a scaling law."
    ),
    _asked("points_column", None, Paths | None, "Which column is which, such as loss=val_loss."),
    _asked("scores", None, Paths | None, "Per-item scores, one file for each arm, the baseline first."),
    _asked("metric", None, str | None, "Which score, where the files hold several."),
    _asked("cluster", None, str | None, "Column that says which items are kin."),
    _asked(
        "lower_is_better",
        None,
        bool | None,
        "Whether a lower score is better; default: known by its name.",
        "--lower-is-better/--higher-is-better",
    ),
    _asked("answers", None, Paths | None, "Answers for a judge, one file for each arm, the baseline first."),
    _asked("judge", None, str | None, "Who judges: smollm2, a GGUF file, or http://host/v1#name."),
    _asked(
        "labels", None, Path | None, "A person's word on some of the answers: without it no judge has a say."
    ),
    _asked("ratings", False, bool, "Rate each answer instead of comparing two.", "--ratings"),
    _asked("own_arm", None, str | None, "Arm that the judge's own kin wrote: does it favour that one?"),
    _asked(
        "judge_floor", 0.4, float, "Least agreement beyond chance (kappa) that lets the judge have a say."
    ),
    _asked("judge_cache", None, Path | None, "Folder of the judge's replies; default: in the run's steps."),
    _asked("price_read", 0.0, float, "US dollars for a million tokens that the judge reads.", min=0),
    _asked("price_written", 0.0, float, "US dollars for a million tokens that the judge writes.", min=0),
]


def is_asked(given: Mapping[str, Any]) -> bool:
    """Whether results from elsewhere are what the command is about."""
    return any(given.get(name) for name in _QUESTIONS)


def from_elsewhere(
    given: Mapping[str, Any], out: Path, margin: float, seed: int, slices: tuple[str, ...]
) -> Run:
    """Evidence from elsewhere. Raises: InputError: two questions at once, or one without what it needs."""
    from assay import elsewhere

    asked = [name for name in _QUESTIONS if given[name]]
    if len(asked) > 1:
        raise InputError(
            f"--{asked[0]} and --{asked[1]} are two different questions", fix="Ask them one at a time."
        )
    if given["points"]:
        return elsewhere.points(
            given["points"], out, columns=mapping(given["points_column"] or []), seed=seed
        )
    if given["scores"]:
        return elsewhere.scores(
            [Path(path) for path in given["scores"]],
            out,
            metric=given["metric"],
            slices=slices,
            cluster=given["cluster"],
            lower_is_better=given["lower_is_better"],
            margin=margin,
            seed=seed,
        )
    if not (given["judge"] and given["labels"]):
        raise InputError("answers need a judge and labels", fix="Give --judge MODEL and --labels FILE.")
    return elsewhere.judged(
        [Path(path) for path in given["answers"]],
        given["labels"],
        out,
        model=given["judge"],
        ratings=given["ratings"],
        own=given["own_arm"],
        floor=given["judge_floor"],
        cache=given["judge_cache"],
        prices=(given["price_read"], given["price_written"]),
        seed=seed,
    )
