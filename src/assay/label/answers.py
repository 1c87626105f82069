"""`labels.jsonl`: what people said of rows, one line an answer, only ever added to.

The last answer about a row counts. Each line holds a hash of the text that was judged, so that labels are never
taken for those of other rows when a run's input changes.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from assay.core.corpus import root_hash
from assay.core.errors import InputError

Answer = Literal["right", "wrong", "skip"]
_WORDS: dict[object, Answer] = {"right": "right", "wrong": "wrong", "skip": "skip"}


class Answers:
    """The answers in one file about the rows of one corpus.

    Attributes:
        given: Row -> the last answer about it, in the order in which the rows were first answered.
        stale: Rows answered whose text is another one now, or which are gone; their answers do not count.
    """

    def __init__(self, path: Path, text: pa.ChunkedArray) -> None:
        self.path, self._text = path, text
        self.given: dict[int, Answer] = {}
        self.stale: set[int] = set()
        _mend(path)
        for _, line in _lines(path) if path.exists() else ():
            row = line["row"]
            if row < len(text) and line.get("text") in (None, self._hash(row)):
                self.given[row] = _answer(line)
                self.stale.discard(row)
            elif row not in self.given:
                self.stale.add(row)

    @property
    def labelled(self) -> dict[int, bool]:
        """Row -> whether it is wrong, for the rows that were judged rather than skipped."""
        return {row: said == "wrong" for row, said in self.given.items() if said != "skip"}

    def add(self, row: int, said: Answer) -> None:
        """Write the answer down before anything else happens."""
        line = {
            "row": row,
            "answer": said,
            "text": self._hash(row),
            "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self.given[row] = said
        self.stale.discard(row)

    def take(self, path: Path) -> int:
        """Add the labels of another file, lines such as ``{"row": 7, "wrong": true}``; returns how many.

        Raises: InputError: the file is missing, a line is no label, or its row does not exist.
        """
        if not path.exists():
            raise InputError("no such file", where=str(path))
        lines = _lines(path)
        for number, line in lines:
            if line["row"] >= len(self._text):
                raise InputError(
                    f"there is no row {line['row']:,}; the synthetic rows are numbered 0 to {len(self._text) - 1:,}",
                    where=f"{path}, line {number}",
                )
        for _, line in lines:
            self.add(line["row"], _answer(line))
        return len(lines)

    def _hash(self, row: int) -> str:
        return f"{root_hash(self._text[row].as_py()):016x}"


def _answer(line: dict[str, Any]) -> Answer:
    return _WORDS[line["answer"]] if "answer" in line else ("wrong" if line["wrong"] else "right")


def _lines(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """The labels of a file with their line numbers. Raises: InputError: a line is no label."""
    found = []
    content = path.read_text(encoding="utf-8", errors="replace")
    for number, text in enumerate(content.split("\n"), start=1):
        if text.strip():
            line = _parsed(text)
            if line is None:
                raise InputError(
                    'not a label; a line looks like {"row": 7, "wrong": true}', where=f"{path}, line {number}"
                )
            found.append((number, line))
    return found


def _parsed(text: str) -> dict[str, Any] | None:
    """The label in a line, or None when it holds none."""
    try:
        line = json.loads(text)
    except ValueError:
        return None
    if not isinstance(line, dict) or type(line.get("row")) is not int or line["row"] < 0:
        return None
    judged = isinstance(line.get("wrong"), bool) or line.get("answer") in _WORDS
    return line if judged else None


def _mend(path: Path) -> None:
    """End the last line, which a kill may have torn: a whole label is kept, a torn one cut off."""
    if not path.exists():
        return
    content = path.read_bytes()
    if not content or content.endswith(b"\n"):
        return
    whole, torn = content[: content.rfind(b"\n") + 1], content[content.rfind(b"\n") + 1 :]
    with path.open("r+b") as file:
        if _parsed(torn.decode("utf-8", "replace")) is None:
            file.truncate(len(whole))
        else:
            file.seek(0, 2)
            file.write(b"\n")
