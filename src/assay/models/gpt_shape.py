"""One dial for a language model trained from scratch: its depth; what follows from it."""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.errors import InputError

_HEAD = 64  # dimensions of an attention head; a layer adds one
_TUNED_WIDTH = 192  # where the learning rate was tried out
_DEEPEST = 32


@dataclass(frozen=True)
class Shape:
    """The network and how it is trained.

    Attributes:
        depth: Layers.
        width: Dimensions of a token within the network.
        heads: Attention heads of a layer; they share out the width, each an even part.
        vocabulary: Tokens, at most; a small corpus has fewer.
        context: Tokens that are read together, at most.
        batch: Sequences of that length in a step of one arm.
        epochs: How often a row of weight one is read.
        learning_rate: Of the embedding, at its highest.
        hidden_learning_rate: Of the matrices within the layers, at its highest.
    """

    depth: int
    width: int
    heads: int
    vocabulary: int
    context: int
    batch: int
    epochs: int
    learning_rate: float
    hidden_learning_rate: float

    def __post_init__(self) -> None:
        if min(self.depth, self.width, self.heads, self.batch, self.epochs) < 1 or self.context < 4:
            raise InputError(
                "a language model needs a layer, a head, a sequence, an epoch and a context of 4"
            )
        if self.width % (2 * self.heads):
            raise InputError(
                f"a width of {self.width} can't be shared out to {self.heads} heads in even parts"
            )

    @classmethod
    def of(cls, depth: int) -> Shape:
        """The shape for a depth: every layer makes the network 64 dimensions wider and gives it one more head.

        Width and heads grow together with the layers, so that the parameters grow with the third power of the
        depth (1.7 million at depth 3), and context and vocabulary with the depth. A step reads 1,024 tokens or
        more of each arm: small steps, because a trial's arms are small and each needs some hundred of them. Four
        epochs are what rows can be repeated for with hardly a loss. The learning rate of the hidden matrices falls
        with the width, so that one choice serves every depth; it is a third of what gave the lowest loss when it
        was tried, because rankings of training sets by small models agree with those by large ones when the
        learning rate is low, and may turn around when it is not.

        Raises: InputError: no depth from 1 to 32.
        Source: Karpathy 2025, nanochat (a depth that sets the rest); Yang et al. 2022, Tensor Programs V (learning
            rates over widths); Muennighoff et al. 2023, Scaling Data-Constrained Language Models (four epochs);
            Marek et al. 2025, Small Batch Size Training for Language Models; Wang et al. 2026, Can Small Training
            Runs Reliably Guide Data Curation? (low learning rates); Tao et al. 2024, Scaling Laws with Vocabulary.
        """
        if not 1 <= depth <= _DEEPEST:
            raise InputError(f"the depth of a language model goes from 1 to {_DEEPEST}, not {depth}")
        return cls(
            depth=depth,
            width=_HEAD * depth,
            heads=depth,
            vocabulary=min(512 * (depth + 1), 16_384),
            context=min(64 * (depth + 1), 1024),
            batch=4,
            epochs=4,
            learning_rate=1e-3,
            hidden_learning_rate=1e-3 * _TUNED_WIDTH / (_HEAD * depth),
        )

    def parameters(self, tokens: int) -> int:
        """Numbers that are learned when the vocabulary has this many tokens."""
        return 12 * self.depth * self.width**2 + tokens * self.width

    def flops(self, tokens: int) -> float:
        """Floating-point operations to train on one token, its share of attention to a full context included.

        Source: Chowdhery et al. 2022, PaLM, appendix B (six for each parameter, and attention to every place).
        """
        return 6.0 * self.parameters(tokens) + 12.0 * self.depth * self.width * self.context
