"""Assay: does this synthetic data help or harm my model, what is wrong with it, how much to mix in?

import assay
result = assay.run(real="real.jsonl", synthetic="synthetic.jsonl", out="assay-run")
print(result.claims)
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from assay.core.answer import answer
    from assay.core.corpus import Corpus
    from assay.core.errors import AssayError, EngineError, InputError, MissingExtra, StepError
    from assay.core.evidence import Evidence, Run
    from assay.core.measure import Measure
    from assay.core.verdict import decide
    from assay.library import Result, run
    from assay.study import Study

# The public names and where each is at home; a module is imported when its name is first used, so that
# `import assay` stays fast.
_HOMES = {
    "AssayError": "assay.core.errors",
    "Corpus": "assay.core.corpus",
    "EngineError": "assay.core.errors",
    "Evidence": "assay.core.evidence",
    "InputError": "assay.core.errors",
    "Measure": "assay.core.measure",
    "MissingExtra": "assay.core.errors",
    "Result": "assay.library",
    "Run": "assay.core.evidence",
    "StepError": "assay.core.errors",
    "Study": "assay.study",
    "answer": "assay.core.answer",
    "decide": "assay.core.verdict",
    "run": "assay.library",
}

__all__ = [
    "AssayError",
    "Corpus",
    "EngineError",
    "Evidence",
    "InputError",
    "Measure",
    "MissingExtra",
    "Result",
    "Run",
    "StepError",
    "Study",
    "__version__",
    "answer",
    "decide",
    "run",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'assay' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
