"""The tour of the library runs as written, block by block."""

import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

Row = dict[str, str]
TOUR = (Path(__file__).parents[2] / "docs" / "tour.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TOUR, flags=re.DOTALL)


def test_the_tour_runs(
    snippets: list[Row],
    write: Callable[[str, list[Row]], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write("real.jsonl", snippets[:300])
    # Repeats and copies, so that there is something to leave out.
    write("synthetic.jsonl", [*snippets[300:420], *snippets[300:320], *snippets[:20]])
    names: dict[str, object] = {}
    for block in BLOCKS:
        if "polars" not in block or find_spec("polars"):
            exec(compile(block, "tour.md", "exec"), names)
    assert len(names["kept"]) < 160  # type: ignore[arg-type]
    assert names["measure"].value is not None  # type: ignore[attr-defined]
