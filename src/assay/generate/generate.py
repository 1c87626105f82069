"""Write synthetic rows with lineage, one JSON line each, and go on after a kill where it stopped."""

from __future__ import annotations

import datetime
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.core.corpus import Corpus
from assay.core.energy import Meter
from assay.core.errors import InputError
from assay.core.progress import Progress, silent
from assay.generate.fewshot import NAME, FewShotByLabel, PlannedRow, plan
from assay.generate.spent import FIELDS, USAGE
from assay.models.endpoint import Completion, LanguageModel

_SENTENCE_END = re.compile(r"[.!?…][\"'”’)]*(?=\s|$)|[。！？]")


@dataclass(frozen=True)
class GenerateResult:
    """What stands in `out`.

    Attributes:
        rows: Rows in the file, those of earlier runs included.
        tokens: Tokens written in this run, without prompts.
        seconds: Wall seconds of this run.
        joules: Energy that the machine's processors used meanwhile; None where they do not show it.
    """

    rows: int
    tokens: int
    seconds: float
    out: Path
    joules: float | None = None


def generate(
    real: Corpus,
    *,
    recipe: FewShotByLabel,
    model: LanguageModel,
    rows: int,
    out: Path,
    seed: int = 0,
    progress: Progress = silent,
) -> GenerateResult:
    """Write `rows` synthetic rows into the JSONL file `out`, in the order of the plan.

    Every row is planned from the seed before any is written, and a row is on disk before the next. So a
    killed run continues with the same call: whole rows are kept, a torn last line is dropped. What the model
    wrote is kept as it is, refusals and nonsense too: finding those is what an audit is for. Each row notes what it took
    (`usage`), seconds and energy since the row before: rows in flight together share them.

    Raises:
        InputError: the corpus has no usable labelled rows, or `out` holds rows of another plan.
        EngineError: the model failed.
    """
    started = time.perf_counter()
    planned = plan(real, recipe, rows, seed=seed)
    out.parent.mkdir(parents=True, exist_ok=True)
    done = _resume(out, planned, model)
    progress("generate", done, rows)
    tokens = 0
    with out.open("a", encoding="utf-8") as file, Meter() as meter:
        taken = _Taken(meter)
        written = model.write([row.request for row in planned[done:]])
        for row, completion in zip(planned[done:], written, strict=True):
            values = _line(row, recipe, completion, model) | {USAGE: taken.since_last(completion)}
            file.write(json.dumps(values, ensure_ascii=False) + "\n")
            file.flush()
            done += 1
            tokens += completion.tokens
            progress("generate", done, rows)
        joules = meter.joules
    return GenerateResult(done, tokens, time.perf_counter() - started, out, joules)


class _Taken:
    """What each row took, so that the rows of a run add up to the run."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._clock, self._joules = time.perf_counter(), meter.joules

    def since_last(self, completion: Completion) -> dict[str, float]:
        """Tokens of the row, and the seconds and energy since the row before."""
        clock, joules = time.perf_counter(), self._meter.joules
        took: dict[str, float] = {FIELDS["written"]: completion.tokens}
        if completion.prompt_tokens:
            took[FIELDS["read"]] = completion.prompt_tokens
        took[FIELDS["seconds"]] = round(clock - self._clock, 6)
        if joules is not None and self._joules is not None:
            took[FIELDS["joules"]] = round(joules - self._joules, 3)
        self._clock, self._joules = clock, joules
        return took


def tidy(text: str, *, label: str, about: str, cut: bool) -> str:
    """What any pipeline would do to a model's answer, and no more.

    Takes off the echo of the prompt's last words ("positive film review:") and quotation marks around the
    whole; a text that the token limit cut ends at its last full sentence, if it has one.
    """
    text = text.strip()
    echo = f"{label} {about}:"
    if text.casefold().startswith(echo.casefold()):
        text = text[len(echo) :].strip()
    if cut and (ends := [match.end() for match in _SENTENCE_END.finditer(text)]):
        text = text[: ends[-1]]
    if len(text) > 1 and text[0] == text[-1] == '"' and text.count('"') == 2:
        text = text[1:-1].strip()
    return text


def _line(
    row: PlannedRow, recipe: FewShotByLabel, completion: Completion, model: LanguageModel
) -> dict[str, Any]:
    text = tidy(completion.text, label=row.label, about=recipe.about, cut=completion.cut)
    return {
        "text": text,
        "label": row.label,
        **_lineage(row, model),
        "truncated": completion.cut,
        "tokens": completion.tokens,
        "created": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def _lineage(row: PlannedRow, model: LanguageModel) -> dict[str, Any]:
    """What is known of a row before it is written; also how a resumed run recognises its own rows."""
    return {
        "root": row.seed_rows[0],
        "seed_rows": list(row.seed_rows),
        "generator": model.name,
        "generator_sha256": model.sha256,
        "licence": model.licence,
        "recipe": NAME,
        "prompt_style": row.style,
        "temperature": row.request.temperature,
        "top_p": row.request.top_p,
        "max_tokens": row.request.max_tokens,
        "seed": row.request.seed,
    }


def _resume(out: Path, planned: list[PlannedRow], model: LanguageModel) -> int:
    """Drop a torn last line and return how many rows stand, all of them rows of this plan."""
    if not out.exists():
        return 0
    with out.open("r+b") as file:
        content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        file.truncate(len(whole))
    lines = whole.splitlines()
    if len(lines) > len(planned):
        raise InputError(
            f"holds {len(lines)} rows already, more than {len(planned)}",
            where=str(out),
            fix="Ask for more rows or choose another output file.",
        )
    for number, (line, row) in enumerate(zip(lines, planned, strict=False), start=1):
        if not _is_of_plan(line, {"label": row.label, **_lineage(row, model)}):
            raise InputError(
                "this row was made with other data, settings, model or seed",
                where=f"{out}, line {number}",
                fix="Choose another output file, or delete this one.",
            )
    return len(lines)


def _is_of_plan(line: bytes, expected: dict[str, Any]) -> bool:
    try:
        stands = json.loads(line)
    except ValueError:
        return False
    return isinstance(stands, dict) and all(stands.get(key) == value for key, value in expected.items())
