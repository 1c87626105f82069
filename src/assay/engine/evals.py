"""Reading evaluations: each file is one, named after the file, whatever its columns are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from assay.core.errors import InputError
from assay.core.progress import Progress, silent
from assay.engine.files import CODECS, FORMATS, Source, find
from assay.engine.formats.record import Record
from assay.engine.formats.records import records
from assay.engine.read import ReadResult, layout_of, read
from assay.engine.shapes import PROMPT, TEXT

INDEX_SUFFIX = ".assay-index"
# Where evaluations keep their question when nothing in the row answers it in a way that makes a known shape.
QUESTIONS = (
    *("question", "prompt", "problem", "instruction", "query", "input", "goal", "stem", "ctx", "premise"),
    *("context", "sentence", "statement", "claim"),
)
_LOOKED_AT = 1_000
_SURE = 0.5


@dataclass(frozen=True)
class EvalFile:
    """One evaluation to read: its name, and the file or index it lies in."""

    name: str
    path: Path

    @property
    def is_index(self) -> bool:
        """Whether the file holds hashes that `assay.audit.evals.save` wrote."""
        return self.path.name.endswith(INDEX_SUFFIX)


def eval_files(paths: Sequence[str]) -> tuple[EvalFile, ...]:
    """The evaluations behind files, folders and globs, indexes last; no two have one name.

    Raises: InputError: a path does not exist or is no data file.
    """
    indexes = [Path(path) for path in paths if path.endswith(INDEX_SUFFIX)]
    for path in indexes:
        if not path.is_file():
            raise InputError("no such file", where=str(path))
    others = [path for path in paths if not path.endswith(INDEX_SUFFIX)]
    found = [EvalFile(_stem(source), source.path) for source in (find(others).sources if others else ())]
    named = [
        EvalFile(unused(each.name, [other.name for other in found[:number]]), each.path)
        for number, each in enumerate(found)
    ]
    return (*named, *(EvalFile(path.name.removesuffix(INDEX_SUFFIX), path) for path in indexes))


def unused(name: str, taken: Sequence[str]) -> str:
    """`name`, with a number behind it if it is taken."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} {number}"
    return free


def read_eval(
    file: EvalFile,
    folder: Path,
    *,
    mapping: Mapping[str, str],
    max_reject_share: float,
    rejects: Path,
    progress: Progress = silent,
) -> ReadResult:
    """Read an evaluation into a corpus in `folder`.

    Args:
        mapping: Part -> column, as for `read`; parts whose column this file lacks are passed over, for it is
            the one mapping of all files of a run.
        rejects: Where unreadable rows are written.

    Raises: InputError: as in `read`.
    """
    return read(
        file.path,
        folder,
        name=file.name,
        origin="real",
        mapping=_mapping(find(file.path).sources[0], mapping),
        slices=(),
        max_reject_share=max_reject_share,
        rejects=rejects,
        progress=progress,
    )


def _mapping(source: Source, mapping: Mapping[str, str]) -> dict[str, str]:
    """What to tell `read` about the columns of this file."""
    head = [item.values for item in islice(records(source), _LOOKED_AT) if isinstance(item, Record)]
    columns = list(dict.fromkeys(column for row in head for column in row))
    said = {part: column for part, column in mapping.items() if column in columns}
    if said or not head:
        return said
    try:
        layout = layout_of([source], mapping={}, slices=())
    except InputError:
        layout = None
    if layout is not None and layout.confidence > _SURE:
        return {}
    texts = [column for column in columns if any(isinstance(row.get(column), str) for row in head)]
    by_name = {column.strip().lower(): column for column in reversed(texts)}
    question = next((by_name[name] for name in (*QUESTIONS, *PROMPT, *TEXT) if name in by_name), None)
    return {} if question is None else {"text": question}


def _stem(source: Source) -> str:
    name = source.name
    for suffix in (*CODECS, *FORMATS):
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
    return name
