"""A run made by hand in a moment, to be served: rows, flags, answers' place, evidence."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from assay.core.corpus import Corpus, schema
from assay.core.evidence import EXAMPLES, Run
from assay.serve.server import Server
from assay.study import Study, serve

from ..report.sample import evidence

REAL = tuple(f"a real row about number {n} and its neighbour {n + 1}" for n in range(80))


def write_corpus(folder: Path, role: str, texts: Sequence[str], chunk: int = 64) -> None:
    """The rows of one side, as reading leaves them in a run's steps."""
    names = schema(("source",)).names
    batches = []
    for start in range(0, len(texts), chunk):
        part = list(texts[start : start + chunk])
        held: dict[str, Any] = {
            "text": part,
            "label": [f"label {(start + n) % 3}" for n in range(len(part))],
            "root": [start + n for n in range(len(part))],
            "file": [f"{role}.jsonl"] * len(part),
            "line": [start + n + 1 for n in range(len(part))],
            "row": [start + n for n in range(len(part))],
            "slice:source": ["web" if (start + n) % 2 else None for n in range(len(part))],
        }
        fields = schema(("source",))
        columns = [
            pa.array(held[name], fields.field(name).type)
            if name in held
            else pa.nulls(len(part), fields.field(name).type)
            for name in names
        ]
        batches.append(pa.record_batch(columns, fields))
    at = folder / "steps" / f"read-{role}-0"
    Corpus.write(at, batches, name=role, origin=role, shape="text-label", slices=("source",))  # type: ignore[arg-type]
    (at / "read.json").write_text(json.dumps({"sha256": f"sha of {role}"}), encoding="utf-8")


def flags_of(rows: int) -> pa.Table:
    """Flags and numbers drawn by a seed."""
    rng = np.random.default_rng(3)
    suspicion = rng.random(rows).astype(np.float32).round(2)
    return pa.table(
        {
            "row": np.arange(rows),
            "near_duplicate": rng.random(rows) < 0.3,
            "refusal": rng.random(rows) < 0.1,
            "holds_canary": pa.nulls(rows, pa.bool_()),
            "near_cluster": rng.integers(0, 20, rows),
            "similarity": pa.array(rng.random(rows), mask=rng.random(rows) < 0.2),
            "suspicion": suspicion,
            "region": pa.array([f"region {n % 4}" for n in range(rows)]),
        }
    )


def write_run(folder: Path, texts: Sequence[str], real: Sequence[str] = REAL) -> Run:
    """A whole run in `folder`."""
    write_corpus(folder, "synthetic", texts)
    write_corpus(folder, "real", real)
    (folder / "rows").mkdir()
    pq.write_table(flags_of(len(texts)), folder / "rows" / "synthetic.parquet")
    pq.write_table(EXAMPLES.empty_table(), folder / "rows" / "examples.parquet")
    record = evidence()
    inputs = tuple(
        each.model_copy(
            update={"sha256": f"sha of {each.role}", "rows": len(real if each.role == "real" else texts)}
        )
        for each in record.inputs
    )
    changed = record.model_copy(update={"inputs": inputs})
    (folder / "evidence.json").write_text(changed.to_json(), encoding="utf-8")
    (folder / "study.toml").write_text(
        Study(real=("real.jsonl",), synthetic=("synthetic.jsonl",)).to_toml(), encoding="utf-8"
    )
    return Run(folder)


@dataclass
class Client:
    """A browser without a screen: keeps its cookie, sends what it is told."""

    server: Server
    cookie: str = ""

    def ask(
        self, target: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (names in lower case) and body."""
        here = f"127.0.0.1:{self.server.port}"
        sent = {"Host": here}
        if self.cookie:
            sent["Cookie"] = self.cookie
        if body is not None:
            sent |= {"Origin": f"http://{here}", "Content-Type": "application/json"}
        sent |= headers or {}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        try:
            content = None if body is None else json.dumps(body)
            connection.request("GET" if body is None else "POST", target, content, sent)
            answer = connection.getresponse()
            return answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def json(self, target: str, body: Any = None) -> Any:
        """The facts of an answer that must be given."""
        status, _, content = self.ask(target, body)
        assert status == 200, content
        return json.loads(content)

    def enter(self) -> Client:
        """Use the token, keep the cookie."""
        _, headers, _ = self.ask("/" + self.server.url.split("/", 3)[3])
        self.cookie = headers["set-cookie"].split(";")[0]
        return self


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """The pages over a folder, on a free port."""
    server = serve(folder, port=0)
    thread = threading.Thread(target=server.forever)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()
