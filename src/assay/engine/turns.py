"""Chats: turns in one form, and what two conversations have in common."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from assay.engine.values import Unusable, kind, string

Turn = dict[str, str]

_SHAREGPT_ROLES = {"human": "user", "gpt": "assistant", "chatgpt": "assistant", "bot": "assistant"}
_CALLS = ("tool_calls", "function_call")
_CALL_PARTS = ("tool_use", "tool_call", "tool_result")
_AS_JSON = json.JSONEncoder(ensure_ascii=False, default=str)
# What stands before an answer in conversations that are written out as one text.
_SPEAKER = re.compile(
    r"(?:\A|\n)\W{0,8}(?:assistant|gpt|bot|ai|model|response|answer)\s?:|\[/INST\]"
    r"|<\|assistant\|>|<\|im_start\|>assistant|assistant<\|end_header_id\|>|<start_of_turn>model",
    re.IGNORECASE,
)


def turns(value: Any) -> list[Turn]:
    """Chat turns in one form, from {role, content} or {from, value}. Raises: Unusable: they are neither."""
    if not isinstance(value, list):
        raise Unusable(f"the turns are {kind(value)}, not a list")
    if not value:
        raise Unusable("no turns")
    return [_turn(turn) for turn in value]


def as_turns(value: Any, role: str) -> list[Turn]:
    """Turns, or a string as the one turn of `role`."""
    return turns(value) if isinstance(value, list) else [{"role": role, "content": string(value, role)}]


def is_plain(value: list[Any]) -> bool:
    """Whether turns hold nothing beyond role and text, so that `turns` keeps all of them."""
    return all(_is_plain(turn) for turn in value)


def render(messages: Sequence[Turn]) -> str:
    """The turns as a reader sees them, a line feed between them."""
    return "\n".join(turn["content"] for turn in messages)


def shared_turns(chosen: Sequence[Turn], rejected: Sequence[Turn]) -> int:
    """How many turns two conversations open with alike, leaving each at least its last one."""
    most = min(len(chosen), len(rejected)) - 1
    return next((at for at in range(most) if chosen[at] != rejected[at]), most)


def shared_text(chosen: str, rejected: str) -> int:
    """Length of the prompt that two texts open with alike.

    It ends behind the last speaker's name that both hold ("Assistant:"), since answers that begin with the
    same words are still answers; without one, before the space in front of the first word that differs.
    Either text keeps at least its last character.
    """
    alike = _common(chosen, rejected)
    named = [match.end() for match in _SPEAKER.finditer(chosen, 0, alike)]
    if named:
        return named[-1]
    return max(0, *(chosen.rfind(space, 1, alike) for space in " \n\t"))


def _common(one: str, other: str) -> int:
    """Length of the beginning that two texts share, short of the last character of either."""
    alike, end = 0, min(len(one), len(other)) - 1
    while alike < end:
        middle = (alike + end + 1) // 2
        if one[alike:middle] == other[alike:middle]:
            alike = middle
        else:
            end = middle - 1
    return alike


def _is_plain(turn: Any) -> bool:
    if not isinstance(turn, dict):
        return False
    if len(turn) > 2:
        turn = {key: held for key, held in turn.items() if held is not None}
    role, content = turn.get("role", turn.get("from")), turn.get("content", turn.get("value"))
    return len(turn) == 2 and isinstance(role, str) and isinstance(content, str)


def _turn(value: Any) -> Turn:
    if not isinstance(value, dict):
        raise Unusable(f"a turn is {kind(value)}, not an object")
    # A table gives every turn all fields that any turn has, so null is as good as absent.
    said_by, content = _either(value, "role", "from"), _either(value, "content", "value")
    if isinstance(said_by, str):
        role, content = _SHAREGPT_ROLES.get(said_by, said_by), _content(content)
        if len(value) > 2 or not content:
            calls = (_json(value[key]) for key in _CALLS if value.get(key))
            content = "\n".join(filter(None, (content, *calls)))
        return {"role": string(role, "role"), "content": content}
    raise Unusable("a turn names no role")


def _either(value: dict[str, Any], one: str, other: str) -> Any:
    first = value.get(one)
    return value.get(other) if first is None else first


def _content(value: Any) -> str:
    """Text of a turn: a string, null, an object as JSON, or a list of parts; what is no text is left to the row's extras."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return _json(value)
    if isinstance(value, list):
        return "\n".join(text for part in value if (text := _part(part)) is not None)
    return string(value, "content")


def _part(part: Any) -> str | None:
    if isinstance(part, str):
        return string(part, "content")
    if not isinstance(part, dict):
        raise Unusable(f"a part of the content is {kind(part)}, not an object")
    if part.get("type") in _CALL_PARTS:
        return _json(part)
    text = part.get("text")
    return None if text is None else string(text, "content")


def _json(value: Any) -> str:
    """An object as JSON text; of a table's columns, only the fields that are filled."""
    try:
        return string(_AS_JSON.encode(_filled(value)), "a tool call")
    except RecursionError:
        raise Unusable("a tool call nested too deeply") from None


def _filled(value: Any) -> Any:
    match value:
        case dict():
            return {key: _filled(held) for key, held in value.items() if held is not None}
        case list():
            return [_filled(held) for held in value]
        case _:
            return value
