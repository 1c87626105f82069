"""A pytest fixture that fails a test when a run breaks its rules."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Literal, Protocol

import pytest

Where = str | PathLike[str]


class AssayGate(Protocol):
    """What the fixture `assay_gate` is."""

    def __call__(
        self,
        run: Where,
        rules: Where | None = None,
        *,
        against: Where | None = None,
        undecided: Literal["fail", "skip", "pass"] = "fail",
    ) -> None:
        """Judge a run; the test fails with one line for each rule if one is broken.

        Args:
            run: Folder of the run.
            rules: Rules as TOML; default: those that come with the package.
            against: Folder of an earlier run, for `no-worse-by`.
            undecided: What the test becomes when none is broken and one could not be decided.

        Raises: InputError: the run or the rules cannot be read.
        """
        ...


@pytest.fixture
def assay_gate() -> AssayGate:
    """Judge a run of Assay by rules: ``assay_gate("runs/latest", "rules.toml")``."""

    def judge(
        run: Where,
        rules: Where | None = None,
        *,
        against: Where | None = None,
        undecided: Literal["fail", "skip", "pass"] = "fail",
    ) -> None:
        __tracebackhide__ = True
        from assay.core.evidence import Run
        from assay.report.gate import gate
        from assay.report.terminal import of_judgement

        judgement = gate(
            Run(Path(run)),
            rules=None if rules is None else Path(rules),
            against=None if against is None else Path(against),
        )
        text = "\n".join(str(part) for part in of_judgement(judgement))
        if judgement.word == "broken" or (judgement.word == "undecided" and undecided == "fail"):
            pytest.fail(f"the run in {run} does not meet its rules\n{text}", pytrace=False)
        if judgement.word == "undecided" and undecided == "skip":
            pytest.skip(f"the run in {run} could not be judged\n{text}")

    return judge
