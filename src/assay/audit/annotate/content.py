"""What is wrong with the content of each row."""

from __future__ import annotations

from dataclasses import dataclass, replace

from assay.audit.annotate.arithmetic import wrong_arithmetic
from assay.audit.annotate.boilerplate import boilerplate
from assay.audit.annotate.checked import Checked, hints
from assay.audit.annotate.code import broken_code
from assay.audit.annotate.echo import echoing
from assay.audit.annotate.json_answers import invalid_json
from assay.audit.annotate.labels import Meanings, contradicting, meanings
from assay.audit.annotate.languages import foreign
from assay.audit.annotate.placeholders import placeholders
from assay.audit.annotate.truncation import truncated
from assay.audit.rows import Index, Rows


@dataclass(frozen=True)
class Content:
    """One check per kind of defect, and what the check for contradictions compares.

    Attributes:
        echo_at: First word of the answer that repeats the prompt, or -1.
        said: What the rows ask and are said to be, by which they contradict each other.
    """

    truncated: Checked
    boilerplate: Checked
    echo: Checked
    echo_at: Index
    language: Checked
    placeholder: Checked
    code: Checked
    json: Checked
    arithmetic: Checked
    contradiction: Checked
    said: Meanings

    def compared_afresh(self) -> Content:
        """The same rows with contradictions among these alone."""
        return replace(self, contradiction=contradicting(self.said))


def content(rows: Rows, spoken: frozenset[int]) -> Content:
    """Every check of `rows`.

    Args:
        spoken: Languages of the real rows, as `languages.spoken` tells them.
    """
    echo, echo_at = echoing(rows.prompt_words, rows.answer_words)
    said = meanings(rows)
    seen = hints(rows.answer)
    code = broken_code(rows.prompt, rows.answer, seen)
    language = foreign(rows, spoken)
    # The words of code are English in every language; between fences they were left out already.
    prose = ~code.fits | seen.fences
    return Content(
        truncated=truncated(rows.answer, rows.answer_words, seen),
        boilerplate=boilerplate(rows.answer),
        echo=echo,
        echo_at=echo_at,
        language=Checked(language.fits & prose, language.fails & prose),
        placeholder=placeholders(rows.answer, seen),
        code=code,
        json=invalid_json(rows.prompt, rows.answer, seen),
        arithmetic=wrong_arithmetic(rows.answer, seen),
        contradiction=contradicting(said),
        said=said,
    )
