"""Rows in which an assistant speaks about itself or declines, instead of doing the task."""

from __future__ import annotations

import functools
import re
from importlib import resources

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assay.audit.rows import Bools

# Refusals come first thing; further down the same words are often quoted.
_LEADING_CHARACTERS = 200


def refuses(answers: pa.Array) -> Bools:
    """Rows whose answer opens with a phrase of ``refusals.txt``, or holds one marked ``*`` near its start.

    Args:
        answers: Text the model should have written, shape (rows,).
    """
    lead = pc.utf8_lower(pc.utf8_slice_codeunits(answers, 0, _LEADING_CHARACTERS))
    lead = pc.replace_substring(lead, "\u2019", "'")
    found = pc.match_substring_regex(lead, _pattern())
    return np.asarray(pc.fill_null(found, False).to_numpy(zero_copy_only=False), dtype=bool)


@functools.cache
def _pattern() -> str:
    file = resources.files("assay.audit.probes") / "refusals.txt"
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    phrases = [line for line in lines if line and not line.startswith("#")]
    openings = "|".join(re.escape(phrase) for phrase in phrases if not phrase.startswith("*"))
    anywhere = "|".join(re.escape(phrase[1:].strip()) for phrase in phrases if phrase.startswith("*"))
    return rf"^\W*(?:{openings})\b|\b(?:{anywhere})\b"
