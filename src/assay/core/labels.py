"""What people said of a run's synthetic rows: files of one line an answer, only ever added to.

`labels.jsonl` says which rows are right and wrong, `choices.jsonl` which to keep and drop. The last answer about a
row counts. Each line holds a hash of the text that was judged, so that answers are never taken for those of other
rows when a run's input changes.

Several windows and processes may add to one file at a time: a line is one write under a lock, and what others have
added is read before an answer is compared or counted.
"""

from __future__ import annotations

import datetime
import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from assay.core.corpus import root_hash
from assay.core.errors import InputError

LABELS, CHOICES = "labels.jsonl", "choices.jsonl"
Answer = Literal["right", "wrong", "skip", "keep", "drop"]
TAKEN_BACK = "withdrawn"  # a line that says so makes the row one that was never answered
_WORDS: dict[str, tuple[Answer, ...]] = {LABELS: ("right", "wrong", "skip"), CHOICES: ("keep", "drop")}


class Answers:
    """The answers in one file about the rows of one corpus.

    Attributes:
        words: The answers that may be given in this file.
        given: Row -> the last answer about it, in the order in which the rows were first answered.
        stale: Rows answered whose text is another one now, or which are gone; their answers do not count.
        lines: Lines read or written so far: whoever knows this number knows the same answers.
    """

    def __init__(self, path: Path, text: pa.ChunkedArray) -> None:
        self.path, self._text = path, text
        self.words = _WORDS.get(path.name, _WORDS[LABELS])
        self.given: dict[int, Answer] = {}
        self.stale: set[int] = set()
        self.lines = 0
        self._read = 0  # bytes of the file that are known
        self._lock = threading.Lock()
        if path.exists() and _torn(path):
            with _alone(path):
                _mend(path, self.words)
        self.refresh()

    @property
    def labelled(self) -> dict[int, bool]:
        """Row -> whether it is wrong, for the rows that were judged rather than skipped."""
        return {row: said == "wrong" for row, said in self.given.items() if said != "skip"}

    def refresh(self) -> None:
        """Read what was added since, by whomever. Raises: InputError: a line is no answer."""
        with self._lock:
            if self.path.exists():
                self._catch_up()

    def add(self, row: int, said: Answer | None) -> None:
        """Write the answer down, safe from a power cut, before anything else happens; None takes it back."""
        self.add_if(row, said)

    def add_if(self, row: int, said: Answer | None, *, was: Answer | Literal["any"] | None = "any") -> bool:
        """`add`, unless the row's answer is no longer `was`; returns whether it was written.

        Raises: InputError: there is no such row, or the answer is not one of `words`.
        """
        if not 0 <= row < len(self._text):
            raise InputError(_no_row(row, len(self._text)))
        if said is not None and said not in self.words:
            raise InputError(f"{said!r} is not an answer here", fix=f"Answers are: {', '.join(self.words)}.")
        with self._lock, _alone(self.path):
            self._catch_up()
            if was not in ("any", self.given.get(row)):
                return False
            self._write([(row, said)])
        return True

    def take(self, path: Path) -> int:
        """Add the labels of another file, lines such as ``{"row": 7, "wrong": true}``; returns how many.

        Raises: InputError: the file is missing, a line is no label, or its row does not exist.
        """
        if not path.exists():
            raise InputError("no such file", where=str(path))
        lines = list(_lines(path, path.read_bytes(), self.words))
        for number, line in lines:
            if line["row"] >= len(self._text):
                raise InputError(_no_row(line["row"], len(self._text)), where=f"{path}, line {number}")
        with self._lock, _alone(self.path):
            self._catch_up()
            self._write([(line["row"], _answer(line)) for _, line in lines])
        return len(lines)

    def _write(self, said: list[tuple[int, Answer | None]]) -> None:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        lines = (
            {"row": row, "answer": answer or TAKEN_BACK, "text": self._hash(row), "time": now}
            for row, answer in said
        )
        if self.path.stat().st_size > self._read:  # whoever wrote the last line was killed at it
            _mend(self.path, self.words)
        _append(self.path, "".join(json.dumps(line) + "\n" for line in lines).encode())
        self._catch_up()

    def _catch_up(self) -> None:
        with self.path.open("rb") as file:
            file.seek(self._read)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        for _, line in _lines(self.path, whole, self.words, first=self.lines + 1):
            self._take_in(line)
        self._read += len(whole)
        self.lines += whole.count(b"\n")

    def _take_in(self, line: dict[str, Any]) -> None:
        row, said = line["row"], _answer(line)
        if row >= len(self._text) or line.get("text") not in (None, self._hash(row)):
            if row not in self.given:
                self.stale.add(row)
            return
        self.stale.discard(row)
        if said is None:
            self.given.pop(row, None)
        else:
            self.given[row] = said

    def _hash(self, row: int) -> str:
        return f"{root_hash(self._text[row].as_py()):016x}"


def _no_row(row: int, rows: int) -> str:
    return f"there is no row {row:,}; the synthetic rows are numbered 0 to {rows - 1:,}"


def _answer(line: dict[str, Any]) -> Answer | None:
    said = line.get("answer", "wrong" if line.get("wrong") else "right")
    return None if said == TAKEN_BACK else said


def _lines(
    path: Path, content: bytes, words: tuple[Answer, ...], first: int = 1
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The answers in the content of a file with their line numbers. Raises: InputError: a line is no answer."""
    for number, text in enumerate(content.decode("utf-8", "replace").split("\n"), start=first):
        if text.strip():
            line = _parsed(text, words)
            if line is None:
                raise InputError(
                    'not a label; a line looks like {"row": 7, "wrong": true}'
                    if "wrong" in words
                    else 'not a choice; a line looks like {"row": 7, "answer": "drop"}',
                    where=f"{path}, line {number}",
                )
            yield number, line


def _parsed(text: str, words: tuple[Answer, ...]) -> dict[str, Any] | None:
    """The answer in a line, or None when it holds none."""
    try:
        line = json.loads(text)
    except ValueError:
        return None
    if not isinstance(line, dict) or type(line.get("row")) is not int or line["row"] < 0:
        return None
    judged = "wrong" in words and isinstance(line.get("wrong"), bool)
    return line if judged or line.get("answer") in (*words, TAKEN_BACK) else None


def _append(path: Path, lines: bytes) -> None:
    """Add lines at the end, by one write if the disk has room, and wait until they are safe."""
    number = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        while lines:
            lines = lines[os.write(number, lines) :]
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Nobody else changes the file meanwhile, as far as they ask; makes it if there is none."""
    with path.open("ab") as file:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)  # closing the file gives the lock back
        yield


def _torn(path: Path) -> bool:
    """Whether the last line is not ended."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - 1, 0))
        return size > 0 and file.read(1) != b"\n"


def _mend(path: Path, words: tuple[Answer, ...]) -> None:
    """End the last line, which a kill may have torn: a whole answer is kept, a torn one cut off."""
    if not _torn(path):
        return
    content = path.read_bytes()
    whole, torn = content[: content.rfind(b"\n") + 1], content[content.rfind(b"\n") + 1 :]
    with path.open("r+b") as file:
        if _parsed(torn.decode("utf-8", "replace"), words) is None:
            file.truncate(len(whole))
        else:
            file.seek(0, 2)
            file.write(b"\n")
