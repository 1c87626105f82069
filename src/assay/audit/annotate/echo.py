"""Rows whose answer repeats its prompt."""

from __future__ import annotations

import numpy as np

from assay.audit.annotate.checked import Checked
from assay.audit.rows import Index
from assay.kernels.echoes import echoes, opens_alike
from assay.kernels.text import Tokens

LEAST_WORDS = 8


def echoing(prompts: Tokens, answers: Tokens) -> tuple[Checked, Index]:
    """Rows that open as their prompt does, or say half of it again, in each case 8 words in a row or more.

    Args:
        prompts: Words the model was given; a row without a prompt has none.
        answers: Words it should have written.
    Returns: The rows; and the first word of the echo within the answer, or -1, shape (rows,).
    """
    asked, said = np.diff(prompts.offsets), np.diff(answers.offsets)
    fits = (asked >= LEAST_WORDS) & (said > 0)
    place = echoes(answers, prompts, np.where(fits, np.maximum(LEAST_WORDS, (asked + 1) // 2), 0))
    place[opens_alike(answers, prompts, LEAST_WORDS)] = 0
    return Checked(fits, fits & (place >= 0)), np.where(fits, place, -1)
