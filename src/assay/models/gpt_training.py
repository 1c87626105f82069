"""Many small transformers trained side by side: one forward pass, one optimiser step for all of them.

An arm has as many steps as its own rows fill, and its own schedule over them. Arms are sorted by their steps, so
that those still in training are always the first rows of the block's weights and the others cost nothing more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from assay.models.gpt_network import Network
from assay.models.gpt_rows import Batch, Packed, Pieces, batch, order

_DECAY = 0.1
_MOMENTS = (0.9, 0.99)
_TINY = 1e-8
_LONGEST_GRADIENT = 1.0
_WARM_UP = 0.1  # of an arm's steps
# More arms at once than the caches hold cost a processor more memory traffic than they save in calls.
_CPU_BYTES = 2**28
_GPU_SHARE = 0.5  # of its memory
_PROBED_STEPS = 2


@dataclass(frozen=True)
class Plan:
    """What an arm reads.

    Attributes:
        arm: Which row of the weights.
        seed: Of its first weights and the order of its rows.
        packed: Its rows in sequences, over all epochs.
        steps: Optimiser steps.
        tokens: Tokens it is trained on, those that are only read included.
    """

    arm: int
    seed: int
    packed: Packed
    steps: int
    tokens: int


def plans(
    network: Network, pieces: Pieces, weights: npt.NDArray[np.floating], seeds: npt.NDArray[np.int64]
) -> list[Plan]:
    """What every arm reads, the longest first."""
    shape = network.shape
    found = []
    for arm, (row_weights, seed) in enumerate(zip(weights, seeds.tolist(), strict=True)):
        packed = Packed.fill(order(pieces, row_weights, seed, shape.epochs), pieces.lengths, shape.context)
        tokens = int(pieces.lengths[packed.piece].sum())
        found.append(Plan(arm, seed, packed, -(-packed.sequences // shape.batch), tokens))
    return sorted(found, key=lambda plan: (-plan.steps, plan.arm))


def blocks(network: Network, planned: Sequence[Plan], device: torch.device) -> list[list[Plan]]:
    """Arms that are trained together: as many as the memory holds, of like length."""
    most = max(1, memory(device) // _bytes_per_arm(network))
    number = -(-len(planned) // most)
    cuts = [len(planned) * part // number for part in range(number + 1)] if number else []
    return [list(planned[low:high]) for low, high in pairwise(cuts)]


def memory(device: torch.device) -> int:
    """Bytes that a block may take: the same at any time, so that blocks and their last digits are too."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory * _GPU_SHARE)
    return _CPU_BYTES


def _bytes_per_arm(network: Network) -> int:
    """Weights, gradient and optimiser; what a forward pass keeps of each layer; the logits twice; the mask."""
    shape = network.shape
    places = shape.batch * shape.context
    kept = 30 * shape.width * shape.depth + 2 * network.tokens + 2 * shape.context
    return 4 * (6 * shape.parameters(network.tokens) + places * kept)


class Block:
    """Arms in training.

    Attributes:
        plans: What they read, the longest first.
        weights: Shape (arms, parameters).
    """

    def __init__(
        self, network: Network, pieces: Pieces, planned: Sequence[Plan], device: torch.device
    ) -> None:
        self.network, self.pieces, self.plans, self.device = network, pieces, list(planned), device
        firsts = {plan.seed: network.first(plan.seed) for plan in self.plans}
        self.weights = torch.stack([firsts[plan.seed] for plan in self.plans]).to(device)
        self._mean, self._square = torch.zeros_like(self.weights), torch.zeros_like(self.weights)
        self._rates = network.learning_rates().to(device)
        self._lengths = np.array([plan.steps for plan in self.plans])

    @property
    def steps(self) -> int:
        """Steps of the longest arm."""
        return int(self._lengths.max(initial=0))

    def step(self, number: int) -> int:
        """Step `number`, from 0, of every arm that has one; how many those are."""
        active = int((self._lengths > number).sum())
        shape = self.network.shape
        packed = [plan.packed for plan in self.plans[:active]]
        read = batch(self.pieces, packed, number * shape.batch, shape.batch, shape.context)
        gradient = self._gradient(self.weights[:active], read)
        lengths = gradient.norm(dim=1, keepdim=True)
        gradient *= (_LONGEST_GRADIENT / (lengths + _TINY)).clamp(max=1)
        share = torch.tensor(schedule(number, self._lengths[:active]), dtype=torch.float32)
        self._move(active, gradient, share.to(self.device)[:, None], number + 1)
        return active

    def _gradient(self, weights: Tensor, read: Batch) -> Tensor:
        """Of each arm's own mean loss over the tokens it learns, shape of the weights."""
        leaf = weights.detach().requires_grad_()
        given, wanted, learned, piece = (
            torch.from_numpy(each).to(self.device)
            for each in (read.given, read.wanted, read.learned, read.piece)
        )
        counts = learned.flatten(1)
        shares = counts / counts.sum(dim=1, keepdim=True).clamp(min=1)
        with autocast(self.device):
            matrices = self.network.matrices(leaf)
            turns = self.network.turns(torch.arange(given.shape[2], device=self.device))
            hidden = self.network.hidden(matrices, given, turns, allowed(piece))
            # The loss itself is never needed. Its slope at the logits is the chances minus the truth, and going back
            # from there by hand spares three arrays of the logits' size, which are the largest of all.
            with torch.no_grad():
                slope = self.network.logits(matrices, hidden).softmax(dim=2)
                slope.scatter_add_(
                    2, wanted.flatten(1)[:, :, None], slope.new_full((), -1.0).expand(*counts.shape, 1)
                )
                slope *= shares[:, :, None]
                at_hidden = torch.bmm(slope, matrices[0]).to(hidden.dtype)
                at_table = torch.bmm(slope.transpose(1, 2), hidden).to(leaf.dtype)
        return torch.autograd.grad((hidden, matrices[0]), leaf, (at_hidden, at_table))[0]

    @torch.no_grad()
    def _move(self, active: int, gradient: Tensor, share: Tensor, number: int) -> None:
        """AdamW with a learning rate for each arm and weight (Loshchilov & Hutter 2019)."""
        weights, mean, square = self.weights[:active], self._mean[:active], self._square[:active]
        mean.lerp_(gradient, 1 - _MOMENTS[0])
        square.mul_(_MOMENTS[1]).addcmul_(gradient, gradient, value=1 - _MOMENTS[1])
        spread = (square / (1 - _MOMENTS[1] ** number)).sqrt_().add_(_TINY)
        change = torch.div(mean, spread, out=spread).div_(1 - _MOMENTS[0] ** number)
        weights.sub_(change.add_(weights, alpha=_DECAY).mul_(self._rates).mul_(share))


def schedule(number: int, steps: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Share of the highest learning rate at a step of arms with so many steps, shape of `steps`.

    Up over the first tenth, then straight to zero.

    Source: Bergsma et al. 2025, Straight to Zero.
    """
    warm = np.ceil(steps * _WARM_UP)
    share = np.minimum((number + 1) / warm, (steps - number) / np.maximum(steps - warm + 1, 1))
    return np.asarray(share, dtype=np.float64)


def allowed(piece: Tensor) -> Tensor:
    """Which places each place may read: those before it in its piece, and itself.

    Args:
        piece: Piece of each place, shape (..., length).
    Returns: Shape (sequences, 1, length, length).
    """
    flat = piece.flatten(0, -2)
    same = flat[:, None, :, None] == flat[:, None, None, :]
    return same.tril_()


def autocast(device: torch.device) -> AbstractContextManager[object]:
    """Half precision where the machine has bfloat16 for it; on the processor nothing."""
    if device.type == "cuda" and torch.cuda.is_bf16_supported():
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return nullcontext()


def train(
    network: Network,
    pieces: Pieces,
    planned: Sequence[Plan],
    device: torch.device,
    told: Callable[[int], None],
) -> tuple[Tensor, float]:
    """All steps of a block; `told` hears how many arms took each. Returns the weights and the seconds."""
    started = time.perf_counter()
    block = Block(network, pieces, planned, device)
    for number in range(block.steps):
        told(block.step(number))
    settle(device)
    return block.weights, time.perf_counter() - started


def probe(network: Network, pieces: Pieces, planned: Sequence[Plan], device: torch.device) -> float:
    """Seconds that an arm's step takes within the first block, measured over a few steps that are thrown away."""
    first = blocks(network, planned, device)[0]
    block = Block(network, pieces, first, device)
    block.step(0)
    settle(device)
    started = time.perf_counter()
    done = sum(block.step(min(1 + number, block.steps - 1)) for number in range(_PROBED_STEPS))
    settle(device)
    return (time.perf_counter() - started) / done


def settle(device: torch.device) -> None:
    """Wait for what the device still computes."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
