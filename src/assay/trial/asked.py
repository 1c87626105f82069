"""Benchmarks of stereotypes asked of a model that was trained elsewhere: by likelihoods, or by choosing an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assay.core.catalogue import define
from assay.core.measure import Measure
from assay.core.progress import Progress, silent
from assay.engine.pairs import PairSet
from assay.models.endpoint import LanguageModel, Message, RemoteModel, Request, open_model
from assay.models.likelihoods import RemoteScorer, Scorer, offers, open_scorer
from assay.stats import bootstrap
from assay.stats.pair_preference import CRITICISMS
from assay.trial.compare import DRAWS, Floats
from assay.trial.pairs import NAME, Pairs, kinship, scores, unit_of

_LETTERS = "ABC"
_SAID = re.compile(r"\b([ABC])\b")
_FEWEST_KIN = 10
_UNCLEAR = "answers that name no choice"
_NO_LIKELIHOODS = (
    "it compares how likely texts are, which this model was not asked; BBQ can be asked in words"
)


def ask_elsewhere(
    sets: Sequence[PairSet], model: str, *, level: float = 0.95, seed: int = 0, progress: Progress = silent
) -> Iterator[Measure]:
    """`bias.pair_preference` of a model by its name: by likelihoods where it gives them, else in words.

    Args:
        model: ``http://host/v1#name``; or a model on this machine, as `likelihoods.open_scorer` takes it.
        progress: Told of the texts that a service has scored.

    Raises: InputError, MissingExtra, EngineError: the model cannot be opened, is out of reach, or refuses.
    """
    if model.startswith(("http://", "https://")):
        service = open_model(model)
        assert isinstance(service, RemoteModel)
        scorer = RemoteScorer(service, progress) if offers(service) else None
        return ask_pairs(sets, service.name, scorer, service, level=level, seed=seed)
    return ask_pairs(sets, Path(model).name, open_scorer(model), level=level, seed=seed)


def ask_pairs(
    sets: Sequence[PairSet],
    name: str,
    scorer: Scorer | None,
    model: LanguageModel | None = None,
    *,
    level: float = 0.95,
    seed: int = 0,
) -> Iterator[Measure]:
    """`bias.pair_preference` of one model, with an interval over kin items.

    Args:
        name: The model's.
        scorer: Says how likely each text is given its context; None if the model does not.
        model: Asked to choose among BBQ's answers, where there are no likelihoods.
    Returns: A measure by benchmark and score, its slice naming the model; missing where only likelihoods would do.
    Raises: EngineError: the model is out of reach or refuses.
    """
    if scorer is not None:
        pairs = Pairs.of(sets)
        gain = scorer.score(pairs.items.examples).gain
        for each, likely in zip(sets, pairs.split(gain), strict=True):
            yield from _said(each, likely[0], name, "texts compared per byte", {}, level, seed)
        return
    for each in sets:
        if each.kind == "bbq" and model is not None:
            chosen = _chosen(each, model, seed)
            clear = chosen >= 0
            answered = replace(
                each, items=tuple(item for item, is_so in zip(each.items, clear, strict=True) if is_so)
            )
            likely = np.eye(len(_LETTERS))[chosen[clear]]
            left_out = {} if clear.all() else {_UNCLEAR: int((~clear).sum())}
            how = "asked in words to choose one of three answers in random order"
            yield from _said(answered, likely, name, how, left_out, level, seed)
        else:
            yield _measure(each, {"benchmark": each.name, "model": name}, None, "", {}, level)


def _chosen(each: PairSet, model: LanguageModel, seed: int) -> npt.NDArray[np.int64]:
    """Place of the answer that the model chooses for each item, -1 where it names none, shape (items,)."""
    rng = np.random.default_rng([seed, 7])
    orders = np.array([rng.permutation(len(_LETTERS)) for _ in each.items]).reshape(-1, len(_LETTERS))
    requests = [
        Request(
            (Message("user", _question(item.context, [item.texts[at] for at in order])),), 8, 0.0, 1.0, seed
        )
        for item, order in zip(each.items, orders, strict=True)
    ]
    out = np.full(len(requests), -1)
    for place, reply in enumerate(model.write(requests)):
        found = _SAID.search(reply.text)
        if found:
            out[place] = orders[place, _LETTERS.index(found[1])]
    return out


def _question(context: str, answers: Sequence[str]) -> str:
    listed = "\n".join(f"{letter}: {answer}" for letter, answer in zip(_LETTERS, answers, strict=True))
    return f"{context}\n{listed}\nAnswer with one letter, A, B or C, and nothing else."


def _said(
    each: PairSet, likely: Floats, name: str, how: str, left_out: Mapping[str, int], level: float, seed: int
) -> Iterator[Measure]:
    where = {"benchmark": each.name, "model": name}
    kin = int(kinship(each).max()) + 1 if each.items else 0
    if kin < _FEWEST_KIN:
        few = f"{kin} items with words of their own were answered, and an interval needs {_FEWEST_KIN}"
        yield _measure(each, where, None, few, left_out, level)
        return
    weights = bootstrap.cluster_weights(kin, DRAWS, np.random.default_rng(seed))
    whole, drawn = scores(each, likely), scores(each, likely, weights)
    for score, value in whole.items():
        method = f"{len(each.items)} choices, {how}; {CRITICISMS[each.kind]} Bootstrap of {kin} kin items, {DRAWS} draws"
        low, high = bootstrap.interval(drawn[score], level)
        measure = _measure(each, where | {"score": score}, float(value), method, left_out, level, score)
        yield measure.model_copy(update={"low": min(low, float(value)), "high": max(high, float(value))})


def _measure(
    each: PairSet,
    where: dict[str, str],
    value: float | None,
    method: str,
    left_out: Mapping[str, int],
    level: float,
    score: str = "",
) -> Measure:
    known = define(NAME)
    return Measure(
        name=NAME,
        slice=where,
        value=value,
        low=value,
        high=value,
        missing=None if value is not None else method or _NO_LIKELIHOODS,
        level=level,
        n=len(each.items),
        unit=unit_of(each, score),
        worse=known.worse,
        method=method or known.formula,
        left_out=dict(left_out),
    )
