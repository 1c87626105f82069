"""Rows as the tokens of a pretrained model: its chat template, what is learned of a row, windows over long rows.

Where a learned part begins or ends there is always a token boundary, so each token belongs to one side. Marks of
the template that stand in the data itself are read as the plain characters they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from jinja2 import TemplateError

from assay.core.errors import InputError
from assay.models.learner import Part

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# The mark between documents in the training of many models, also where a chat model has another first token.
_BETWEEN = "<|endoftext|>"
# Templates that write today's date are given this one: the same rows must give the same tokens tomorrow.
_DATE = "01 Jan 2024"


class Encoded(NamedTuple):
    """A row as tokens.

    Attributes:
        ids: The row between marks of its begin and end, shape (tokens,). The first is never trained or scored.
        scored: Tokens of learned parts, shape (tokens,).
        trained: Those and the mark that ends each learned part, shape (tokens,).
    """

    ids: Ints
    scored: Bools
    trained: Bools


class Window(NamedTuple):
    """A stretch of a row that the model reads at once: tokens from `start` to before `stop`.

    Attributes:
        row: Place of the row.
        fresh: The first token that no earlier window has predicted.
    """

    row: int
    start: int
    stop: int
    fresh: int


class _Piece(NamedTuple):
    """A stretch of text; `data` where it is the user's own, not the template's."""

    text: str
    data: bool = True
    learned: bool = False


@dataclass(frozen=True)
class Encoder:
    """Turns rows into tokens and tokens back into text.

    Attributes:
        tokenizer: One of transformers' that knows where in the text a token lies.
    """

    tokenizer: Any
    _templates: dict[tuple[tuple[str, ...], bool], tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # What the tokenizer's file says about cutting and filling up does not hold here.
        self.tokenizer.backend_tokenizer.no_truncation()
        self.tokenizer.backend_tokenizer.no_padding()

    @cached_property
    def start(self) -> int:
        """The mark before a text."""
        for mark in (self._between, self.tokenizer.bos_token_id, self.tokenizer.eos_token_id):
            if mark is not None:
                return int(mark)
        raise InputError("the tokenizer has no mark for where a text begins or ends")

    @cached_property
    def end(self) -> int:
        """The mark after a text that is no chat."""
        for mark in (self._between, self.tokenizer.eos_token_id):
            if mark is not None:
                return int(mark)
        return self.start

    @cached_property
    def ends(self) -> list[int]:
        """The marks at which writing stops: those that end a text and the one that ends an answer in a chat."""
        found = {
            self.end,
            *([int(self.tokenizer.eos_token_id)] if self.tokenizer.eos_token_id is not None else []),
        }
        if self.tokenizer.chat_template:
            with suppress(InputError):  # a template that takes no such turns
                answer = self.encode((Part("", False, "user"), Part("", True, "assistant")))
                found |= set(answer.ids[answer.trained].tolist()) & set(self._marks)
        return sorted(found)

    @cached_property
    def _between(self) -> int | None:
        found = self.tokenizer.backend_tokenizer.token_to_id(_BETWEEN)
        return None if found is None else int(found)

    @cached_property
    def _marks(self) -> dict[int, str]:
        """The tokenizer's special tokens, which stand for no text."""
        added = self.tokenizer.added_tokens_decoder
        return {number: token.content for number, token in added.items() if token.special}

    def encode(self, row: Sequence[Part]) -> Encoded:
        """A whole row, to be trained or scored.

        Raises: InputError: the model's chat template does not take such turns.
        """
        pieces = self._pieces(row, answer=False)
        ids, owner = self._tokens(pieces)
        scored = np.array([piece.learned for piece in pieces], np.bool_)[owner]
        trained = scored.copy()
        for place in (place for place, piece in enumerate(pieces) if piece.learned):
            # After an answer, up to the mark with which the template ends a turn.
            closing = np.flatnonzero(owner == place + 1)
            marks = np.flatnonzero(np.isin(ids[closing], list(self._marks)))
            if len(marks) and not pieces[place + 1].data:
                trained[closing[: marks[0] + 1]] = True
        if pieces and pieces[-1].data:
            ids = np.append(ids, self.end)
            scored, trained = np.append(scored, False), np.append(trained, pieces[-1].learned)
        if not pieces or pieces[0].data:
            ids = np.append(self.start, ids)
            scored, trained = np.append(False, scored), np.append(False, trained)
        return Encoded(ids, scored, trained)

    def prompt(self, row: Sequence[Part]) -> Ints:
        """What the model reads before it writes: the turns and the opening of an answer."""
        pieces = self._pieces(row, answer=True)
        ids, _ = self._tokens(pieces)
        return np.append(self.start, ids) if not pieces or pieces[0].data else ids

    def text(self, ids: Sequence[int]) -> str:
        """The tokens' text, without marks."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def _pieces(self, row: Sequence[Part], *, answer: bool) -> list[_Piece]:
        """The parts as they are and, in a chat, the template's own stretches around them; `answer` opens one more."""
        if not any(part.role for part in row):
            return [_Piece(part.text, True, part.learned) for part in row]
        roles = tuple(part.role or ("assistant" if part.learned else "user") for part in row)
        if (roles, answer) not in self._templates:
            self._templates[roles, answer] = self._template(roles, answer)
        around = self._templates[roles, answer]
        pieces = [_Piece(around[0], data=False)]
        for part, after in zip(row, around[1:], strict=True):
            pieces += [_Piece(part.text, True, part.learned), _Piece(after, data=False)]
        # Stretches without text at either end leave it to the marks around a text.
        return pieces[not pieces[0].text : len(pieces) - (not pieces[-1].text)]

    def _template(self, roles: tuple[str, ...], answer: bool) -> tuple[str, ...]:
        """What the template writes before, between and after the contents of turns, one more than `roles`.

        It is shown stand-ins for the contents, so that no content can pass for a mark of the template.
        """
        if not self.tokenizer.chat_template:
            around = [f"{roles[0].capitalize()}: ", *(f"\n\n{role.capitalize()}: " for role in roles[1:])]
            return (*around, "\n\nAssistant: " if answer else "")
        stand_ins = [f"\ue000{place}\ue001" for place in range(len(roles))]
        turns = [{"role": role, "content": text} for role, text in zip(roles, stand_ins, strict=True)]
        order = ", ".join(roles)
        fix = "Leave such rows out, or take a base whose template takes them."
        try:
            written = self.tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=answer, date_string=_DATE
            )
        except (TemplateError, TypeError, ValueError) as error:
            raise InputError(f"the chat template does not take turns by {order}: {error}", fix=fix) from error
        around, rest = [], str(written)
        for text in stand_ins:
            before, found, rest = rest.partition(text)
            if not found:
                raise InputError(f"the chat template does not write all of turns by {order}", fix=fix)
            around.append(before)
        return (*around, rest)

    def _tokens(self, pieces: Sequence[_Piece]) -> tuple[Ints, Ints]:
        """Token numbers, and the piece that each token belongs to, both of shape (tokens,).

        The text is read as a whole, as a model would meet it, and cut only where a token would lie across the
        edge of a learned piece or where the data holds a mark.
        """
        edges = np.cumsum([0] + [len(piece.text) for piece in pieces])
        whole = "".join(piece.text for piece in pieces)
        cuts, wanted = {0, len(whole)}, set()
        for place, piece in enumerate(pieces):
            span = {int(edges[place]), int(edges[place + 1])}
            if piece.learned:
                wanted |= span
            if piece.data and any(mark in piece.text for mark in self._marks.values()):
                cuts |= span
        backend = self.tokenizer.backend_tokenizer
        while True:
            ids: list[int] = []
            last: list[int] = []  # where each token ends
            for low, high in pairwise(sorted(cuts)):
                place = int(np.searchsorted(edges, low, side="right")) - 1
                upto = int(np.searchsorted(edges, high, side="left"))
                backend.encode_special_tokens = all(piece.data for piece in pieces[place:upto])
                found = backend.encode(whole[low:high], add_special_tokens=False)
                backend.encode_special_tokens = False
                ids += found.ids
                last += [low + int(end) for _, end in found.offsets]
                if found.ids:
                    last[-1] = high
            missing = wanted - set(last) - cuts
            if not missing:
                break
            cuts |= missing
        stops = np.maximum.accumulate(np.array(last, np.int64)) if last else np.zeros(0, np.int64)
        owner = np.searchsorted(edges[1:], stops, side="left")
        return np.array(ids, np.int64), np.minimum(owner, max(len(pieces) - 1, 0)).astype(np.int64)


def windows(row: int, tokens: int, wanted: Bools | None, most: int) -> list[Window]:
    """Windows of at most `most` tokens that together predict every token of a row once.

    A later window begins half a window before its first fresh token, so that each token is predicted from half a
    window or more, unless the row itself has less. Windows in which nothing is wanted are left out.

    Args:
        row: Place of the row.
        tokens: How many it has.
        wanted: Tokens that are to be predicted, shape (tokens,); None keeps all windows.
    """
    found = []
    fresh = 1
    while True:
        start = 0 if fresh == 1 else max(0, fresh - most // 2)
        stop = min(tokens, start + most)
        if wanted is None or wanted[fresh:stop].any():
            found.append(Window(row, start, stop, fresh))
        if stop >= tokens:
            return found
        fresh = stop
