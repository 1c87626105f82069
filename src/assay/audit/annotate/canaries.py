"""Which planted secrets left a trace, and in which rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from assay.audit.rows import Bools, Floats, Index, Rows
from assay.core.canary import Canary
from assay.kernels.spans import verbatim
from assay.kernels.text import Tokens, tokens

ECHO_WORDS = 2


@dataclass(frozen=True)
class Traces:
    """Arrays of shape (canaries,).

    Attributes:
        whole: Some row holds the secret word for word.
        echo: Share of the secret's words that lie in runs of two or more that some row holds.
        row: A row with the longest part of it, or -1.
    """

    whole: Bools
    echo: Floats
    row: Index


def traces(canaries: Sequence[Canary], rows: Rows) -> Traces:
    """What the rows hold of each secret."""
    secrets = _secrets(canaries)
    lengths = np.diff(secrets.offsets)
    echoed, row = verbatim(secrets, rows.tokens, min_tokens=ECHO_WORDS)
    standing, whole_row = verbatim(secrets, rows.tokens, min_tokens=int(lengths.min()))
    share = _shares(echoed, secrets)
    return Traces(_shares(standing, secrets) == 1, share, np.where(whole_row >= 0, whole_row, row))


def betrays(canaries: Sequence[Canary], rows: Rows) -> Bools:
    """Rows that hold a whole secret, shape (rows,)."""
    secrets = _secrets(canaries)
    _, found = verbatim(rows.tokens, secrets, min_tokens=int(np.diff(secrets.offsets).min()))
    return found >= 0


def _secrets(canaries: Sequence[Canary]) -> Tokens:
    return tokens(pa.array([canary.secret for canary in canaries], pa.large_string()))


def _shares(mask: Bools, secrets: Tokens) -> Floats:
    running = np.concatenate([np.zeros(1), np.cumsum(mask)])
    found = running[secrets.offsets[1:]] - running[secrets.offsets[:-1]]
    return np.asarray(found / np.maximum(np.diff(secrets.offsets), 1))
