"""A stack of small transformers as one network: every weight has a leading dimension of arms.

Pre-norm layers with rotary positions and squared ReLU, no biases and no gains; the embedding is also the output. All
weights of an arm are one row of a matrix, so that whatever concerns an arm (its gradient's length, its optimiser) is
one operation on that matrix.

Source: Radford et al. 2019 (GPT-2); Su et al. 2021, RoFormer (rotary positions); So et al. 2021, Primer (squared
ReLU); Press & Wolf 2017 (tied embedding); Ba et al. 2016, Layer Normalization.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import embedding, layer_norm, scaled_dot_product_attention

from assay.models.gpt_shape import Shape

_EMBEDDING_SPREAD = 0.02


@dataclass(frozen=True)
class Network:
    """A shape with a vocabulary: what is needed to read a row of weights.

    Attributes:
        shape: The shape.
        tokens: Size of the vocabulary.
    """

    shape: Shape
    tokens: int

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Rows and columns of an arm's matrices: the embedding, then four of each layer."""
        width = self.shape.width
        layer = [(width, 3 * width), (width, width), (width, 4 * width), (4 * width, width)]
        return [(self.tokens, width), *layer * self.shape.depth]

    def first(self, seed: int) -> Tensor:
        """An arm's weights before training, shape (parameters,); they depend on the seed alone.

        What a layer adds to a token starts at zero, so that the first steps are calm at any depth.
        """
        generator = torch.Generator().manual_seed(int(seed) % 2**63)
        flat = []
        for place, (rows, columns) in enumerate(self.sizes):
            adds = place > 0 and place % 2 == 0
            spread = _EMBEDDING_SPREAD if place == 0 else 0.0 if adds else rows**-0.5
            flat.append(torch.randn(rows * columns, generator=generator) * spread)
        return torch.cat(flat)

    def learning_rates(self) -> Tensor:
        """The highest learning rate of each weight, shape (parameters,)."""
        rates = torch.full((self.shape.parameters(self.tokens),), self.shape.hidden_learning_rate)
        rates[: self.tokens * self.shape.width] = self.shape.learning_rate
        return rates

    def matrices(self, weights: Tensor) -> list[Tensor]:
        """Views of (arms, parameters) as matrices, each (arms, rows, columns)."""
        parts = torch.split(weights, [rows * columns for rows, columns in self.sizes], dim=1)
        return [part.view(len(weights), *size) for part, size in zip(parts, self.sizes, strict=True)]

    def embed(self, matrices: list[Tensor], tokens: Tensor) -> Tensor:
        """Vectors of the tokens, (arms, sequences, length) to (arms, sequences * length, width)."""
        arms = len(tokens)
        table = matrices[0].reshape(arms * self.tokens, self.shape.width)
        offsets = torch.arange(arms, device=tokens.device)[:, None] * self.tokens
        return embedding(tokens.reshape(arms, -1) + offsets, table)

    def hidden(
        self,
        matrices: list[Tensor],
        tokens: Tensor,
        turns: tuple[Tensor, Tensor],
        allowed: Tensor,
        cache: Cache | None = None,
    ) -> Tensor:
        """What the network makes of every token, shape (arms, sequences * length, width).

        Args:
            matrices: The weights.
            tokens: Shape (arms, sequences, length).
            turns: Cosines and sines of the tokens' positions, each shape (length, head // 2).
            allowed: Which positions each may attend to, broadcast to (arms * sequences, 1, length, read).
            cache: Keys and values that were computed before; those of these tokens are added.
        """
        arms, sequences, length = tokens.shape
        width, heads = self.shape.width, self.shape.heads
        state = layer_norm(self.embed(matrices, tokens), (width,))
        for layer in range(self.shape.depth):
            mix, out, up, down = matrices[1 + 4 * layer : 5 + 4 * layer]
            mixed = torch.bmm(layer_norm(state, (width,)), mix)
            mixed = mixed.view(arms * sequences, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
            asks, keys = _turn(mixed[0], turns), _turn(mixed[1], turns)
            values = mixed[2]
            if cache is not None:
                keys, values = cache.add(layer, keys, values)
            read = scaled_dot_product_attention(asks, keys.to(asks.dtype), values.to(asks.dtype), allowed)
            read = read.transpose(1, 2).reshape(arms, sequences * length, width)
            state = state + torch.bmm(read, out)
            raised = torch.relu(torch.bmm(layer_norm(state, (width,)), up)).square()
            state = state + torch.bmm(raised, down)
        return layer_norm(state, (width,))

    def logits(self, matrices: list[Tensor], hidden: Tensor) -> Tensor:
        """Logits of the next token, (arms, places, width) to float32 (arms, places, tokens)."""
        return torch.bmm(hidden, matrices[0].transpose(1, 2)).float()

    def turns(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and sines by which a position turns queries and keys, each shape (positions, head // 2)."""
        half = self.shape.width // self.shape.heads // 2
        speeds = 10_000.0 ** (-torch.arange(half, device=positions.device) / half)
        angles = positions[:, None] * speeds
        return angles.cos(), angles.sin()


@dataclass
class Cache:
    """Keys and values of the tokens read so far, each (layers, sequences, heads, length, head)."""

    keys: Tensor
    values: Tensor
    filled: int = 0

    @classmethod
    def empty(cls, network: Network, sequences: int, length: int, like: Tensor) -> Cache:
        """Room for so many tokens of so many sequences."""
        shape = network.shape
        size = (shape.depth, sequences, shape.heads, length, shape.width // shape.heads)
        return cls(like.new_zeros(size), like.new_zeros(size))

    def add(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Put in the keys and values of new tokens; all that are there now."""
        end = self.filled + keys.shape[2]
        self.keys[layer, :, :, self.filled : end] = keys
        self.values[layer, :, :, self.filled : end] = values
        if layer == len(self.keys) - 1:
            self.filled = end
        return self.keys[layer, :, :, :end], self.values[layer, :, :, :end]

    def reorder(self, sequences: Tensor) -> None:
        """Take over the past of other sequences, shape (sequences,)."""
        self.keys[:, :, :, : self.filled] = self.keys[:, sequences, :, : self.filled]
        self.values[:, :, :, : self.filled] = self.values[:, sequences, :, : self.filled]


def _turn(vectors: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
    """Rotate the two halves of each head's vector by the position's angles."""
    cosines, sines = (each.to(vectors.dtype) for each in turns)
    left, right = vectors.chunk(2, dim=-1)
    return torch.cat([left * cosines - right * sines, left * sines + right * cosines], dim=-1)
