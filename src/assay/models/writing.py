"""Text drawn from a pretrained model, many prompts at a time with their past kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.core.errors import InputError
from assay.models.encoding import Encoder, Ints
from assay.models.learner import Sampling
from assay.models.pretrained import Base, imported

_AT_ONCE = {"cpu": 16, "cuda": 64}


def write(base: Base, encoder: Encoder, prompts: Sequence[Ints], sampling: Sampling, seed: int) -> list[str]:
    """One text for each prompt, in their order; the prompt is not part of it.

    The same seed, prompts and device give the same texts.

    Raises: InputError: a prompt and `most_tokens` more are longer than the model can read.
    """
    torch, transformers = imported("torch"), imported("transformers")
    longest = max(map(len, prompts), default=0)
    if longest + sampling.most_tokens > base.context:
        raise InputError(
            f"a prompt of {longest} tokens and {sampling.most_tokens} more are longer than the {base.context} "
            f"that the model reads",
            where=base.name,
            fix="Shorten the prompts, or ask for fewer tokens.",
        )
    device = base.model.device
    drawn = sampling.temperature > 0 and sampling.beams == 1
    settings = transformers.GenerationConfig(
        max_new_tokens=sampling.most_tokens,
        do_sample=drawn,
        temperature=sampling.temperature if drawn else 1.0,
        top_p=sampling.top_p if drawn else 1.0,
        top_k=0 if drawn else 50,
        num_beams=sampling.beams,
        bos_token_id=encoder.start,
        eos_token_id=encoder.ends,
        pad_token_id=encoder.end,
    )
    texts = [""] * len(prompts)
    # Prompts of like length go together, so that little is filled up.
    order = np.argsort([len(prompt) for prompt in prompts], kind="stable")
    at_once = _AT_ONCE["cuda" if device.type == "cuda" else "cpu"]
    with torch.random.fork_rng(devices=[device.index or 0] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        for first in range(0, len(order), at_once):
            batch = order[first : first + at_once]
            width = max(len(prompts[place]) for place in batch)
            ids = np.full((len(batch), width), encoder.end, np.int64)
            mask = np.zeros((len(batch), width), np.int64)
            for row, place in enumerate(batch):
                ids[row, width - len(prompts[place]) :] = prompts[place]
                mask[row, width - len(prompts[place]) :] = 1
            written = base.model.generate(
                input_ids=torch.as_tensor(ids, device=device),
                attention_mask=torch.as_tensor(mask, device=device),
                generation_config=settings,
            )
            for place, tokens in zip(batch, written[:, width:].tolist(), strict=True):
                texts[place] = encoder.text(tokens)
    return texts
