"""Score files: one file or folder is one arm, whichever evaluator wrote it, as a table of items and runs."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from assay.core.errors import InputError
from assay.core.evidence import Loss
from assay.engine import eval_logs
from assay.engine.eval_logs import EVAL_SUFFIX, Scored, ScoredRow
from assay.engine.files import CODECS, FORMATS, Source, find
from assay.engine.formats.record import Broken, Item, Record, spelt
from assay.engine.formats.records import records
from assay.engine.values import look_up, scalar

Floats = npt.NDArray[np.float64]

IDS = ("id", "item", "item_id", "example_id", "question_id", "doc_id", "uid", "index")
SCORES = ("score", "accuracy", "acc", "correct", "is_correct", "exact_match", "em", "f1", "value", "reward")
CLUSTERS = ("cluster", "cluster_id", "group_id", "root")
RUNS, EPOCHS = ("seed", "run"), ("epoch", "sample", "repeat")
_SLICE = re.compile(r"slices?(?:[_.:-](?P<name>.+))?", re.IGNORECASE | re.DOTALL)
_WORDS = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}
_EXAMPLES = 5


@dataclass(frozen=True)
class ArmScores:
    """What one arm scored.

    Attributes:
        name: The file or folder, without suffix.
        form: ``lm-evaluation-harness``, ``inspect`` or ``table``; several are joined with a comma.
        metric: Which of the file's metrics this is.
        others: Metrics the file has besides.
        items: Ids, in the order of the file, each once.
        runs: Seeds of the trainings, or one empty name.
        scores: Shape (items, runs); repeats of an item in one run are averaged.
        repeats: Most repeats of one item in one run.
        clusters: Which items are kin; None: by itself.
        slices: Slice name to its value for each item.
        checks: Fingerprint of each item's content, or None.
        losses: Rows that could not be used, with file and line.
    """

    name: str
    form: str
    metric: str
    others: tuple[str, ...]
    items: tuple[str, ...]
    runs: tuple[str, ...]
    scores: Floats
    repeats: int
    clusters: tuple[str | None, ...]
    slices: Mapping[str, tuple[str | None, ...]]
    checks: tuple[str | None, ...]
    losses: tuple[Loss, ...]


def read_scores(
    path: str | Path,
    *,
    metric: str | None = None,
    slices: Sequence[str] = (),
    cluster: str | None = None,
) -> ArmScores:
    """Read one arm: a samples file of lm-evaluation-harness, an Inspect log, or a table with `id` and `score`.

    A folder is one arm of several tasks; each file in it is a task and its items carry the task's name.

    Args:
        metric: Which metric; for the harness ``exact_match`` or, with the filter, ``exact_match,strict-match``.
            None takes the first one that the file lists; of a table the first column among `SCORES`.
        slices: Columns to slice by, besides those called ``slice``, ``slice_...``. Fields of the harness's
            `doc` and of Inspect's `metadata` count as columns.
        cluster: Column that says which items are kin, besides those in `CLUSTERS`.
    Raises:
        InputError: no file, an unknown suffix, no such metric (those there are named), an item scored twice
            in one run, or no usable score at all.
    """
    files = _files(Path(path).expanduser() if isinstance(path, str) and "://" not in path else path)
    if len(files) == 1 and not Path(path).is_dir():
        return replace(_read(files[0], metric, slices, cluster), name=_stem(files[0].name))
    parts = [(_task(file), _read(file, metric, slices, cluster)) for file in files]
    doubled = [task for task, count in Counter(task for task, _ in parts).items() if count > 1]
    if doubled:
        raise InputError(
            f"the folder holds several runs of {', '.join(map(repr, doubled))}",
            where=str(path),
            fix="Keep one file per task, or compare the files one by one.",
        )
    return _joined(Path(path).name, parts)


def number(value: Any) -> float | None:
    """A score as a number: true and false are 1 and 0; None for what is no finite number."""
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _WORDS:
            return _WORDS[word]
        try:
            value = float(word)
        except ValueError:
            return None
    if not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _files(path: str | Path) -> list[Source]:
    if isinstance(path, Path):
        if path.suffix.lower() == EVAL_SUFFIX and path.is_file():
            return [_archive(path)]
        if path.is_dir() and (archives := sorted(path.rglob(f"*{EVAL_SUFFIX}"))):
            return [_archive(archive) for archive in archives]
        if path.is_dir() and (samples := sorted(path.rglob("samples_*.json*"))):
            # The harness writes its means beside the samples.
            return list(find(samples).sources)
    return list(find(path).sources)


def _archive(path: Path) -> Source:
    return Source(path, path.name, "json", "")


def _read(source: Source, metric: str | None, slices: Sequence[str], cluster: str | None) -> ArmScores:
    columns = tuple(dict.fromkeys((*slices, *([cluster] if cluster else CLUSTERS))))
    form, rows, named = _rows(source, columns, slices, metric)
    bad: dict[str, list[str]] = defaultdict(list)
    usable: list[ScoredRow] = []
    for row in rows:
        if isinstance(row, Broken):
            bad[row.reason].append(f"{source.where}:{row.line}")
        else:
            usable.append(row)
    names = list(dict.fromkeys(name for row in usable for name in row.values))
    chosen = _choose(names, metric, source.where)
    cells: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    first: dict[str, ScoredRow] = {}
    places: dict[tuple[str, str, str], str] = {}
    for row in usable:
        if chosen not in row.values:
            continue
        score = number(row.values[chosen])
        if score is None:
            shown = spelt(row.values[chosen])[:60]
            bad[f"{chosen} is {shown}, not a finite number"].append(f"{source.where}: {row.where}")
            continue
        run = row.run or next((row.columns[name] for name in RUNS if row.columns.get(name)), "") or ""
        key = (row.item, run, row.epoch)
        if key in places:
            raise InputError(
                f"item {row.item!r} is scored twice, in {places[key]} and {row.where}",
                where=source.where,
                fix="Add a column `seed` if they are different trainings, `epoch` if the same model answered "
                "again; else keep one of them.",
            )
        places[key] = row.where
        cells[row.item, run][row.epoch] = score
        first.setdefault(row.item, row)
    runs = sorted({run for _, run in cells})
    items = [item for item in first if all((item, run) in cells for run in runs)]
    for item in [item for item in first if any((item, run) not in cells for run in runs)]:
        bad["not scored in every run"].append(f"{source.where}: item {item}")
    losses = _losses(source.name, bad)
    if not items:
        raise InputError(
            f"no item with a usable {chosen}",
            where=source.where,
            fix=losses[0].why if losses else None,
        )
    kin = [cluster] if cluster else CLUSTERS
    return ArmScores(
        name=source.name,
        form=form,
        metric=chosen,
        others=tuple(name for name in names if name != chosen),
        items=tuple(items),
        runs=tuple(runs),
        scores=np.array([[np.mean(list(cells[item, run].values())) for run in runs] for item in items]),
        repeats=max(len(cell) for cell in cells.values()),
        clusters=tuple(
            next((first[item].columns[name] for name in kin if first[item].columns.get(name)), None)
            for item in items
        ),
        slices={
            called: tuple(first[item].columns.get(column) for item in items)
            for column, called in named.items()
        },
        checks=tuple(first[item].check for item in items),
        losses=losses,
    )


def _rows(
    source: Source, columns: tuple[str, ...], slices: Sequence[str], metric: str | None
) -> tuple[str, Iterator[Scored], dict[str, str]]:
    """The form of a file, its rows, and the columns to slice by with the name of each slice."""
    named = {column: column for column in slices}
    if source.path.suffix.lower() == EVAL_SUFFIX:
        return "inspect", eval_logs.archive_rows(source.path, columns), named
    if source.format == "json":
        log = eval_logs.inspect_document(source)
        if log is not None:
            return "inspect", eval_logs.document_rows(log, columns), named
    items = records(source)
    ahead = list(itertools.islice(items, 100))
    everything = itertools.chain(ahead, items)
    head = [item.values for item in ahead if isinstance(item, Record)]
    if not head:
        raise InputError("no readable row among the first hundred", where=source.where)
    if eval_logs.is_harness(head[0]):
        return "lm-evaluation-harness", eval_logs.harness_rows(everything, columns), named
    known = list(dict.fromkeys(column for row in head for column in row))
    for column in known:
        if found := _SLICE.fullmatch(column):
            named.setdefault(column, found["name"] or column)
    wanted = tuple(dict.fromkeys((*columns, *RUNS, *named)))
    return "table", _table_rows(everything, known, wanted, metric, source.where), named


def _table_rows(
    items: Iterable[Item], known: list[str], columns: tuple[str, ...], metric: str | None, where: str
) -> Iterator[Scored]:
    by_name = {column.strip().lower(): column for column in reversed(known)}
    identity = next((by_name[name] for name in IDS if name in by_name), None)
    scores = [by_name[name] for name in SCORES if name in by_name]
    scores += [metric] if metric in known and metric not in scores else []
    again = next((by_name[name] for name in EPOCHS if name in by_name), None)
    for what, found, names in (("id", identity, IDS), ("score", scores, SCORES)):
        if not found:
            raise InputError(
                f"no column for the {what}; the columns are {', '.join(known)}",
                where=where,
                fix=f"Call one of them {names[0]!r}"
                + (", or name it with --metric." if what == "score" else "."),
            )
    assert identity is not None
    for item in items:
        if isinstance(item, Broken):
            yield item
            continue
        name = scalar(item.values.get(identity))
        if name is None or name == "":
            yield Broken(item.line, f"no {identity}", spelt(item.values))
            continue
        yield ScoredRow(
            where=f"line {item.line}",
            item=name,
            run="",
            epoch="" if again is None else scalar(item.values.get(again)) or "",
            check=None,
            values={column: item.values[column] for column in scores if column in item.values},
            columns={column: scalar(look_up(item.values, column)) or None for column in columns},
        )


def _choose(names: list[str], metric: str | None, where: str) -> str:
    """The metric that is meant: by its whole name, by its name without the filter, or the first one."""
    if not names:
        raise InputError("no row holds a score", where=where)
    if metric is None:
        return names[0]
    for name in names:
        if metric == name or metric == name.rpartition(",")[0]:
            return name
    raise InputError(f"no metric {metric!r}; this file has {', '.join(names)}", where=where)


def _losses(name: str, bad: Mapping[str, list[str]]) -> tuple[Loss, ...]:
    return tuple(
        Loss(what=f"scores of {name}", why=why, rows=len(places), examples=tuple(places[:_EXAMPLES]))
        for why, places in bad.items()
    )


def _joined(name: str, parts: Sequence[tuple[str, ArmScores]]) -> ArmScores:
    """The tasks of one arm as one table; each item carries its task, which is a slice, too."""
    runs = {arm.runs for _, arm in parts}
    if len(runs) > 1:
        raise InputError(f"the tasks of {name} were run with different seeds", fix="Compare them one by one.")
    metrics = {arm.metric for _, arm in parts}
    slices = sorted({called for _, arm in parts for called in arm.slices})
    return ArmScores(
        name=name,
        form=", ".join(sorted({arm.form for _, arm in parts})),
        metric=metrics.pop() if len(metrics) == 1 else "; ".join(f"{t}: {arm.metric}" for t, arm in parts),
        others=tuple(dict.fromkeys(other for _, arm in parts for other in arm.others)),
        items=tuple(f"{task}/{item}" for task, arm in parts for item in arm.items),
        runs=runs.pop(),
        scores=np.concatenate([arm.scores for _, arm in parts]),
        repeats=max(arm.repeats for _, arm in parts),
        clusters=tuple(
            None if kin is None else f"{task}/{kin}" for task, arm in parts for kin in arm.clusters
        ),
        slices={
            "task": tuple(task for task, arm in parts for _ in arm.items),
            **{
                called: tuple(
                    value for _, arm in parts for value in arm.slices.get(called, (None,) * len(arm.items))
                )
                for called in slices
            },
        },
        checks=tuple(check for _, arm in parts for check in arm.checks),
        losses=tuple(loss for _, arm in parts for loss in arm.losses),
    )


def _task(source: Source) -> str:
    if source.path.suffix.lower() == EVAL_SUFFIX:
        return eval_logs.archive_task(source.path)
    return eval_logs.harness_task(_stem(Path(source.name).name))


def _stem(name: str) -> str:
    for suffix in (*CODECS, *FORMATS, EVAL_SUFFIX):
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
    return name
