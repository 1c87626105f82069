"""What the columns of a file mean: its shape, guessed from the first rows, and rows read by that guess."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from assay.core.corpus import Shape
from assay.core.errors import InputError
from assay.engine.formats.json_rows import CHAT_COLUMNS
from assay.engine.turns import Turn, as_turns, is_plain, render, shared_text, shared_turns, turns
from assay.engine.values import (
    Unusable,
    Values,
    is_absent,
    is_text,
    kind,
    label,
    look_up,
    moment,
    scalar,
    string,
    truth,
    whole_number,
)

Kin = Literal["column", "prompt", "row"]

TARGETS = (
    *("text", "prompt", "response", "chosen", "rejected", "steps", "step_labels", "messages"),
    *("label", "root", "generation", "batch", "time"),
)

# Column names by what they usually hold, the plainest first; compared without case.
TEXT = (
    *("text", "content", "body", "review", "sentence", "document", "passage", "article", "utterance"),
    *("tweet", "comment", "post", "story", "abstract", "full_text", "review_text"),
)
LABEL = (
    *("label", "label_text", "label_name", "category", "intent", "sentiment", "class", "emotion"),
    *("topic", "target"),
)
PROMPT = ("prompt", "question", "instruction", "input", "query")
RESPONSE = ("completion", "response", "answer", "output", "reply")
ROOT = (
    *("root", "root_id", "doc_id", "document_id", "source_id", "prompt_id", "conversation_id"),
    *("seed_row", "seed_id"),
)
BATCH = ("batch", "batch_id", "round", "iteration")
OURS = "assay_"  # begins the columns that `assay curate` adds: where a row is from, which divides nothing
TIME = ("date", "time", "timestamp", "created_at", "published", "published_at", "year")

# Parts of which the corpus keeps less than the column holds, so that the column is kept along as well.
_KEPT_ALONG = ("root", "step_labels", "generation", "time")
_LISTS = ("messages", "prompt", "response", "chosen", "rejected", "steps")
_AS_JSON = json.JSONEncoder(allow_nan=False, default=str)
_SLICE_VALUES = range(2, 21)
_SLICE_CHARACTERS = 64
_LABEL_CHARACTERS = 100
_ENOUGH_ROWS = 20


@dataclass(slots=True)
class Row:
    """One row as the corpus has it. `root` is None when nothing in the row says whose kin it is."""

    text: str
    prompt: str | None = None
    response: str | None = None
    rejected: str | None = None
    messages: list[Turn] | None = None
    label: str | None = None
    root: str | None = None
    generation: int | None = None
    batch: str | None = None
    time: datetime | None = None


class Layout(BaseModel):
    """What was found: the shape, which column plays which part, and how sure that is.

    Attributes:
        confidence: Share of the first rows that have this shape, less where column names are unusual.
        columns: Part -> column. Parts are those of `TARGETS`, and ``input`` for Alpaca rows. A field within an
            object is named with a dot: ``meta.source``.
        slices: Columns that divide the rows into a few groups.
        kin: What rows of one root share: a column of root ids, their prompt, or nothing (every row is alone).
    """

    model_config = ConfigDict(frozen=True)

    shape: Shape
    confidence: float
    columns: dict[str, str]
    slices: tuple[str, ...] = ()
    kin: Kin = "row"

    def row(self, values: Values) -> Row:
        """The row that `values` hold. Raises: Unusable: a needed column is absent or of another type."""
        match self.shape:
            case "messages" | "sharegpt":
                row = _chat_row(turns(self._needed(values, "messages")))
            case "alpaca":
                row = self._alpaca_row(values)
            case "prompt-completion" | "kto":
                row = _pair_row(self._needed(values, "prompt"), self._needed(values, "response"))
            case "preference":
                row = self._preference_row(values)
            case "stepwise":
                row = self._stepwise_row(values)
            case _:
                row = Row(string(self._needed(values, "text"), "text"))
        columns = self.columns
        if "label" in columns:
            row.label = self._label(values)
        if self.kin == "row":
            row.root = None
        elif "root" in columns and (root := self._said(values, "root")) not in (None, ""):
            row.root = scalar(root)
        if "generation" in columns:
            row.generation = whole_number(self._said(values, "generation"))
        if "batch" in columns:
            row.batch = label(self._said(values, "batch"))
        if "time" in columns:
            row.time = moment(self._said(values, "time"))
        return row

    def extras(self, values: Values) -> str | None:
        """Everything that has no other place, as JSON. Raises: Unusable: it is nested too deeply."""
        placed = self.placed
        rest = {
            column: value
            for column, value in values.items()
            if column not in placed or (isinstance(value, list | dict) and not self._is_whole(column, values))
        }
        if not rest:
            return None
        try:
            try:
                return _AS_JSON.encode(rest)
            except ValueError:
                return _AS_JSON.encode(_without_nan(rest))
        except RecursionError:
            raise Unusable("values nested too deeply") from None

    def strays(self, values: Values, row: Row) -> Iterator[str]:
        """What the user should know of a row that can be used, such as that it has no label."""
        if row.label is None and "label" in self.columns:
            yield "row without a label"
        if row.time is None and "time" in self.columns and not is_absent(self._said(values, "time")):
            yield "row with a time that cannot be read"

    @cached_property
    def placed(self) -> frozenset[str]:
        """Columns whose values the corpus keeps as they are; of a root id it keeps only the hash."""
        parts = (column for part, column in self.columns.items() if part not in _KEPT_ALONG)
        return frozenset(parts).union(self.slices)

    def _said(self, values: Values, part: str) -> Any:
        return look_up(values, self.columns[part])

    def _needed(self, values: Values, part: str) -> Any:
        column = self.columns[part]
        value = look_up(values, column)
        if value is None:
            raise Unusable(f"{column!r} is null" if column in values else f"no column {column!r}")
        return value

    def _is_whole(self, column: str, values: Values) -> bool:
        """Whether the row holds all of a nested value: plain turns, without ids or images, or steps."""
        value, columns = values[column], self.columns
        if not isinstance(value, list) or column not in (columns.get(part) for part in _LISTS):
            return False
        if column == columns.get("steps"):
            return not any("\n" in step for step in value)
        if column == columns.get("rejected"):
            # Only the text of the answer is kept, so it must be one turn, below the prompt that both share.
            chosen = look_up(values, columns["chosen"])
            below = (
                isinstance(chosen, list)
                and len(chosen) >= len(value)
                and chosen[: len(value) - 1] == value[:-1]
            )
            return is_plain(value) and (len(value) == 1 or below)
        return is_plain(value)

    def _label(self, values: Values) -> str | None:
        value = self._said(values, "label")
        if self.shape == "kto" and (said := truth(value)) is not None:
            return scalar(said)
        return label(value)

    def _alpaca_row(self, values: Values) -> Row:
        prompt = string(self._needed(values, "prompt"), "instruction")
        if extra := values.get(self.columns["input"]):
            prompt = f"{prompt}\n{string(extra, 'input')}"
        return _pair_row(prompt, self._needed(values, "response"))

    def _preference_row(self, values: Values) -> Row:
        chosen, rejected = self._needed(values, "chosen"), self._needed(values, "rejected")
        prompt = self._needed(values, "prompt") if "prompt" in self.columns else None
        if isinstance(chosen, list) or isinstance(rejected, list):
            return _preferred_turns(prompt, as_turns(chosen, "assistant"), as_turns(rejected, "assistant"))
        chosen, rejected = string(chosen, "chosen"), string(rejected, "rejected")
        if prompt is not None:
            row = _pair_row(prompt, chosen)
            row.rejected = rejected
            return row
        shared = shared_text(chosen, rejected)
        asked = chosen[:shared] or None
        return Row(chosen, asked, chosen[shared:], rejected[shared:], root=asked)

    def _stepwise_row(self, values: Values) -> Row:
        steps, right = self._needed(values, "steps"), self._needed(values, "step_labels")
        if not isinstance(steps, list) or not steps:
            raise Unusable(f"the steps are {kind(steps) if steps != [] else 'none'}, not a list")
        if not isinstance(right, list) or len(right) != len(steps):
            raise Unusable(f"{len(steps)} steps, and labels that are not as many")
        if not all(isinstance(each, bool) for each in right):
            raise Unusable("a label of a step is neither true nor false")
        row = _pair_row(self._needed(values, "prompt"), "\n".join(string(step, "a step") for step in steps))
        # One wrong step makes the whole wrong.
        row.label = scalar(all(right))
        return row


def sniff(
    rows: Sequence[Values],
    *,
    mapping: Mapping[str, str],
    slices: Sequence[str] | None,
    where: str,
    lenient: bool = False,
) -> Layout:
    """The layout that fits most of the first `rows`.

    Args:
        mapping: Part -> column, as the user named them; overrides every guess.
        slices: Slice columns, or None to find them.
        where: What the error names.
        lenient: Pass over named slice columns that are absent instead of raising.

    Raises: InputError: a named column is absent, a mapped part unknown, or no shape is recognised.
    """
    # A name that no file can hold is kept along with its values, and plays no part.
    columns = [
        column for column in dict.fromkeys(column for row in rows for column in row) if is_text(column)
    ]
    if lenient and slices is not None:
        slices = [name for name in slices if _is_there(name, rows)]
    _check_names(mapping, slices or (), rows, where)
    candidates = list(_candidates(columns, mapping, rows))
    if not candidates:
        raise InputError(
            f"no known row shape among the columns: {', '.join(map(repr, columns))}",
            where=where,
            fix="Say which column is which, for example --map text=COLUMN, or --map prompt=A --map response=B.",
        )
    fitted = [_with_fit(candidate, rows) for candidate in candidates]
    best = max(fitted, key=lambda layout: layout.confidence)  # ties: the more structured shape, listed first
    found = tuple(slices) if slices is not None else tuple(_groupings(best, columns, rows))
    return best.model_copy(update={"slices": found, "kin": _kin(best, rows)})


def _candidates(
    columns: Sequence[str], mapping: Mapping[str, str], rows: Sequence[Values]
) -> Iterator[Layout]:
    """Every layout the column names allow, with how usual the names are as its confidence."""

    def pick(part: str, names: Sequence[str]) -> str | None:
        return mapping.get(part) or _first(names, columns)

    classes = [column for column in columns if _may_be_label(column, rows)]
    times = [column for column in columns if _may_be_time(column, rows)]
    common = {"label": mapping.get("label") or _first(LABEL, classes), "root": pick("root", ROOT)}
    common["generation"] = pick("generation", ("generation",))
    common["batch"] = pick("batch", BATCH)
    common["time"] = mapping.get("time") or _first(TIME, times)

    def layout(shape: Shape, sureness: float, **parts: str) -> Layout:
        used = set(parts.values())
        rest = {part: column for part, column in common.items() if column and column not in used}
        return Layout(shape=shape, confidence=sureness, columns=parts | rest)

    said = set(mapping).difference(("label", "root", "generation", "batch", "time"))
    chat, text = pick("messages", CHAT_COLUMNS), pick("text", TEXT)
    prompt, response = pick("prompt", PROMPT), pick("response", RESPONSE)
    chosen, rejected = pick("chosen", ("chosen",)), pick("rejected", ("rejected",))
    steps, right = pick("steps", ("completions", "steps")), pick("step_labels", ("labels",))
    if chosen and rejected and said <= {"prompt", "chosen", "rejected"}:
        asked = {"prompt": prompt} if prompt else {}
        yield layout("preference", 1.0, **asked, chosen=chosen, rejected=rejected)
    if prompt and steps and right and said <= {"prompt", "steps", "step_labels"}:
        yield layout("stepwise", 1.0, prompt=prompt, steps=steps, step_labels=right)
    if chat and said <= {"messages"}:
        yield layout(_chat_shape(chat, rows), 1.0, messages=chat)
    instruction, extra, output = (_first((name,), columns) for name in ("instruction", "input", "output"))
    if instruction and extra and output and not said:
        yield layout("alpaca", 1.0, prompt=instruction, input=extra, response=output)
    if prompt and response and prompt != response and said <= {"prompt", "response"}:
        usual = {prompt.lower(), response.lower()} <= {"prompt", "completion", "response"}
        pair = layout("prompt-completion", 1.0 if usual or said else 0.9, prompt=prompt, response=response)
        yield pair.model_copy(update={"shape": "kto"}) if _is_judged(pair, rows) else pair
    if text and said <= {"text"}:
        yield _text_layout(layout("text", 1.0 if text.lower() == "text" or said else 0.9, text=text))
    elif not said and (only := _only_string_column(columns, common.values(), rows)):
        yield _text_layout(layout("text", 0.5, text=only))


def _is_judged(pair: Layout, rows: Sequence[Values]) -> bool:
    """Whether each answer comes with a true or false, as Kahneman-Tversky optimisation wants it."""
    said = [look_up(row, pair.columns["label"]) for row in rows] if "label" in pair.columns else []
    judged = [truth(value) for value in said if not is_absent(value)]
    return bool(judged) and None not in judged


def _may_be_label(column: str, rows: Sequence[Values]) -> bool:
    """Whether the values look like classes: short, and not nearly every one different."""
    seen = [value for row in rows if (value := label(row.get(column))) is not None]
    is_short = all(len(value) <= _LABEL_CHARACTERS for value in seen)
    return is_short and (len(seen) < _ENOUGH_ROWS or len(set(seen)) <= 0.9 * len(seen))


def _may_be_time(column: str, rows: Sequence[Values]) -> bool:
    """Whether at least half of the values name a time."""
    if column.strip().lower() not in TIME:
        return False
    seen = [moment(value) for row in rows if not is_absent(value := row.get(column))]
    return bool(seen) and 2 * seen.count(None) <= len(seen)


def _text_layout(layout: Layout) -> Layout:
    return layout.model_copy(update={"shape": "text-label" if "label" in layout.columns else "text"})


def _with_fit(layout: Layout, rows: Sequence[Values]) -> Layout:
    fit = sum(_fits(layout, row) for row in rows) / len(rows)
    return layout.model_copy(update={"confidence": round(layout.confidence * fit, 3)})


def _fits(layout: Layout, values: Values) -> bool:
    try:
        layout.row(values)
    except Unusable:
        return False
    return True


def _kin(layout: Layout, rows: Sequence[Values]) -> Kin:
    if "root" in layout.columns:
        return "column"
    if layout.shape in ("text", "text-label"):
        return "row"
    by_prompt = layout.model_copy(update={"kin": "prompt"})
    prompts = {by_prompt.row(row).root for row in rows if _fits(layout, row)}
    # One instruction above every row makes no kin; taken for a root it would leave nothing to split.
    return "row" if len(prompts) == 1 and len(rows) >= _ENOUGH_ROWS else "prompt"


def _chat_shape(column: str, rows: Sequence[Values]) -> Shape:
    for row in rows:
        value = look_up(row, column)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return "sharegpt" if value[0].get("from") is not None else "messages"
    return "messages"


def _first(names: Sequence[str], columns: Sequence[str]) -> str | None:
    by_name = {column.strip().lower(): column for column in reversed(columns)}
    return next((by_name[name] for name in names if name in by_name), None)


def _only_string_column(
    columns: Sequence[str], taken: Iterable[str | None], rows: Sequence[Values]
) -> str | None:
    used = set(taken)
    texts = [c for c in columns if c not in used and any(isinstance(row.get(c), str) for row in rows)]
    return texts[0] if len(texts) == 1 else None


def _groupings(layout: Layout, columns: Sequence[str], rows: Sequence[Values]) -> Iterator[str]:
    """Columns with 2 to 20 short values, each seen more than once."""
    used = set(layout.columns.values())
    for column in columns:
        counts = Counter(map(scalar, (row.get(column) for row in rows)))
        # Nulls and nested values are None: a group may be unknown for some rows, not for most.
        unknown = counts.pop(None, 0)
        if (
            column not in used
            and column.lower() not in ROOT
            and not column.startswith(OURS)
            and len(counts) in _SLICE_VALUES
            and min(counts.values()) > 1
            and 2 * unknown < len(rows)
            and all(value is not None and 0 < len(value) <= _SLICE_CHARACTERS for value in counts)
        ):
            yield column


def _check_names(
    mapping: Mapping[str, str], slices: Sequence[str], rows: Sequence[Values], where: str
) -> None:
    for part in mapping:
        if part not in TARGETS:
            raise InputError(f"cannot map to {part!r}", fix=f"Choose one of: {', '.join(TARGETS)}.")
    for name in (*mapping.values(), *slices):
        if not _is_there(name, rows):
            known = dict.fromkeys(known for row in rows for known in _names(row))
            raise InputError(
                f"no column {name!r}", where=where, fix=f"The columns are: {', '.join(map(repr, known))}."
            )


def _is_there(name: str, rows: Sequence[Values]) -> bool:
    return any(name in row or look_up(row, name) is not None for row in rows)


def _names(row: Values) -> Iterator[str]:
    """What can be named in a row: its columns, and the fields of those that hold objects."""
    for column, value in row.items():
        yield column
        if isinstance(value, dict):
            yield from (f"{column}.{field}" for field in value)


def _pair_row(prompt: Any, response: Any) -> Row:
    """A prompt and its response, each a string or a list of turns."""
    if not isinstance(prompt, list) and not isinstance(response, list):
        asked, answered, messages = string(prompt, "prompt"), string(response, "response"), None
    else:
        before, after = as_turns(prompt, "user"), as_turns(response, "assistant")
        asked, answered, messages = render(before), render(after), before + after
    return Row(f"{asked}\n{answered}", asked, answered, messages=messages, root=asked)


def _preferred_turns(prompt: Any, chosen: list[Turn], rejected: list[Turn]) -> Row:
    """A preference pair of turns: the turns it opens with alike belong to the prompt, whether that is given or not."""
    given = [] if prompt is None else as_turns(prompt, "user")
    shared = shared_turns(chosen, rejected)
    before = chosen[:shared]
    if render(given) not in render(before):
        before = given + before
    asked = render(before) if before else None
    answered = render(chosen[shared:])
    text = answered if asked is None else f"{asked}\n{answered}"
    messages = before + chosen[shared:]
    return Row(text, asked, answered, render(rejected[shared:]), messages=messages, root=asked)


def _chat_row(messages: list[Turn]) -> Row:
    """A conversation; when the assistant has the last word, that word is the response to all before it."""
    row = Row(render(messages), messages=messages)
    if len(messages) > 1 and messages[-1]["role"] == "assistant":
        row.prompt, row.response = render(messages[:-1]), messages[-1]["content"]
    # Conversations that open with the same question are kin, whatever follows.
    row.root = next((turn["content"] for turn in messages if turn["role"] == "user"), None)
    return row


def _without_nan(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {key: _without_nan(element) for key, element in value.items()}
        case list():
            return [_without_nan(element) for element in value]
        case _:
            return value
