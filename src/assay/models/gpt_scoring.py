"""What trained transformers make of texts: bits, and how sure they were against how right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from assay.models.gpt_network import Network
from assay.models.gpt_rows import Packed, Pieces, batch
from assay.models.gpt_training import allowed, memory

BINS = 15  # of confidence, of equal width


@dataclass(frozen=True)
class Judged:
    """Sums over the learned tokens of each row.

    Attributes:
        bits: Of the tokens, shape (arms, rows).
        over: Confidence minus correctness within bins of confidence, shape (arms, rows, bins).
        decisions: Tokens, shape (rows,).
    """

    bits: npt.NDArray[np.float64]
    over: npt.NDArray[np.float64]
    decisions: npt.NDArray[np.int64]


@torch.no_grad()
def judge(network: Network, weights: Tensor, pieces: Pieces) -> Judged:
    """Every arm on every row, in float32.

    Args:
        network: How to read the weights.
        weights: Shape (arms, parameters).
        pieces: The rows.
    Source: Guo et al. 2017, On Calibration of Modern Neural Networks (bins of confidence).
    """
    arms, device, context = len(weights), weights.device, network.shape.context
    matrices = network.matrices(weights)
    turns = network.turns(torch.arange(context, device=device))
    packed = Packed.fill(np.arange(len(pieces.row)), pieces.lengths, context)
    bits, over = np.zeros((arms, pieces.rows)), np.zeros((arms, pieces.rows * BINS))
    decisions = np.zeros(pieces.rows, np.int64)
    number = _sequences(network, arms, device)
    for first in range(0, packed.sequences, number):
        read = batch(pieces, [packed], first, min(number, packed.sequences - first), context)
        places = np.flatnonzero(read.learned)
        row = pieces.row[read.piece.ravel()[places]]
        given, piece = (torch.from_numpy(each).to(device) for each in (read.given, read.piece))
        mask = allowed(piece).expand(arms, -1, -1, -1, -1).flatten(0, 1)
        hidden = network.hidden(matrices, given.expand(arms, -1, -1), turns, mask)
        logits = network.logits(matrices, hidden[:, torch.from_numpy(places).to(device)])
        chances = logits.log_softmax(dim=2)
        wanted = torch.from_numpy(read.wanted.ravel()[places]).to(device)
        spent = -chances.gather(2, wanted.expand(arms, -1)[:, :, None])[:, :, 0] / np.log(2)
        best, guess = chances.max(dim=2)
        sure = best.exp().double().cpu().numpy()
        right = (guess == wanted).cpu().numpy()
        decisions += np.bincount(row, minlength=pieces.rows)
        for arm, found in enumerate(spent.double().cpu().numpy()):
            bits[arm] += np.bincount(row, found, pieces.rows)
            bin_ = np.minimum((sure[arm] * BINS).astype(np.int64), BINS - 1)
            over[arm] += np.bincount(row * BINS + bin_, sure[arm] - right[arm], pieces.rows * BINS)
    return Judged(bits, over.reshape(arms, pieces.rows, BINS), decisions)


def _sequences(network: Network, arms: int, device: torch.device) -> int:
    """How many sequences fit into the memory at once, for all arms."""
    shape = network.shape
    place = 12 * shape.width + 3 * network.tokens + 2 * shape.context
    return int(max(1, memory(device) // (4 * arms * shape.context * place)))
