"""Rows whose answer repeats its prompt."""

from __future__ import annotations

import numpy as np

from assay.audit.annotate.checked import Checked
from assay.audit.rows import Index
from assay.kernels.echoes import echoes, opens_alike
from assay.kernels.text import Tokens

LEAST_WORDS, OPENING_WORDS = 8, 12
# A short question may be taken up in its answer, so nearly all of it must return; of a long one, half.
_NEARLY, _LONG = 0.9, 18


def echoing(prompts: Tokens, answers: Tokens) -> tuple[Checked, Index]:
    """Rows that open with the prompt's first 12 words, or say half of it again in a row; of short ones all.

    Args:
        prompts: Words the model was given; a row without a prompt has none.
        answers: Words it should have written.
    Returns: The rows; and the first word of the echo within the answer, or -1, shape (rows,).
    """
    asked, said = np.diff(prompts.offsets), np.diff(answers.offsets)
    fits = (asked >= LEAST_WORDS) & (said > 0)
    nearly = np.minimum(np.ceil(_NEARLY * asked).astype(np.int64), _LONG)
    lengths = np.maximum(np.maximum(LEAST_WORDS, nearly), (asked + 1) // 2)
    place = echoes(answers, prompts, np.where(fits, lengths, 0))
    place[opens_alike(answers, prompts, OPENING_WORDS)] = 0
    return Checked(fits, fits & (place >= 0)), np.where(fits, place, -1)
