"""Evidence from what was trained and scored elsewhere: a table of runs, per-item scores, answers before a judge."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from assay import __version__
from assay.core.errors import InputError
from assay.core.evidence import Costs, Evidence, Input, Loss, Run, Tool
from assay.core.measure import Measure
from assay.core.trial import Trial
from assay.study import commit, conclude

_FALLEN = ("trial.score_delta", "trial.judge_win_rate")


def points(path: Path, out: Path, *, columns: dict[str, str] | None = None, seed: int = 0) -> Run:
    """Fit a scaling law to a table of runs and write evidence and report into `out`.

    Args:
        path: CSV or TSV with columns for parameters, tokens or FLOPs, and the loss.
        columns: Which column is which, where their names do not tell.
    Raises: InputError: no usable column or row.
    """
    from assay.trial.points import measures, read_points

    started = time.perf_counter()
    found = read_points(path, columns)
    losses = [
        Loss(what="rows of the table that could not be used", why=why, rows=rows, examples=())
        for why, rows in found.left_out.items()
    ]
    read = Input(
        role="points",
        name=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        rows=len(found.losses),
        rows_unread=sum(found.left_out.values()),
        bytes=path.stat().st_size,
        shape="points",
    )
    return _evidence(out, [read], measures(found, seed=seed), (), losses, started, seed=seed)


def scores(
    paths: Sequence[Path],
    out: Path,
    *,
    metric: str | None = None,
    slices: tuple[str, ...] = (),
    cluster: str | None = None,
    lower_is_better: bool | None = None,
    margin: float = 0.01,
    seed: int = 0,
) -> Run:
    """Compare per-item scores of several models, the first being the baseline, and report into `out`.

    Args:
        paths: lm-evaluation-harness samples, Inspect logs, or tables of id and score; one file is one arm.
        metric: Which score, where the files hold several.
        cluster: Column that says which items are kin.
    Raises: InputError: a file holds no scores, or the files share no items.
    """
    from assay.trial.imported import compare_scores

    started = time.perf_counter()
    found = compare_scores(
        paths,
        metric=metric,
        margin=margin,
        seed=seed,
        slices=slices,
        cluster=cluster,
        lower_is_better=lower_is_better,
    )
    items = next((measure.n for measure in found.measures if measure.name == "trial.score"), 0)
    read = [_file("scores", path, items) for path in paths]
    measures = [*found.measures, *_gravest(found.measures)]
    return _evidence(out, read, measures, found.trials, found.losses, started, margin=margin, seed=seed)


def judged(
    paths: Sequence[Path],
    labels: Path,
    out: Path,
    *,
    model: str,
    ratings: bool = False,
    own: str | None = None,
    floor: float = 0.4,
    cache: Path | None = None,
    prices: tuple[float, float] = (0.0, 0.0),
    seed: int = 0,
) -> Run:
    """Let a model judge the answers of several arms, the first being the baseline, and report into `out`.

    Args:
        paths: One file of answers is one arm.
        labels: A person's word on some of the items; without enough agreement the judge has no say.
        model: As in `models.endpoint.open_model`.
        ratings: Rate each answer instead of comparing two.
        own: Name of the arm that the judge's own model, or a relative of it, wrote.
        floor: Least kappa, by the lower end of its interval, at which the judge's scores are used.
        cache: Folder of replies; None is `steps/judge` in `out`.
        prices: US dollars for a million tokens read, and written.
    Raises: InputError: unusable answers or labels. EngineError: the judge cannot be asked.
    """
    from assay.engine.answers import read_answers, read_labels
    from assay.models.endpoint import open_model
    from assay.models.judge import Judge
    from assay.trial.judging import judge_pairs, judge_ratings

    if own is not None and ratings:
        raise InputError("ratings do not tell whom a judge favours", fix="Leave --ratings out, or --own-arm.")
    started = time.perf_counter()
    arms, word = [read_answers(path) for path in paths], read_labels(labels)
    with open_model(model) as opened:
        judge = Judge(opened, cache=cache or out / "steps" / "judge")
        if ratings:
            found = judge_ratings(judge, arms, word, floor=floor, seed=seed)
        else:
            found = judge_pairs(judge, arms, word, own=own, floor=floor, seed=seed)
    losses = [*found.losses, *(loss for arm in arms for loss in arm.losses)]
    read = [_file("answers", path, len(arm.answers)) for path, arm in zip(paths, arms, strict=True)]
    read.append(_file("labels", labels, len(word.winners) + len(word.scores)))
    measures = [*found.measures, *_gravest(found.measures)]
    return _evidence(out, read, measures, (), losses, started, usd=found.usage.usd(*prices), seed=seed)


def _gravest(measures: Iterable[Measure]) -> list[Measure]:
    """The arm that falls furthest, as the whole comparison's measure: it is what decides a claim."""
    found = []
    for name in _FALLEN:
        known = [each for each in measures if each.name == name and each.value is not None]
        if known:
            worst = min(known, key=lambda each: each.value or 0.0)
            arm = (worst.slice or {}).get("arm", "")
            method = f"the arm that does worst: {arm}; {worst.method}"
            found.append(worst.model_copy(update={"slice": None, "method": method}))
    return found


def _file(role: str, path: Path, rows: int) -> Input:
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    whole = b"".join(each.read_bytes() for each in files)
    return Input.model_validate(
        {
            "role": role,
            "name": path.name,
            "sha256": hashlib.sha256(whole).hexdigest(),
            "rows": rows,
            "rows_unread": 0,
            "bytes": len(whole),
            "shape": role,
        }
    )


def _evidence(
    out: Path,
    inputs: list[Input],
    measures: Iterable[Measure],
    trials: tuple[Trial, ...],
    losses: Iterable[Loss],
    started: float,
    *,
    usd: float = 0.0,
    margin: float = 0.01,
    seed: int = 0,
) -> Run:
    evidence = Evidence(
        tool=Tool(version=__version__, commit=commit()),
        seed=seed,
        inputs=tuple(inputs),
        measures=tuple(measures),
        trials=trials,
        claims=(),
        costs=Costs(seconds=round(time.perf_counter() - started, 1), usd=usd),
        losses=tuple(losses),
    )
    return conclude(out, evidence, margin)
