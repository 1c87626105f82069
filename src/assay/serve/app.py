"""What each address answers: a request in, a response out; nothing here knows of sockets."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

from assay.core import words
from assay.core.errors import AssayError, InputError
from assay.core.evidence import Run
from assay.core.labels import Answers
from assay.report import compare, compare_page, history, page
from assay.serve import detail, export, pages
from assay.serve.guard import POLICY, Guard, from_our_page, named_here
from assay.serve.near import RealWords
from assay.serve.query import Parameters, Query
from assay.serve.runs import Runs
from assay.serve.table import Remembered, RowTable

HTML, JSON = "text/html; charset=utf-8", "application/json"
_KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_OPEN = 3  # runs whose rows are held open
_PATIENCE = 1.5  # seconds that a request waits for the real rows to be read, before it says how far that is
_ERROR_RATE = "quality.error_rate"


@dataclass(frozen=True)
class Request:
    """What a browser asked. `target` is path and query; `body` is JSON or empty."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    """What it is answered; `body` may be a file, which is then to be closed."""

    status: int
    kind: str
    body: bytes | IO[bytes]
    headers: Mapping[str, str] = field(default_factory=dict)
    policy: str = POLICY


class App:
    """The pages over one folder.

    Args:
        draw: Makes the order in which a run's rows are asked for labels, unless it stands.
        conclude: Takes in a run's labels, decides its claims and draws its report again.
    """

    def __init__(
        self, folder: Path, guard: Guard, *, draw: Callable[[Path], None], conclude: Callable[[Path], Run]
    ) -> None:
        self.runs, self._guard = Runs(folder), guard
        self._draw, self._conclude = draw, conclude
        self._tables, self._real = Remembered(_OPEN), Remembered(_OPEN)
        self._reports = Remembered(8)
        self._deciding, self._opening = threading.Lock(), threading.Lock()
        self._routes: dict[tuple[str, str], Callable[[Parameters, Any], Response]] = {
            ("GET", "/"): self._list,
            ("GET", "/report"): self._report,
            ("GET", "/compare"): self._compare,
            ("GET", "/history"): self._history,
            ("GET", "/rows"): self._rows,
            ("GET", "/api/filters"): self._filters,
            ("GET", "/api/rows"): self._page,
            ("GET", "/api/row"): self._row,
            ("GET", "/api/near"): self._near,
            ("GET", "/export"): self._export,
            ("POST", "/api/answer"): self._answer,
            ("POST", "/api/decide"): self._decide,
        }

    def respond(self, request: Request) -> Response:
        """The response to any request."""
        if not named_here(request.headers):
            return _said(421, "Wrong name", "This server answers to 127.0.0.1 and localhost alone.")
        parts = urlsplit(request.target)
        given = parse_qs(parts.query, keep_blank_values=True)
        if request.method == "GET" and "token" in given and parts.path == "/":
            return self._enter(given)
        if not self._guard.let_in(request.headers):
            return _said(403, "Not let in", "Open the whole address that the terminal shows, token and all.")
        if request.method == "GET" and parts.path.startswith("/static/"):
            return _static(parts.path.removeprefix("/static/"))
        answer = self._routes.get((request.method, parts.path))
        if answer is None:
            return _said(404, "Nothing here", "There is no such page.")
        if request.method == "POST" and not from_our_page(request.headers):
            return _said(403, "Not from here", "Only pages of this server may change anything.")
        try:
            return answer(given, json.loads(request.body) if request.body else {})
        except (AssayError, OSError, ValueError) as error:
            told = _told(error)
            if parts.path.startswith("/api/"):
                return _json({"error": told}, status=400)
            return _said(400, "That did not work", told)

    def _enter(self, given: Parameters) -> Response:
        if not self._guard.knows(given["token"][0]):
            return _said(403, "Not let in", "This is not the token of the server that runs here now.")
        # A page that moves on by itself: the cookie would not go along if another site's link had led here.
        return Response(
            200, HTML, pages.render("enter.html.jinja").encode(), {"Set-Cookie": self._guard.cookie()}
        )

    def _list(self, given: Parameters, body: Any) -> Response:
        listed = self.runs.list()
        return _page(pages.render("runs.html.jinja", runs=listed, folder=str(self.runs.folder)))

    def _report(self, given: Parameters, body: Any) -> Response:
        name = _one(given, "run")
        run = self.runs.find(name)
        html, policy = self._reports.get(
            (name, _written(run)), lambda: pages.with_way_back(page.render(run), _way(name, "report"))
        )
        return Response(200, HTML, html.encode(), policy=policy)

    def _compare(self, given: Parameters, body: Any) -> Response:
        before, after = _one(given, "before"), _one(given, "after")
        if before == after:
            raise InputError("a run does not differ from itself", fix="Choose two runs.")
        found = compare.compare(self.runs.find(before), self.runs.find(after))
        return _drawn(compare_page.render(found))

    def _history(self, given: Parameters, body: Any) -> Response:
        names = tuple(each for each in given.get("measure", ()) if each)
        return _drawn(history.render(history.history(self.runs.folder, names=names)))

    def _rows(self, given: Parameters, body: Any) -> Response:
        name = _one(given, "run")
        run = self.runs.find(name)
        table = self._table(name)
        return _page(pages.render("rows.html.jinja", name=name, rows=len(table), rate=_rate(run)))

    def _filters(self, given: Parameters, body: Any) -> Response:
        return _json(detail.filters(self._table(_one(given, "run"))))

    def _page(self, given: Parameters, body: Any) -> Response:
        table = self._table(_one(given, "run"))
        stamp = given.get("stamp", [""])[0]
        found = table.find(Query.read(given), int(stamp) if stamp else None)
        number = max(0, int(given.get("page", ["0"])[0] or 0))
        # A list may have grown shorter than the page that an old address names.
        last = max(0, -(-len(found.rows) // detail.PAGE) - 1)
        return _json(detail.page(table, found, min(number, last)))

    def _row(self, given: Parameters, body: Any) -> Response:
        table = self._table(_one(given, "run"))
        table.refresh()
        return _json(detail.one(table, _row(table, _one(given, "row"))))

    def _near(self, given: Parameters, body: Any) -> Response:
        name = _one(given, "run")
        table = self._table(name)
        row = _row(table, _one(given, "row"))
        corpus = table.run.corpus("real")
        real = self._real.get((corpus.folder, corpus.fingerprint), lambda: RealWords(corpus))
        if not real.ready:
            thread = threading.Thread(target=real.prepare, daemon=True)
            thread.start()
            thread.join(_PATIENCE)
        if real.problem:
            raise InputError(f"the real rows cannot be read: {real.problem}")
        if not real.ready:
            return _json({"reading": real.done})
        return _json(detail.nearest(table, real, row))

    def _export(self, given: Parameters, body: Any) -> Response:
        name, form = _one(given, "run"), export.known(_one(given, "format"))
        table = self._table(name)
        file = export.export(table, table.find(Query.read(given)), form)
        told = {"Content-Disposition": f'attachment; filename="{export.name_of(name, form)}"'}
        return Response(200, export.TYPES[form], file, told)

    def _answer(self, given: Parameters, body: Any) -> Response:
        table = self._table(_one(given, "run"))
        if not isinstance(body, dict) or type(body.get("row")) is not int:
            raise InputError("an answer names its row")
        row, said, was = body["row"], body.get("said"), body.get("was")
        answers: Answers = table.choices if body.get("of") == "choice" else table.labels
        written = answers.add_if(row, said, was=was)
        facts = {"row": row, "written": written, "answers": detail.answers(table)}
        return _json(facts | detail.answer_of(table, row))

    def _decide(self, given: Parameters, body: Any) -> Response:
        name = _one(given, "run")
        folder = self.runs.find(name).folder
        with self._deciding:
            return _json({"rate": _rate(self._conclude(folder))})

    def _table(self, name: str) -> RowTable:
        """The rows of a run; opened again when the run was made again."""
        run = self.runs.find(name)
        made = tuple(
            path.stat().st_mtime_ns
            for path in (run.folder / "rows" / "synthetic.parquet", run.folder / "rows" / "suspects.parquet")
            if path.exists()
        )
        digest = tuple(each.sha256 for each in run.evidence.inputs)
        with self._opening:
            return self._tables.get((name, digest, made), lambda: RowTable(run, self._draw))


def _way(name: str, here: str) -> list[tuple[str, str]]:
    """Links from a page of a run to the others."""
    both = [("Report", pages.address("/report", run=name)), ("Rows", pages.address("/rows", run=name))]
    return [("All runs", "/"), *(each for each in both if each[0].lower() != here)]


def _drawn(html: str) -> Response:
    made, policy = pages.with_way_back(html, [("All runs", "/")])
    return Response(200, HTML, made.encode(), policy=policy)


def _told(error: AssayError | OSError | ValueError) -> str:
    """What went wrong, for whoever asked."""
    if isinstance(error, OSError):
        return f"the disk does not let it: {error.strerror or error}"
    return (
        str(error) if isinstance(error, AssayError) else "the request, or a file of the run, cannot be read"
    )


def _rate(run: Run) -> str:
    """The share of wrong rows in words."""
    measure = run.evidence.find(_ERROR_RATE)
    return "not measured yet" if measure is None or measure.value is None else words.with_interval(measure)


def _written(run: Run) -> int:
    return (run.folder / "evidence.json").stat().st_mtime_ns


def _row(table: RowTable, text: str) -> int:
    row = int(text)
    if not 0 <= row < len(table):
        raise InputError(f"there is no row {row:,}")
    return row


def _one(given: Parameters, name: str) -> str:
    if not given.get(name):
        raise InputError(f"the address lacks {name}")
    return given[name][0]


def _page(html: str) -> Response:
    return Response(200, HTML, html.encode())


def _said(status: int, title: str, text: str) -> Response:
    return Response(status, HTML, pages.plain(title, text).encode())


def _json(facts: Any, status: int = 200) -> Response:
    return Response(status, JSON, json.dumps(facts).encode())


def _static(name: str) -> Response:
    text = pages.static(name)
    if text is None:
        return _said(404, "Nothing here", "There is no such file.")
    return Response(200, _KINDS[Path(name).suffix], text.encode())
