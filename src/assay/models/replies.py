"""Replies that were paid for once, and the secret that makes their prompts the same again."""

from __future__ import annotations

import json
import secrets
import threading
from pathlib import Path

from assay.core.errors import InputError

_KEY_FILE, _REPLIES_FILE = "fence.key", "replies.jsonl"


def secret(folder: Path | None) -> bytes:
    """32 random bytes: those in `folder`, made and kept there if it has none; new ones without a folder.

    Raises: InputError: the file is damaged.
    """
    fresh = secrets.token_bytes(32)
    if folder is None:
        return fresh
    path = folder / _KEY_FILE
    folder.mkdir(parents=True, exist_ok=True)
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        held = path.read_bytes()
        if len(held) < 32:
            raise InputError(
                "the secret of the fences is damaged", where=str(path), fix="Delete the file."
            ) from None
        return held
    path.write_bytes(fresh)
    return fresh


class Replies:
    """Replies by the hash of their prompt: in memory and, with a folder, in one file that only grows."""

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / _REPLIES_FILE
        self._held: dict[str, str | None] = {}
        self._lock = threading.Lock()
        self._before = ""
        if self._path is None or not self._path.exists():
            return
        data = self._path.read_bytes()
        # A kill may have torn the last line; the next one must not grow onto it.
        self._before = "" if data.endswith(b"\n") or not data else "\n"
        for line in data.splitlines():
            try:
                entry = json.loads(line)
                self._held[entry["key"]] = entry["text"]
            except (ValueError, KeyError, TypeError):
                continue  # asked again

    def __contains__(self, key: str) -> bool:
        return key in self._held

    def get(self, key: str) -> str | None:
        """The reply, or None if there is none or the request was refused."""
        return self._held.get(key)

    def keep(self, key: str, text: str) -> None:
        """Hold a reply, at once and for good."""
        with self._lock:
            self._held[key] = text
            if self._path is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(self._before + json.dumps({"key": key, "text": text}) + "\n")
                self._before = ""

    def refuse(self, key: str) -> None:
        """Remember a refusal for this run only: the next one may fare better."""
        with self._lock:
            self._held[key] = None
