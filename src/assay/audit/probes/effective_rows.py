"""How many real rows would tell as much that is new?"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from assay.audit.probe import Floats, Reader, SampleProbe
from assay.audit.probes.repeated_runs import held
from assay.audit.rows import Bools, Rows

WORDS = 2
# Points of the curve; between two of them it bends too little to matter.
_STEPS = 64


def rarefied(holders: npt.NDArray[np.int64], rows: int, taken: Floats) -> Floats:
    """Distinct runs to expect in `taken` of `rows` rows, shape (points,), by how many rows hold each run.

    A run that n rows hold is missed by a draw of m without replacement with probability
    C(N - n, m) / C(N, m); the sum of what is not missed is exact, so nothing needs to be drawn.

    Source: Hurlbert 1971, Ecology 52, 577-586, for individuals; sample-based in Colwell et al. 2012, Journal
        of Plant Ecology 5, 3-21.
    """
    times, runs = np.unique(holders[holders > 0], return_counts=True)
    left = rows - times[None, :] - taken[:, None]
    missed = np.exp(
        gammaln(rows - times + 1)[None, :]
        + gammaln(rows - taken + 1)[:, None]
        - gammaln(np.maximum(left, 0) + 1)
        - gammaln(rows + 1)
    )
    return np.asarray(((1 - np.where(left >= 0, missed, 0.0)) * runs).sum(axis=1))


def worth(found: int, curve: Floats, taken: Floats) -> float:
    """Where on a rising `curve`, shape (points,), `found` lies, as a value of `taken`.

    Beyond its end the curve goes on as the power of its last tenth (Heaps 1978, Information Retrieval).
    """
    if found <= curve[-1]:
        return float(np.interp(found, curve, taken))
    late = int(0.9 * (len(taken) - 1))
    power = math.log(curve[-1] / curve[late]) / math.log(taken[-1] / taken[late])
    return float(taken[-1] * (found / curve[-1]) ** (1 / max(power, 0.1)))


def _prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
    distinct, place, row = held(rows, WORDS)
    known, place_real, row_real = held(real, WORDS)
    lengths, lengths_real = rows.lengths, real.lengths

    def worth_of(kept: Bools, kept_real: Bools) -> float:
        seen = np.zeros(len(distinct), bool)
        seen[place[kept[row]]] = True
        holders = np.bincount(place_real[kept_real[row_real]], minlength=len(known))
        number = int(kept_real.sum())
        if not seen.any() or not holders.any():
            return float("nan")
        taken = np.linspace(0.0, number, _STEPS + 1)
        rows_worth = worth(int(seen.sum()), rarefied(holders, number, taken), taken)
        # Parts of the samples do not hold quite as many tokens; a row's worth is reckoned by the token.
        return rows_worth / number * float(lengths_real[kept_real].sum() / lengths[kept].sum())

    return worth_of


PROBE = SampleProbe(
    "diversity.effective_rows",
    _prepare,
    f"real tokens that hold as many distinct {WORDS}-word runs as the sample / tokens of the sample; read off the "
    "exact rarefaction curve of as many tokens of real rows, beyond its end by its last slope",
    equal="tokens",
    against_real=True,
    most=200_000,
    bounds=(0.0, math.inf),
)
