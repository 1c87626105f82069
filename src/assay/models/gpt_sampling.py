"""Text by many small transformers at once, token by token, with what was read kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from assay.models.gpt_network import Cache, Network
from assay.models.gpt_training import memory
from assay.models.learner import Sampling

Ints = npt.NDArray[np.int64]


@torch.no_grad()
def write(
    network: Network,
    weights: Tensor,
    prompts: Sequence[Ints],
    boundary: int,
    sampling: Sampling,
    seeds: Sequence[tuple[int, int]],
) -> list[list[list[int]]]:
    """Tokens that each arm writes after each prompt, the boundary that ends a text left out.

    Every text of an arm has its own row of random numbers, so it depends neither on the arms nor on the texts beside
    it.

    Args:
        network: How to read the weights.
        weights: Shape (arms, parameters).
        prompts: Tokens to go on from, one token at least; the last of them that fit in the context are read.
        boundary: The token that ends a text.
        sampling: How to draw.
        seeds: Of each arm's random numbers.
    """
    size = (len(prompts), sampling.most_tokens)
    draws = torch.from_numpy(
        np.stack([np.random.default_rng(each).random(size, np.float32) for each in seeds])
    )
    read = [prompt[-network.shape.context :] for prompt in prompts]
    at_once = _texts(network, len(weights), sampling, weights.device)
    # Prompts of like length share a batch, so that little of it is padding.
    lined = sorted(range(len(prompts)), key=lambda text: (len(read[text]), text))
    found: list[list[list[int]]] = [[[] for _ in prompts] for _ in range(len(weights))]
    for start in range(0, len(lined), at_once):
        chosen = lined[start : start + at_once]
        writer = _Writer(network, weights, [read[text] for text in chosen], boundary, sampling)
        texts = writer.search() if sampling.beams > 1 else writer.draw(draws[:, chosen])
        for arm, row in enumerate(texts):
            for text, tokens in zip(chosen, row.tolist(), strict=True):
                end = tokens.index(boundary) if boundary in tokens else len(tokens)
                found[arm][text] = tokens[:end]
    return found


class _Writer:
    """A batch of prompts that have been read by every arm, each as often as there are beams."""

    def __init__(
        self, network: Network, weights: Tensor, prompts: Sequence[Ints], boundary: int, sampling: Sampling
    ) -> None:
        self.network, self.boundary, self.sampling, self.device = network, boundary, sampling, weights.device
        self.arms, self.texts = len(weights), len(prompts)
        self.matrices = network.matrices(weights)
        length = max(map(len, prompts))
        padded = np.full((len(prompts), length), boundary, np.int64)
        for row, prompt in enumerate(prompts):
            padded[row, length - len(prompt) :] = prompt
        starts = torch.tensor([length - len(prompt) for prompt in prompts], device=self.device)
        # Shape (arms * texts * beams,): where each prompt begins within the padding.
        self.starts = starts.repeat_interleave(sampling.beams).repeat(self.arms)
        sequences = len(self.starts)
        self.cache = Cache.empty(network, sequences, length + sampling.most_tokens, weights)
        given = torch.from_numpy(padded).to(self.device).repeat_interleave(sampling.beams, dim=0)
        self.chances = self._read(given.expand(self.arms, -1, -1))

    def draw(self, draws: Tensor) -> Tensor:
        """Each next token by its chance, or the likeliest at temperature 0; both shape (arms, texts, tokens)."""
        draws = draws.to(self.device).flatten(0, 1)
        written = torch.full(draws.shape, self.boundary, device=self.device)
        ended = torch.zeros(len(draws), dtype=torch.bool, device=self.device)
        for place in range(draws.shape[1]):
            token = _pick(self.chances, draws[:, place], self.sampling)
            token = torch.where(ended, self.boundary, token)
            written[:, place] = token
            ended |= token == self.boundary
            if ended.all() or place == draws.shape[1] - 1:
                break
            self.chances = self._read(token.view(self.arms, self.texts, 1))
        return written.view(self.arms, self.texts, -1)

    def search(self) -> Tensor:
        """Beam search for the text whose tokens are likeliest on average, shape (arms, texts, tokens)."""
        beams, most, groups = self.sampling.beams, self.sampling.most_tokens, self.arms * self.texts
        written = torch.full((groups * beams, most), self.boundary, device=self.device)
        ended = torch.zeros(groups * beams, dtype=torch.bool, device=self.device)
        counts = torch.zeros(groups * beams, device=self.device)
        # All beams of a text are alike at first, so only one of them may go on.
        scores = torch.full((groups, beams), -torch.inf, device=self.device)
        scores[:, 0] = 0
        firsts = torch.arange(groups, device=self.device)[:, None] * beams
        rest = torch.full((self.network.tokens,), -torch.inf, device=self.device)
        rest[self.boundary] = 0  # an ended text stays as it is
        for place in range(most):
            steps = torch.where(ended[:, None], rest, self.chances)
            totals = (scores.view(-1, 1) + steps).view(groups, -1)
            scores, best = totals.topk(beams, dim=1)
            came = (firsts + best // self.network.tokens).flatten()
            token = (best % self.network.tokens).flatten()
            written, ended, counts = written[came], ended[came], counts[came]
            written[:, place] = token
            counts += ~ended
            ended |= token == self.boundary
            if ended.all() or place == most - 1:
                break
            self.cache.reorder(came)
            self.chances = self._read(token.view(self.arms, self.texts * beams, 1))
        best = (scores / counts.view(groups, beams)).argmax(dim=1)
        return written[firsts[:, 0] + best].view(self.arms, self.texts, most)

    def _read(self, tokens: Tensor) -> Tensor:
        """Log-chances of the token after the given ones, shape (arms * sequences, vocabulary)."""
        length, before = tokens.shape[2], self.cache.filled
        asks = torch.arange(before, before + length, device=self.device)
        keys = torch.arange(before + length, device=self.device)
        near = (keys <= asks[:, None]) & (keys > asks[:, None] - self.network.shape.context)
        # Padding reads itself, so that no place is without anything to read.
        own = keys == asks[:, None]
        mask = (near & (keys >= self.starts[:, None, None]) | own)[:, None]
        hidden = self.network.hidden(self.matrices, tokens, self.network.turns(asks), mask, self.cache)
        last = hidden.view(self.arms, -1, length, hidden.shape[2])[:, :, -1]
        return self.network.logits(self.matrices, last).log_softmax(dim=2).flatten(0, 1)


def _pick(chances: Tensor, draws: Tensor, sampling: Sampling) -> Tensor:
    """One token of each row: the first whose chance, added to those of likelier tokens, passes the draw.

    Source: Holtzman et al. 2020 (the likeliest tokens up to a mass).
    """
    if sampling.temperature == 0:
        return chances.argmax(dim=1)
    sorted_, tokens = (
        (chances / sampling.temperature).softmax(dim=1).sort(dim=1, descending=True, stable=True)
    )
    mass = sorted_.cumsum(dim=1)
    # The token that passes the kept mass is kept, so at least one is.
    kept = (mass - sorted_ < sampling.top_p).sum(dim=1, keepdim=True)
    whole = mass.gather(1, kept - 1)
    place = torch.searchsorted(mass, draws[:, None] * whole, right=True).clamp(max=kept - 1)
    return tokens.gather(1, place)[:, 0]


def _texts(network: Network, arms: int, sampling: Sampling, device: torch.device) -> int:
    """How many texts fit into the memory at once, for all arms."""
    shape = network.shape
    length = shape.context + sampling.most_tokens
    # Keys and values; of the prompt at once, the widest layer; the chances sorted.
    sequence = 2 * shape.depth * shape.width * length + 12 * shape.width * shape.context + 6 * network.tokens
    return int(max(1, memory(device) // (4 * arms * sampling.beams * sequence)))
