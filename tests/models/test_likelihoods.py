"""How likely given texts are, asked of stand-ins that answer as vLLM and as llama.cpp's server do."""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from assay.core.errors import EngineError, InputError
from assay.engine.pairs import Item, PairSet
from assay.models.learner import Examples, Part
from assay.models.likelihoods import open_scorer
from assay.trial.pairs import Pairs, scores

WORDS = [
    "\n",
    "One",
    ",",
    " two",
    " three",
    " four",
    " five",
    "He",
    "She",
    " cooks",
    " likes",
    " nurses",
    ".",
]
NUMBERS = {word: number for number, word in enumerate(WORDS)}


def chances(before: int) -> list[float]:
    """Log chances of the next word: a made-up model in which each word depends on the one before."""
    weights = [1 + (7 * before + 3 * word) % 11 for word in range(len(WORDS))]
    return [math.log(weight / sum(weights)) for weight in weights]


def tokens(text: str) -> list[int]:
    return [NUMBERS[word] for word in re.findall(r"\n| ?\w+|[,.]", text)]


def truth(text: str, *, after: str = "\n") -> float:
    """Bits of `text` after what stands before it."""
    path = tokens(after + text)
    nats = [chances(one)[other] for one, other in pairwise(path)]
    return -sum(nats[len(tokens(after)) - 1 :]) / math.log(2)


def vllm(path: str, asked: dict[str, Any]) -> dict[str, Any]:
    if path != "/v1/completions" or not asked.get("echo"):
        return {"error": 404}
    given = tokens(asked["prompt"])
    told = [None, *(chances(one)[other] for one, other in pairwise(given))]
    written = max(chances(given[-1]))
    return {
        "choices": [{"text": asked["prompt"], "logprobs": {"token_logprobs": [*told, written]}}],
        "usage": {"prompt_tokens": len(given), "completion_tokens": 1},
    }


def llama_cpp(path: str, asked: dict[str, Any], *, certain: bool = False) -> dict[str, Any]:
    """`certain` gives the chance that the forcing made, as some services do."""
    if path == "/tokenize":
        return {"tokens": tokens(asked["content"])}
    given = asked["prompt"] if isinstance(asked["prompt"], list) else tokens(asked["prompt"])
    logs = chances(given[-1])
    forced = [int(token) for token in asked.get("logit_bias", {})]
    order = sorted(range(len(logs)), key=lambda word: -logs[word])
    chosen = (forced or order)[0]
    content = {
        "id": chosen,
        "logprob": 0.0 if certain and forced else logs[chosen],
        "top_logprobs": [{"id": word, "logprob": logs[word]} for word in order[: asked["logprobs"]]],
    }
    return {
        "choices": [{"text": WORDS[chosen], "logprobs": {"content": [content]}}],
        "usage": {"prompt_tokens": len(given), "completion_tokens": 1},
    }


def chat_only(path: str, asked: dict[str, Any]) -> dict[str, Any]:
    return {"error": 404}


def locked(path: str, asked: dict[str, Any]) -> dict[str, Any]:
    return {"error": 401}


def too_certain(path: str, asked: dict[str, Any]) -> dict[str, Any]:
    return llama_cpp(path, asked, certain=True)


class Server(ThreadingHTTPServer):
    """Lets as many calls wait as are made at once."""

    request_queue_size = 64


@contextmanager
def serving(answer: Any) -> Iterator[str]:
    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            said = answer(self.path, asked)
            self.send_response(said.get("error", 200))
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with Server(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1#words"
        server.shutdown()


@pytest.mark.parametrize("kind", [vllm, llama_cpp])
def test_a_service_gives_the_bits_of_the_learned_parts(kind: Any) -> None:
    rows = (
        (Part("She cooks."),),
        (Part("He likes", learned=False), Part(" nurses.")),
        (Part("She cooks."), Part("He", learned=False), Part(" likes")),
        (Part("", learned=False), Part("He cooks.")),
    )
    told: list[tuple[int, int | None]] = []
    with serving(kind) as url:
        found = open_scorer(url, progress=lambda _s, done, total, _u="": told.append((done, total))).score(
            Examples(rows)
        )
    wanted = [
        truth("She cooks."),
        truth(" nurses.", after="He likes"),
        truth("She cooks.") + truth(" likes", after="\nShe cooks.He"),
        truth("He cooks."),
    ]
    assert found.gain.shape == (1, 4)
    assert -found.gain[0] == pytest.approx(wanted, rel=1e-5)
    assert told[-1][0] == told[-1][1]


@pytest.mark.parametrize("kind", [vllm, llama_cpp])
def test_pairs_are_asked_as_a_learner_is(kind: Any) -> None:
    texts = [("She nurses.", "He nurses."), ("He cooks.", "She cooks."), ("He likes.", "She likes.")]
    pairs = Pairs.of(
        [PairSet("crows_pairs", tuple(Item("", each, "gender", str(n)) for n, each in enumerate(texts)))]
    )
    with serving(kind) as url:
        gain = open_scorer(url).score(pairs.items.examples).gain
    [likely] = pairs.split(gain)
    preferred = np.mean([truth(one) / len(one) < truth(other) / len(other) for one, other in texts])
    assert scores(pairs.sets[0], likely)["stereotyping preferred"] == pytest.approx(preferred)
    assert 0 < preferred < 1


@pytest.mark.parametrize("kind", [chat_only, too_certain])
def test_a_service_without_likelihoods_is_named(kind: Any) -> None:
    with serving(kind) as url, pytest.raises(EngineError, match="does not say how likely given texts are"):
        open_scorer(url).score(Examples(((Part("He cooks."),),)))


def test_other_refusals_are_told_as_they_are() -> None:
    with serving(locked) as url, pytest.raises(EngineError, match="401"):
        open_scorer(url).score(Examples(((Part("He cooks."),),)))
    with pytest.raises(EngineError, match="gave no answer"):
        open_scorer("http://127.0.0.1:9/v1#none").score(Examples(((Part("He cooks."),),)))


def test_chats_are_refused_before_anything_is_asked() -> None:
    chat = Examples(((Part("Hello", learned=False, role="user"), Part("Hi", role="assistant")),))
    with pytest.raises(InputError, match="row 0: a service scores plain texts"):
        open_scorer("http://127.0.0.1:9/v1#none").score(chat)
