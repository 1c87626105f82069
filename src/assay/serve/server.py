"""The server: listens on this machine alone and hands every request to the pages."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from assay.core.errors import InputError
from assay.core.evidence import Run
from assay.serve.app import App, Request, Response
from assay.serve.guard import HEADERS, Guard

HOST = "127.0.0.1"
_LARGEST_BODY = 1 << 16


class Server:
    """Pages over a folder of runs.

    Attributes:
        url: Where to go, token and all.
        runs: How many runs there are now.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        draw: Callable[[Path], None],
        conclude: Callable[[Path], Run],
    ) -> None:
        """Take the port (0: any that is free); `draw` and `conclude` as in `App`.

        Raises: InputError: the folder does not exist, or the port is taken.
        """
        try:
            self._http = _Listener((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            raise InputError(
                f"cannot listen there: {error}", where=f"{HOST}:{port}", fix="Give --port 0 for a free one."
            ) from error
        self.port = self._http.server_address[1]
        guard = Guard(self.port)
        try:
            app = App(folder, guard, draw=draw, conclude=conclude)
        except InputError:
            self._http.server_close()
            raise
        self._http.app = app
        self.url = f"http://{HOST}:{self.port}/?token={guard.token}"
        self.runs = len(app.runs.list())

    def forever(self) -> None:
        """Answer until `stop` is called, or the terminal says so."""
        try:
            self._http.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            pass
        finally:
            self._http.server_close()

    def stop(self) -> None:
        """Let `forever` return; to be called from another thread."""
        self._http.shutdown()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    app: App

    def handle_error(self, request: object, client_address: object) -> None:
        """Report what went wrong, unless the browser merely went away in the middle."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "assay", ""
    timeout: ClassVar[int] = 120
    server: _Listener

    def do_GET(self) -> None:
        self._send(self.server.app.respond(Request("GET", self.path, self._named())))

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()) or int(length) > _LARGEST_BODY:
            self.send_error(413)
            self.close_connection = True
            return
        body = self.rfile.read(int(length))
        self._send(self.server.app.respond(Request("POST", self.path, self._named(), body)))

    def _named(self) -> dict[str, str]:
        """The headers by their names as they are usually written."""
        return {name.title(): value for name, value in self.headers.items()}

    def _send(self, response: Response) -> None:
        body = response.body
        size = len(body) if isinstance(body, bytes) else body.seek(0, 2)
        self.send_response(response.status)
        headers = {
            **HEADERS,
            "Content-Type": response.kind,
            "Content-Length": str(size),
            "Content-Security-Policy": response.policy,
            **response.headers,
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if isinstance(body, bytes):
            self.wfile.write(body)
            return
        with body:
            body.seek(0)
            shutil.copyfileobj(body, self.wfile)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged: addresses hold the token."""
