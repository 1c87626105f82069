"""What an arm may change of a base model: adapters of low rank, or every weight; and a head for classes.

The base is loaded once. Before each arm what may change goes back to where it began, so no arm knows of another.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from assay.models.pretrained import Base, imported

Method = Literal["lora", "full"]
_ADAPTER = "arm"


@dataclass(frozen=True)
class Kept:
    """The weights of a trained arm, in memory, or in a temporary folder that goes away with this object."""

    tensors: Mapping[str, Any]
    folder: tempfile.TemporaryDirectory[str] | None = None


class Tunable:
    """A base whose changeable weights can be reset, taken out and put back.

    Attributes:
        model: The causal language model; adapters sit within it.
        head: From the last token's state to classes, shape (classes, width); None where the task has none.
        device: Where it runs.
        parameters: How many weights a token is multiplied with, all of them and those that an arm may change.

    Source: Hu et al. 2022, LoRA, ICLR (adapters beside every linear layer but the last; scale of twice the rank).
    """

    def __init__(self, base: Base, method: Method, rank: int, classes: int) -> None:
        torch = imported("torch")
        self.model, self.method = base.model, method
        self.device = base.model.device
        self.head: Any = None
        if method == "lora":
            self._inject(rank)
        else:
            self.model.requires_grad_(True)
        if classes:
            width = self.model.config.get_text_config().hidden_size
            self.head = torch.nn.Linear(width, classes, device=self.device, dtype=torch.float32)
        self._changeable = {n: p for n, p in self.model.named_parameters() if p.requires_grad}
        # Whatever the rows, an arm begins here; adapters draw their first weights anew instead.
        self._first = (
            {} if method == "lora" else {n: p.detach().cpu().clone() for n, p in self._changeable.items()}
        )
        self._holds: Kept | None = None
        self.parameters = self._counted()

    def changeable(self) -> list[Any]:
        """The weights that an arm trains."""
        return [*self._changeable.values(), *(self.head.parameters() if self.head is not None else ())]

    def reset(self, seed: int) -> None:
        """Back to the base: adapters that change nothing yet, with first weights by `seed`; a head of zeros."""
        torch = imported("torch")
        self._holds = None
        with torch.no_grad(), torch.random.fork_rng(devices=self._generators()):
            torch.manual_seed(seed)
            for module in self._adapted():
                module.reset_lora_parameters(_ADAPTER, init_lora_weights=True)
            for name, first in self._first.items():
                self._changeable[name].copy_(first)
            if self.head is not None:
                torch.nn.init.zeros_(self.head.weight)
                torch.nn.init.zeros_(self.head.bias)

    def take(self) -> Kept:
        """A copy of what was trained: adapters in memory, whole models in a temporary file of safetensors."""
        tensors = {name: weight.detach().cpu().clone().contiguous() for name, weight in self._state().items()}
        if self.method == "lora":
            self._holds = Kept(tensors)
        else:
            folder = tempfile.TemporaryDirectory(prefix="assay-arm-")
            imported("safetensors.torch").save_file(tensors, Path(folder.name) / "arm.safetensors")
            self._holds = Kept({}, folder)
        return self._holds

    def put(self, kept: Kept) -> None:
        """Make the model the arm that `kept` was taken from."""
        if self._holds is kept:
            return
        tensors = kept.tensors
        if kept.folder is not None:
            tensors = imported("safetensors.torch").load_file(Path(kept.folder.name) / "arm.safetensors")
        with imported("torch").no_grad():
            for name, weight in self._state().items():
                weight.copy_(tensors[name])
        self._holds = kept

    def _state(self) -> dict[str, Any]:
        head = {} if self.head is None else {f"head.{n}": p for n, p in self.head.named_parameters()}
        return {**self._changeable, **head}

    def _inject(self, rank: int) -> None:
        torch, peft, pytorch_utils = (
            imported("torch"),
            imported("peft"),
            imported("transformers.pytorch_utils"),
        )
        turned = any(isinstance(module, pytorch_utils.Conv1D) for module in self.model.modules())
        config = peft.LoraConfig(
            r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules="all-linear", fan_in_fan_out=turned
        )
        peft.inject_adapter_in_model(config, self.model, adapter_name=_ADAPTER)
        for name, weight in self.model.named_parameters():
            weight.requires_grad_("lora_" in name)
            if "lora_" in name:
                weight.data = weight.data.to(torch.float32)
        self.model.eval()

    def _adapted(self) -> list[Any]:
        return [module for module in self.model.modules() if hasattr(module, "reset_lora_parameters")]

    def _generators(self) -> list[int]:
        """The GPUs whose random numbers are put back afterwards."""
        return [self.device.index or 0] if self.device.type == "cuda" else []

    def _counted(self) -> tuple[int, int]:
        """A table of embeddings is looked up, not multiplied with, unless the output layer is the same table."""
        every = sum(p.numel() for p in self.model.parameters())
        read, written = self.model.get_input_embeddings(), self.model.get_output_embeddings()
        if written is None or written.weight is not read.weight:
            every -= read.weight.numel()
        return every, sum(p.numel() for p in self.changeable())
