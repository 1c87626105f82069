"""Who may ask: whoever was given the token, from this machine's own pages, under this machine's own name.

Other pages in the same browser can send requests to this machine too. The cookie is not sent with theirs
(SameSite=Strict), their scripts have another origin, and a foreign name that was made to point here (DNS rebinding)
stands in the Host header.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from secrets import compare_digest
from urllib.parse import urlsplit

HOSTS = {"127.0.0.1", "localhost", "::1"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """The secrets of one server.

    Attributes:
        token: Stands in the address that the terminal shows.
    """

    def __init__(self, port: int) -> None:
        self.token = secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)
        # Cookies of one host are shared by all its ports.
        self._cookie = f"assay-{port}"

    def cookie(self) -> str:
        """The header that lets a browser in from now on."""
        return f"{self._cookie}={self._session}; Path=/; HttpOnly; SameSite=Strict"

    def knows(self, token: str) -> bool:
        """Whether this is the token."""
        return compare_digest(token.encode(), self.token.encode())

    def let_in(self, headers: Mapping[str, str]) -> bool:
        """Whether a request carries our cookie."""
        try:
            sent = SimpleCookie(headers.get("Cookie", ""))
        except CookieError:
            return False
        held = sent[self._cookie].value if self._cookie in sent else ""
        return compare_digest(held.encode(), self._session.encode())


def named_here(headers: Mapping[str, str]) -> bool:
    """Whether the request was meant for this machine by one of its own names."""
    try:
        return urlsplit(f"//{headers.get('Host', '')}").hostname in HOSTS
    except ValueError:
        return False


def from_our_page(headers: Mapping[str, str]) -> bool:
    """Whether a request that changes something was sent by a page of ours."""
    return (
        headers.get("Origin") == f"http://{headers.get('Host', '')}"
        and headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
        and headers.get("Content-Type", "").split(";")[0].strip() == "application/json"
    )
