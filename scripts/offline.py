"""Whether a built site asks anything of the network: `python scripts/offline.py FOLDER` names what does, and ends with 1.

Links that a reader may follow are no matter; what a page loads by itself (scripts, styles, images, fonts, frames) must lie in the
folder.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADS = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "embed": "src",
    "link": "href",
}
_CSS = re.compile(r"""(?:url\(|@import)\s*["']?([^"')\s]+)""")


class _Loaded(HTMLParser):
    """What a page loads by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        # rel="canonical", "prev" and "next" name pages and load nothing.
        if tag == "link" and not set((given.get("rel") or "").split()) & {
            "stylesheet",
            "icon",
            "preload",
            "preconnect",
        }:
            return
        address = given.get(LOADS.get(tag, ""))
        if address:
            self.addresses.append(address)


def outside(site: Path) -> list[str]:
    """One line for each thing that a file of the site loads and the site does not hold."""
    found = []
    for path in sorted(site.rglob("*")):
        if path.suffix == ".html":
            page = _Loaded()
            page.feed(path.read_text(encoding="utf-8"))
            addresses = page.addresses
        elif path.suffix == ".css":
            addresses = _CSS.findall(path.read_text(encoding="utf-8"))
        else:
            continue
        for address in addresses:
            parts = urlsplit(address)
            if parts.scheme == "data" or (not parts.scheme and not parts.netloc and not parts.path):
                continue
            base = site if parts.path.startswith("/") else path.parent
            if parts.scheme or parts.netloc or not (base / unquote(parts.path).lstrip("/")).exists():
                found.append(f"{path.relative_to(site)} loads {address[:120]}")
    return found


if __name__ == "__main__":
    lines = outside(Path(sys.argv[1]))
    print("\n".join(lines) or "The site loads nothing from elsewhere.")
    raise SystemExit(bool(lines))
