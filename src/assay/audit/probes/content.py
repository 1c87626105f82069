"""How many rows are wrong in one of the ways that can be checked row by row?"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

from assay.audit.annotate.checked import Checked
from assay.audit.annotate.columns import Columns
from assay.audit.annotate.content import Content
from assay.audit.probe import Floats, Probe

# With fewer rows than these, no share of zero could show that a tolerance of 2 % or of 5 % is kept.
_FEW, _FEWER = 200, 100


def _probe(
    name: str,
    check: Callable[[Content], Checked],
    method: str,
    *,
    least: int = 1,
    counted: str = "rows",
    equal_rows: bool = False,
) -> Probe:
    def tally(columns: Columns) -> Floats:
        checked = check(columns.content)
        return np.column_stack([checked.fails, checked.fits]).astype(float)

    return Probe(name, tally, method, equal_rows=equal_rows, least=least, counted=counted)


PROBES = (
    _probe(
        "quality.truncated_share",
        lambda content: content.truncated,
        "rows whose answer ends within a sentence, a bracket or a code fence / rows with words; a missing full "
        "stop counts only where the writer ended earlier sentences",
    ),
    _probe(
        "quality.boilerplate_share",
        lambda content: content.boilerplate,
        "rows that open, or close in their last 200 characters, with a phrase of the boilerplate list / rows",
    ),
    _probe(
        "quality.prompt_echo_share",
        lambda content: content.echo,
        "rows whose answer opens with the prompt's first 12 words, or repeats half of it in a row (nearly all "
        "of a short one) / rows with a prompt of 8 words or more",
        least=_FEW,
        counted="rows with a prompt of 8 words",
    ),
    _probe(
        "quality.language_mismatch_share",
        lambda content: content.language,
        "rows whose answer is in another language than their prompt, or, without one, than 99 % of the real "
        "rows / rows whose language can be told; requests for a translation are left out",
        least=_FEW,
        counted="rows whose language can be told",
    ),
    _probe(
        "quality.placeholder_share",
        lambda content: content.placeholder,
        "rows that hold [Your Name], {{name}}, TODO:, lorem ipsum and the like / rows",
    ),
    _probe(
        "quality.broken_code_share",
        lambda content: content.code,
        "rows with Python that does not parse / rows with Python, fenced or as the whole answer; by Python "
        f"{sys.version_info.major}.{sys.version_info.minor}",
        least=_FEWER,
        counted="rows with Python code",
    ),
    _probe(
        "quality.invalid_json_share",
        lambda content: content.json,
        "rows whose JSON does not parse / rows with a JSON fence or a prompt that asks for JSON",
        least=_FEWER,
        counted="rows that should hold JSON",
    ),
    _probe(
        "quality.wrong_arithmetic_share",
        lambda content: content.arithmetic,
        "rows with an equation of numbers that does not hold, exactly or as rounded / rows with one",
        least=_FEWER,
        counted="rows with an equation",
    ),
    _probe(
        "quality.contradiction_share",
        lambda content: content.contradiction,
        "rows of which another row has the same text, or prompt, and another label / rows with a label; as many "
        "real rows as synthetic ones",
        counted="rows with a label",
        equal_rows=True,
    ),
)
