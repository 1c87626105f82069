"""Assay from Python: rows as files or tables in, evidence as tables and a page out."""

from __future__ import annotations

import hashlib
import html
import io
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from assay import study as stages
from assay.core.answer import answer
from assay.core.errors import InputError
from assay.core.evidence import Run
from assay.core.progress import Progress, silent
from assay.study import Study

if TYPE_CHECKING:
    from assay.curate.record import Curation

_SIDES = ("real", "synthetic", "test", "evals", "holdout", "shifted", "general")


class Result(Run):
    """A run with its evidence at hand. Shown in a notebook, it is its answer; `show` is its page."""

    @property
    def claims(self) -> Any:
        """One row per claim: id, kind, perspective, verdict, statement, action.

        Returns: A pandas DataFrame where pandas is installed, else an Arrow table.
        """
        return _frame([each.model_dump(exclude={"because"}) for each in self.evidence.claims])

    @property
    def measures(self) -> Any:
        """One row per measure: name, corpus, slice (as text), value, low, high, unit, n, reference, missing, method.

        Returns: A pandas DataFrame where pandas is installed, else an Arrow table.
        """
        return _frame(
            [
                {
                    "name": each.name,
                    "corpus": each.corpus,
                    "slice": ", ".join(f"{key}={value}" for key, value in (each.slice or {}).items()) or None,
                    "value": each.value,
                    "low": each.low,
                    "high": each.high,
                    "unit": each.unit,
                    "n": each.n,
                    "reference": None if each.reference is None else each.reference.value,
                    "missing": each.missing,
                    "method": each.method,
                }
                for each in self.evidence.measures
            ]
        )

    def curate(self, out: Path | str, *, progress: Progress = silent, **wishes: Any) -> Curation:
        """A better training set of this run in the folder `out`: rows that were flagged set aside, the rest mixed in.

        Args:
            wishes: Fields of `curate.curate.Settings`: share, rebalance, skip, also, form, seed.
        Returns: The record that is also in `curate.json`.
        Raises: InputError: the run has no audit, or its files are not what it read.
        """
        from assay.curate.curate import Settings

        return stages.curate(self.folder, Path(out), Settings(**wishes), progress=progress)

    def show(self, height: int = 900) -> Any:
        """The report within a notebook: an IPython `IFrame`-like object; elsewhere the page's path.

        Args:
            height: Of the frame, in pixels.
        """
        page = self.folder / "report.html"
        try:
            from IPython.display import HTML  # type: ignore[import-not-found]
        except ModuleNotFoundError:
            return page
        # A frame without rights: the page brings its own policy, and the notebook's scripts stay out of it.
        inside = html.escape(page.read_text(encoding="utf-8"), quote=True)
        return HTML(
            f'<iframe srcdoc="{inside}" sandbox="allow-scripts" width="100%" height="{int(height)}"></iframe>'
        )

    def _repr_html_(self) -> str:
        said = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in answer(self.evidence).sentences)
        return f"<div>{said}<p><code>{html.escape(str(self.folder / 'report.html'))}</code></p></div>"


def run(
    study: Study | None = None,
    out: Path | str = "assay-run",
    *,
    progress: Progress = silent,
    note: Callable[[str], None] = lambda text: None,
    **settings: Any,
) -> Result:
    """Read, guard, audit, try, forecast, decide and report; what was done before is not done again.

    Args:
        study: All settings in one; or give them by name.
        out: The run's folder.
        note: Told what trial and forecast will cost, before they start.
        settings: Fields of `Study`. The sides (``real``, ``synthetic``, ``test``, ...) may be files, folders, globs and
            addresses, or tables in memory: pandas, polars, Arrow, Hugging Face datasets, lists of dictionaries.
    Raises: InputError: neither a study nor real rows are given, or a file, table or setting cannot be used.
    """
    folder = Path(out)
    if study is None:
        if "real" not in settings:
            raise InputError("no real rows were given", fix="Call assay.run(real=..., synthetic=...).")
        for side in _SIDES:
            if side in settings:
                settings[side] = _paths(settings[side], side, folder)
        study = Study.of(settings)
    elif settings:
        raise InputError("settings stand beside a study", fix="Put them into the study.")
    return Result(stages.run(study, folder, progress=progress, note=note).folder)


def _paths(rows: Any, side: str, folder: Path) -> tuple[str, ...]:
    """Files as they are; a table is written into the run's folder, under a name that tells its content."""
    if isinstance(rows, (str, Path)):
        return (str(rows),)
    if isinstance(rows, Sequence) and all(isinstance(each, (str, Path)) for each in rows):
        return tuple(str(each) for each in rows)
    sink = io.BytesIO()
    pq.write_table(_alike(_table(rows, side)), sink)
    whole = sink.getvalue()
    path = folder / "data" / f"{side}-{hashlib.sha256(whole).hexdigest()[:12]}.parquet"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(f".{os.getpid()}")
        aside.write_bytes(whole)
        aside.replace(path)
    return (str(path),)


def _table(rows: Any, side: str) -> pa.Table:
    if isinstance(rows, pa.Table):
        return rows
    if isinstance(rows, Sequence) and all(isinstance(each, Mapping) for each in rows):
        return pa.Table.from_pylist([dict(each) for each in rows])
    if hasattr(rows, "with_format"):  # a dataset of Hugging Face
        return rows.with_format("arrow")[:]
    if hasattr(rows, "__arrow_c_stream__"):
        table = pa.table(rows)
        return table.select([name for name in table.column_names if not name.startswith("__index_level_")])
    raise InputError(
        f"{side} is a {type(rows).__name__}, which is neither files nor a table",
        fix="Give paths, or a pandas, polars, Arrow or Hugging Face table, or a list of dictionaries.",
    )


def _alike(table: pa.Table) -> pa.Table:
    """The table as every library would have handed it over: its bytes name the file, and the file's name its rows."""
    kinds = pa.schema([pa.field(each.name, _wide(each.type)) for each in table.schema])
    return table.cast(kinds).combine_chunks()


def _wide(kind: pa.DataType) -> pa.DataType:
    """The widest form of a type of text, also within lists and structures."""
    if pa.types.is_string(kind) or pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.large_list(_wide(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(each.name, _wide(each.type)) for each in kind])
    return kind


def _frame(rows: list[dict[str, Any]]) -> Any:
    table = pa.Table.from_pylist(rows)
    try:
        return table.to_pandas()
    except ModuleNotFoundError:
        return table
