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

Values = Mapping[str, Any]
Turn = dict[str, str]
Kin = Literal["column", "prompt", "row"]

TARGETS = ("text", "prompt", "response", "messages", "label", "root", "generation")

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

_SHAREGPT_ROLES = {"human": "user", "gpt": "assistant", "chatgpt": "assistant", "bot": "assistant"}
_AS_JSON = json.JSONEncoder(allow_nan=False, default=str)
_SLICE_VALUES = range(2, 21)
_SLICE_CHARACTERS = 64
_LABEL_CHARACTERS = 100
_ENOUGH_ROWS = 20


class Unusable(ValueError):
    """A row that lacks what its shape needs; the message is the reason it is set aside for."""


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
        columns: Part -> column. Parts are those of `TARGETS`, and ``input`` for Alpaca rows.
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
            case "prompt-completion":
                row = _pair_row(self._needed(values, "prompt"), self._needed(values, "response"))
            case _:
                row = Row(string(self._needed(values, "text"), "text"))
        columns = self.columns
        if "label" in columns:
            row.label = label(values.get(columns["label"]))
        if self.kin == "row":
            row.root = None
        elif "root" in columns and (root := values.get(columns["root"])) not in (None, ""):
            row.root = scalar(root)
        if "generation" in columns:
            row.generation = _whole_number(values.get(columns["generation"]))
        return row

    def extras(self, values: Values) -> str | None:
        """Every column that has no other place, as JSON."""
        placed = self.placed
        rest = {column: value for column, value in values.items() if column not in placed}
        if not rest:
            return None
        try:
            return _AS_JSON.encode(rest)
        except ValueError:
            return _AS_JSON.encode(_without_nan(rest))

    @cached_property
    def placed(self) -> frozenset[str]:
        """Columns whose values the corpus keeps as they are; of a root id it keeps only the hash."""
        return frozenset(column for part, column in self.columns.items() if part != "root").union(self.slices)

    def _needed(self, values: Values, part: str) -> Any:
        column = self.columns[part]
        try:
            value = values[column]
        except KeyError:
            raise Unusable(f"no column {column!r}") from None
        if value is None:
            raise Unusable(f"{column!r} is null")
        return value

    def _alpaca_row(self, values: Values) -> Row:
        prompt = string(self._needed(values, "prompt"), "instruction")
        if extra := values.get(self.columns["input"]):
            prompt = f"{prompt}\n{string(extra, 'input')}"
        return _pair_row(prompt, self._needed(values, "response"))


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
    columns = list(dict.fromkeys(column for row in rows for column in row))
    if lenient and slices is not None:
        slices = [column for column in slices if column in columns]
    _check_names(mapping, slices or (), columns, where)
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


def turns(value: Any) -> list[Turn]:
    """Chat turns in one form, from {role, content} or {from, value}. Raises: Unusable: they are neither."""
    if not isinstance(value, list):
        raise Unusable(f"the turns are {_kind(value)}, not a list")
    if not value:
        raise Unusable("no turns")
    return [_turn(turn) for turn in value]


def string(value: Any, part: str) -> str:
    """`value` if it is text that UTF-8 can hold. Raises: Unusable: it is not."""
    if not isinstance(value, str):
        raise Unusable(f"{part} is {_kind(value)}, not a string")
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise Unusable(f"{part} holds a lone surrogate or invalid UTF-8") from None
    return value


def scalar(value: Any) -> str | None:
    """A plain value as text, so that 1, 1.0 and "1" are the same; None for null, NaN and nested values."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return None if math.isnan(value) else str(int(value)) if value.is_integer() else repr(value)
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case _:
            return None


def label(value: Any) -> str | None:
    """A class name, or None where there is none (null, NaN, an empty field, a nested value).

    Tables written with missing labels hold "1.0" where others hold 1; both are the class "1".
    """
    text = (scalar(value) or "").strip()
    if text in ("", "nan", "NaN"):
        return None
    if text.endswith(".0") and (whole := text[:-2]).lstrip("-").isdecimal():
        return whole
    return text


def _candidates(
    columns: Sequence[str], mapping: Mapping[str, str], rows: Sequence[Values]
) -> Iterator[Layout]:
    """Every layout the column names allow, with how usual the names are as its confidence."""

    def pick(part: str, names: Sequence[str]) -> str | None:
        return mapping.get(part) or _first(names, columns)

    classes = [column for column in columns if _may_be_label(column, rows)]
    common = {"label": mapping.get("label") or _first(LABEL, classes), "root": pick("root", ROOT)}
    common["generation"] = pick("generation", ("generation",))

    def layout(shape: Shape, sureness: float, **parts: str) -> Layout:
        used = set(parts.values())
        rest = {part: column for part, column in common.items() if column and column not in used}
        return Layout(shape=shape, confidence=sureness, columns=parts | rest)

    said = set(mapping).intersection(("text", "prompt", "response", "messages"))
    chat, text = pick("messages", CHAT_COLUMNS), pick("text", TEXT)
    prompt, response = pick("prompt", PROMPT), pick("response", RESPONSE)
    if chat and said <= {"messages"}:
        yield layout(_chat_shape(chat, rows), 1.0, messages=chat)
    instruction, extra, output = (_first((name,), columns) for name in ("instruction", "input", "output"))
    if instruction and extra and output and not said:
        yield layout("alpaca", 1.0, prompt=instruction, input=extra, response=output)
    if prompt and response and prompt != response and said <= {"prompt", "response"}:
        usual = {prompt.lower(), response.lower()} <= {"prompt", "completion", "response"}
        yield layout("prompt-completion", 1.0 if usual or said else 0.9, prompt=prompt, response=response)
    if text and said <= {"text"}:
        yield _text_layout(layout("text", 1.0 if text.lower() == "text" or said else 0.9, text=text))
    elif not said and (only := _only_string_column(columns, common.values(), rows)):
        yield _text_layout(layout("text", 0.5, text=only))


def _may_be_label(column: str, rows: Sequence[Values]) -> bool:
    """Whether the values look like classes: short, and not nearly every one different."""
    seen = [value for row in rows if (value := label(row.get(column))) is not None]
    is_short = all(len(value) <= _LABEL_CHARACTERS for value in seen)
    return is_short and (len(seen) < _ENOUGH_ROWS or len(set(seen)) <= 0.9 * len(seen))


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
        value = row.get(column)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return "sharegpt" if "from" in value[0] else "messages"
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
            and len(counts) in _SLICE_VALUES
            and min(counts.values()) > 1
            and 2 * unknown < len(rows)
            and all(value is not None and 0 < len(value) <= _SLICE_CHARACTERS for value in counts)
        ):
            yield column


def _check_names(
    mapping: Mapping[str, str], slices: Sequence[str], columns: Sequence[str], where: str
) -> None:
    for part in mapping:
        if part not in TARGETS:
            raise InputError(f"cannot map to {part!r}", fix=f"Choose one of: {', '.join(TARGETS)}.")
    for column in (*mapping.values(), *slices):
        if column not in columns:
            raise InputError(
                f"no column {column!r}",
                where=where,
                fix=f"The columns are: {', '.join(map(repr, columns))}.",
            )


def _pair_row(prompt: Any, response: Any) -> Row:
    """A prompt and its response, each a string or a list of turns."""
    if not isinstance(prompt, list) and not isinstance(response, list):
        asked, answered, messages = string(prompt, "prompt"), string(response, "response"), None
    else:
        before, after = _as_turns(prompt, "user"), _as_turns(response, "assistant")
        asked, answered, messages = _render(before), _render(after), before + after
    return Row(f"{asked}\n{answered}", asked, answered, messages=messages, root=asked)


def _as_turns(value: Any, role: str) -> list[Turn]:
    return turns(value) if isinstance(value, list) else [{"role": role, "content": string(value, "prompt")}]


def _chat_row(messages: list[Turn]) -> Row:
    """A conversation; when the assistant has the last word, that word is the response to all before it."""
    row = Row(_render(messages), messages=messages)
    if len(messages) > 1 and messages[-1]["role"] == "assistant":
        row.prompt, row.response = _render(messages[:-1]), messages[-1]["content"]
    # Conversations that open with the same question are kin, whatever follows.
    row.root = next((turn["content"] for turn in messages if turn["role"] == "user"), None)
    return row


def _render(messages: Sequence[Turn]) -> str:
    return "\n".join(turn["content"] for turn in messages)


def _turn(value: Any) -> Turn:
    if not isinstance(value, dict):
        raise Unusable(f"a turn is {_kind(value)}, not an object")
    if isinstance(said_by := value.get("role", value.get("from")), str):
        role = _SHAREGPT_ROLES.get(said_by, said_by)
        return {"role": string(role, "role"), "content": _content(value.get("content", value.get("value")))}
    raise Unusable("a turn names no role")


def _content(value: Any) -> str:
    """Text of a turn: a string, null (a tool call says nothing), or a list of parts of which some are text."""
    if value is None:
        return ""
    if isinstance(value, list):
        parts = [part.get("text") for part in value if isinstance(part, dict)]
        return "\n".join(string(part, "content") for part in parts if part is not None)
    return string(value, "content")


def _whole_number(value: Any) -> int | None:
    text = label(value)
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None


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


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "NaN" if value != value else "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return type(value).__name__
