"""How likely given texts are to a model that is asked and not trained: a service, or a base as it is.

Services differ in what they offer. Some give back every token of a prompt with its chance (vLLM, and what follows the
older completions protocol: `echo`). llama.cpp's server takes the same question and silently answers another one; it is
asked for one token after the other instead, each being forced, with the chance that it had. What offers neither is an error.
"""

from __future__ import annotations

import urllib.error
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import numpy as np

from assay.core.errors import EngineError, InputError
from assay.core.progress import Progress, silent
from assay.models.endpoint import RemoteModel, in_order, open_model
from assay.models.learner import Examples, Part, Scored

# Services score no token that has nothing before it, so a text without context is read after an empty line.
_BEFORE = "\n"
_PROBE = "\nOne, two, three, four, five,"
_FIX = (
    "Ask a service that scores given texts, such as vLLM or llama.cpp's server, or a model on this machine."
)
_NOT_OFFERED = {400, 404, 405, 415, 422, 501}
_FORCE = 100.0  # the protocol's largest bias
_ROUNDING = 0.2  # nats by which one chance may differ between two requests that are computed in other batches
_Asked = TypeVar("_Asked")
Span = tuple[str, str]


class Scorer(Protocol):
    """A model that scores items; also what `learner.Fitted` offers, of one arm."""

    def score(self, items: Examples) -> Scored:
        """Minus the bits of the learned parts of each item, as `gain` of shape (1, items)."""
        ...


def open_scorer(
    model: str, *, in_flight: int = 16, device: str = "auto", progress: Progress = silent
) -> Scorer:
    """The model called `model`, to ask how likely texts are.

    Args:
        model: A service and the name of the model it should run, ``http://127.0.0.1:8000/v1#name``; else as
            `pretrained.open_base`: ``smollm2``, a folder with safetensors, the path of a GGUF file, or ``hf://...``.
        in_flight: Requests to a service that run at the same time.
        device: Of a model on this machine.
        progress: Told of the texts that a service has scored.

    Raises: InputError, MissingExtra, EngineError: as `endpoint.open_model` and `pretrained.open_base`.
    """
    if model.startswith(("http://", "https://")):
        service = open_model(model, in_flight=in_flight)
        assert isinstance(service, RemoteModel)
        return RemoteScorer(service, progress)
    from assay.models.finetune import Finetune

    nothing = np.zeros((1, 0), np.float32)
    return next(Finetune(base=model, device=device).read(Examples(())).fit(nothing, np.zeros(1, np.int64)))


@dataclass(frozen=True)
class RemoteScorer:
    """A service that is asked how likely plain texts are.

    What a part adds is what the text up to its end has more than the text up to its beginning, each as the service cuts
    it into tokens; so a token that lies across belongs to the part. A text with nothing before it is read after an
    empty line. Numbers therefore differ a little from those of a model opened here, which reads the same text after its
    own mark of a beginning.
    """

    service: RemoteModel
    progress: Progress = silent

    def score(self, items: Examples) -> Scored:
        """See `Scorer`.

        Raises:
            InputError: items are turns of a chat, which a service would see in another form than it was trained on.
            EngineError: the service is out of reach, refuses a text (one longer than its context, for example), or
                does not say how likely given texts are.
        """
        rows = [_spans(row, place) for place, row in enumerate(items.parts)]
        asked = list(dict.fromkeys(span for row in rows for span in row))
        nats = dict(zip(asked, self._nats(asked), strict=True))
        gain = np.array([sum(nats[span] for span in row) for row in rows]) / np.log(2)
        return Scored(gain.astype(np.float32)[None])

    def _nats(self, spans: Sequence[Span]) -> list[float]:
        """Log-likelihood that each second text adds to the first, of which it is a continuation."""
        if _echoes(self.service):
            texts = list(dict.fromkeys(text for span in spans for text in span))
            sums = dict(zip(texts, self._told(partial(_sum, self.service), texts), strict=True))
            return [sums[end] - sums[start] for start, end in spans]
        _check_forcing(self.service)
        return self._told(partial(_added, self.service), spans)

    def _told(self, ask: Callable[[_Asked], float], asked: Sequence[_Asked]) -> list[float]:
        found = []
        for nats in in_order(ask, asked, self.service.in_flight):
            found.append(nats)
            self.progress("likelihoods", len(found), len(asked), "texts")
        return found


def offers(service: RemoteModel) -> bool:
    """Whether the service says how likely given texts are. Raises: EngineError: it is out of reach."""
    if _echoes(service):
        return True
    try:
        _check_forcing(service)
    except EngineError as error:
        if isinstance(error.__cause__, OSError):
            raise
        return False
    return True


def _spans(row: Sequence[Part], place: int) -> list[Span]:
    """For each learned part the text before it and the text with it."""
    if any(part.role for part in row):
        raise InputError(
            "a service scores plain texts, and this is a chat",
            where=f"row {place}",
            fix="Open the model on this machine, by its folder.",
        )
    before = "" if row and not row[0].learned and row[0].text else _BEFORE
    found = []
    for part in row:
        after = before + part.text
        if part.learned and part.text:
            found.append((before, after))
        before = after
    return found


def _echoes(service: RemoteModel) -> bool:
    """Whether the service gives back the chances of what it is given."""
    try:
        chances, tokens = _echo(service, _PROBE)
    except EngineError as error:
        if _refused(error):
            return False
        raise
    return (
        len(chances) >= tokens > 1
    )  # one that ignores `echo` gives the chance of the one token that it wrote


def _echo(service: RemoteModel, text: str) -> tuple[list[float | None], int]:
    """Log chances, None where there is none, and how many tokens the text has."""
    body = {"prompt": text, "max_tokens": 1, "temperature": 0, "echo": True, "logprobs": 1}
    answer = service.post(f"{service.url}/completions", body)
    try:
        found = answer["choices"][0].get("logprobs") or {}
        return found.get("token_logprobs") or [], int(answer["usage"]["prompt_tokens"])
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise _unreadable(service, answer) from error


def _sum(service: RemoteModel, text: str) -> float:
    """Log-likelihood of all tokens that have one before them."""
    chances, tokens = _echo(service, text)
    first, *others = chances[:tokens]
    if len(chances) < tokens or any(chance is None for chance in others):
        raise EngineError(f"the service gave no chances for {text[:60]!r}", where=service.url, fix=_FIX)
    return (first or 0.0) + sum(chance for chance in others if chance is not None)


def _added(service: RemoteModel, span: Span) -> float:
    """Log-likelihood that the second text adds to the first, token by token from where they part."""
    start, end = (_tokens(service, text) for text in span)
    shared = next(
        (k for k, (one, other) in enumerate(zip(start, end, strict=False)) if one != other), len(start)
    )

    def chain(tokens: Sequence[int]) -> float:
        return sum(_forced(service, tokens[:k], tokens[k]) for k in range(max(1, shared), len(tokens)))

    return chain(end) - chain(start)


def _tokens(service: RemoteModel, text: str) -> list[int]:
    """As llama.cpp's server cuts the text."""
    answer = service.post(
        f"{service.url.removesuffix('/v1')}/tokenize", {"content": text, "add_special": True}
    )
    try:
        return [int(token) for token in answer["tokens"]]
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(service, answer) from error


def _forced(service: RemoteModel, before: Sequence[int], token: int) -> float:
    """Log chance of `token` after others."""
    chosen, chance = _next(service, before, {"logit_bias": {str(token): _FORCE}})[0]
    if chosen != token:
        raise EngineError(
            f"the service wrote token {chosen} and not {token}, as it was told", where=service.url
        )
    return chance


def _next(service: RemoteModel, before: Sequence[int], more: dict[str, Any]) -> list[tuple[int, float]]:
    """The token that the service writes after others and its log chance; then the likeliest ones."""
    body = {"prompt": list(before), "max_tokens": 1, "temperature": 0, "logprobs": 2, **more}
    answer = service.post(f"{service.url}/completions", body)
    try:
        one = answer["choices"][0]["logprobs"]["content"][0]
        return [(int(each["id"]), float(each["logprob"])) for each in (one, *one["top_logprobs"])]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise _unreadable(service, answer) from error


def _check_forcing(service: RemoteModel) -> None:
    """The chance of a forced token must be the one that it had, not the certainty that was made of it."""
    try:
        before = _tokens(service, _PROBE)
        runner_up, chance = _next(service, before, {})[-1]
        forced = _forced(service, before, runner_up)
    except EngineError as error:
        if isinstance(error.__cause__, OSError) and not _refused(
            error
        ):  # out of reach, no key, too much asked
            raise
        raise _not_offered(service) from error
    if abs(forced - chance) > _ROUNDING:
        raise _not_offered(service)


def _refused(error: EngineError) -> bool:
    return isinstance(error.__cause__, urllib.error.HTTPError) and error.__cause__.code in _NOT_OFFERED


def _not_offered(service: RemoteModel) -> EngineError:
    return EngineError("the service does not say how likely given texts are", where=service.url, fix=_FIX)


def _unreadable(service: RemoteModel, answer: Any) -> EngineError:
    return EngineError(f"not an answer about chances: {str(answer)[:300]}", where=service.url)
