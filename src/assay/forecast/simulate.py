"""The recursion: train, test on the same real rows, write the rows of the next generation, and again.

All regimes and seeds of one generation are trained side by side. What a generation gave is kept in a file of its own
as soon as it is there, so that a kill costs the generation that was running.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assay.core.progress import Progress, silent
from assay.engine.groups.lists import NO_LISTS, Lists
from assay.forecast.generation import Generation
from assay.forecast.groups import GroupShares
from assay.forecast.regimes import FRESH, REAL, Regime
from assay.forecast.rows import answered, asked, joined, sizes_of, taken, words_of
from assay.forecast.selection import Judge, kept_best
from assay.forecast.training import Trained, Trainer, labelled
from assay.forecast.watch import Watch, rarity
from assay.models.learner import Examples, Sampling

TAIL = 0.1  # share of the test items that counts as the tail
BINS = np.linspace(0, 12, 49)  # bits per byte, of how strange text is to generation 0
JUDGED = 300  # written rows whose strangeness is taken


@dataclass(frozen=True)
class World:
    """What all regimes and seeds share.

    Attributes:
        real: All real rows that may be trained on.
        orders: Rows of each seed, those of the start first and its reserve after them, shape (seeds, rows).
        budget: Rows of the start, and of every generation.
        test: Real rows that nothing is trained on.
        roots: Index of each test row's root, shape (test rows,).
        sampling: How text is drawn where a regime does not say otherwise.
        seed: Of what is drawn.
        lists: Groups of people whose shares in the text are followed.
    """

    real: Examples
    orders: npt.NDArray[np.int64]
    budget: int
    test: Examples
    roots: npt.NDArray[np.int64]
    sampling: Sampling
    seed: int = 0
    lists: Lists = NO_LISTS

    @property
    def seeds(self) -> int:
        """How often each regime is run."""
        return len(self.orders)

    @property
    def reserve(self) -> int:
        """Real rows of each seed beside those of the start."""
        return int(self.orders.shape[1]) - self.budget

    def start(self, seed: int) -> Examples:
        """The real rows that generation 0 of a seed is trained on."""
        return taken(self.real, self.orders[seed, : self.budget])

    def beside(self, seed: int) -> Examples:
        """The real rows that it is not."""
        return taken(self.real, self.orders[seed, self.budget :])

    def fingerprint(self) -> str:
        """What every kept generation depends on, as hexadecimal digits."""
        digest = hashlib.sha256(self.orders.tobytes())
        for rows in (self.real, self.test):
            for row in rows.parts:
                digest.update(json.dumps([asdict(part) for part in row]).encode())
            digest.update(b"" if rows.labels is None else rows.labels.tobytes())
        told = [self.budget, asdict(self.sampling), self.seed, self.lists.fingerprint]
        digest.update(json.dumps(told).encode())
        return digest.hexdigest()[:16]


@dataclass
class Chain:
    """One regime with one seed, as far as it has been run."""

    regime: Regime
    seed: int
    generations: list[Generation] = field(default_factory=list)


class Simulation:
    """Chains of generations in one world, run as far and as many as asked for."""

    def __init__(
        self, world: World, trainer: Trainer, keep: Path | None = None, progress: Progress = silent
    ) -> None:
        """Args:
        keep: Folder for finished generations, kept across kills; None keeps nothing.
        """
        self.world, self.trainer, self.progress = world, trainer, progress
        self.keep = None
        if keep is not None:
            mark = f"{world.fingerprint()}-{hashlib.sha256(repr(trainer.learner).encode()).hexdigest()[:8]}"
            self.keep = keep / mark
            self.keep.mkdir(parents=True, exist_ok=True)
        self.watch = Watch.of(world.test)
        self.groups = GroupShares.of(world.lists, world.real)
        self.sizes = sizes_of(world.test)
        surprise = rarity(words_of(world.real), words_of(world.test))
        self.tail = surprise >= np.quantile(surprise, 1 - TAIL)
        prompts = asked(world.real)
        self.prompts = prompts and [prompts[row] for row in np.flatnonzero(trainer.fits)]
        self.role = world.real.parts[0][-1].role if len(world.real) else ""
        self._first: dict[int, Trained] = {}
        self._judges: dict[int, Judge] = {}
        self._starts: dict[int, Examples] = {}
        self.chains: dict[tuple[Regime, int], Chain] = {}

    def run(self, regimes: Sequence[Regime], rounds: int, seeds: int | None = None) -> list[list[Chain]]:
        """The chains of these regimes, generations 0 to `rounds`, by regime and seed.

        Raises: InputError: see `Regime.draw` and `labelled`.
        """
        seeds = self.world.seeds if seeds is None else seeds
        wanted = [[self._chain(regime, seed) for seed in range(seeds)] for regime in regimes]
        chains = [chain for each in wanted for chain in each]
        total = len(chains) * (rounds + 1)
        for generation in range(rounds + 1):
            waiting = [chain for chain in chains if len(chain.generations) == generation]
            waiting = [chain for chain in waiting if not self._reopened(chain, generation)]
            # What is written in one call must be alike in number and manner.
            alike: dict[tuple[int, Sampling | None], list[Chain]] = {}
            for chain in waiting:
                alike.setdefault((chain.regime.candidates, chain.regime.sampling), []).append(chain)
            for group in alike.values():
                self._advance(group, generation)
            self.progress("forecast", (generation + 1) * len(chains), total, "trainings")
        return wanted

    def real_watch(self) -> list[dict[str, float]]:
        """What the real rows of each seed look like to the watch."""
        return [self.look(self._start(seed)) for seed in range(self.world.seeds)]

    def look(self, rows: Examples) -> dict[str, float]:
        """What is watched in rows of text, by measure."""
        return self.watch.look(rows) | self.groups.look(rows)

    def _chain(self, regime: Regime, seed: int) -> Chain:
        return self.chains.setdefault((regime, seed), Chain(regime, seed))

    def _advance(self, chains: list[Chain], generation: int) -> None:
        seeds = [chain.seed for chain in chains]
        if generation == 0:
            models = self._zero(seeds)
            # Alike regimes begin alike.
            firsts = list({chain.seed: chain for chain in chains}.values())
            begun = self.trainer.side_by_side(
                lambda chain: self._observe(chain, models[chain.seed], 0), firsts
            )
            by_seed = {chain.seed: each for chain, each in zip(firsts, begun, strict=True)}
            found = [by_seed[seed] for seed in seeds]
        else:
            self._zero(seeds)
            sets = [self._training_rows(chain, generation) for chain in chains]
            found = self.trainer.each(
                sets, seeds, lambda place, model: self._observe(chains[place], model, generation)
            )
        for chain, each in zip(chains, found, strict=True):
            chain.generations.append(each)
            if self.keep is not None:
                each.save(self._path(chain, generation))

    def _zero(self, seeds: Sequence[int]) -> dict[int, Trained]:
        """Models of real rows, which every regime of a seed starts from and is compared with."""
        new = sorted(set(seeds) - set(self._first))
        if new:
            models = self.trainer.each([self._start(seed) for seed in new], new, lambda _, model: model)
            self._first |= dict(zip(new, models, strict=True))
        return self._first

    def _start(self, seed: int) -> Examples:
        if seed not in self._starts:
            self._starts[seed] = self.world.start(seed)
        return self._starts[seed]

    def _training_rows(self, chain: Chain, generation: int) -> Examples:
        world = self.world
        rng = np.random.default_rng([world.seed, chain.seed, generation, 1])
        lots = []
        for source, index in chain.regime.draw(generation, world.budget, world.reserve, rng):
            if source == FRESH:
                lots.append(taken(world.real, world.orders[chain.seed, world.budget + index]))
            elif source == REAL:
                lots.append(taken(self._start(chain.seed), index))
            else:
                lots.append(taken(chain.generations[source - 1].rows, index))
        return joined(lots)

    def _observe(self, chain: Chain, model: Trained, generation: int) -> Generation:
        """Test the model and let it write."""
        scored = model.score(self.world.test)
        rows, facts = self._written(chain, model, generation)
        surprise = np.zeros(len(BINS) - 1, np.int64)
        if rows.labels is None:
            facts |= self.look(rows)
            some = taken(rows, np.arange(min(len(rows), JUDGED)))
            sizes = np.maximum(some.learned_bytes(), 1)
            bits = -self._first[chain.seed].score(some).gain[0] / sizes
            facts["forecast.surprise"] = float((bits * sizes).sum() / sizes.sum())
            surprise = np.histogram(np.minimum(bits, BINS[-1]), BINS)[0]
        else:
            facts["forecast.group_shift"] = _shift(rows, self._start(chain.seed))
        return Generation(
            gain=scored.gain[0].astype(np.float64),
            over=None if scored.over is None else scored.over[0].astype(np.float64),
            decisions=scored.decisions,
            facts=facts,
            surprise=surprise,
            rows=rows,
        )

    def _written(self, chain: Chain, model: Trained, generation: int) -> tuple[Examples, dict[str, float]]:
        """As many rows as there were at the start, by this model."""
        world = self.world
        number = world.budget * chain.regime.candidates
        # Regimes of one seed share their luck: what differs between them is the regime.
        rng = np.random.default_rng([world.seed, chain.seed, generation, 2])
        if world.real.labels is not None:
            return self._labelled(chain, model, number, rng)
        luck = int(np.random.default_rng([world.seed, generation, 3]).integers(2**31))
        prompts = None
        if self.prompts is not None:
            order = np.random.default_rng([world.seed, generation, 4]).permutation(len(self.prompts))
            prompts = [self.prompts[order[at % len(order)]] for at in range(number)]
        own = self.trainer.luck(luck, chain.seed)
        texts = model.write(number, chain.regime.sampling or world.sampling, own, prompts)
        rows = answered(prompts, texts, self.role)
        if chain.regime.kind != "selected":
            return rows, {}
        scorer = self._first[chain.seed].score(rows).gain[0] / np.maximum(rows.learned_bytes(), 1)
        chosen = kept_best(scorer, world.budget)
        return taken(rows, chosen), self._judge(chain.seed).facts(rows, chosen)

    def _labelled(
        self, chain: Chain, model: Trained, number: int, rng: np.random.Generator
    ) -> tuple[Examples, dict[str, float]]:
        """Real texts whose labels nobody looks at, labelled by the model."""
        world = self.world
        pool = world.orders[chain.seed, world.budget :]
        texts = taken(world.real, np.resize(rng.permutation(pool), number))
        labels, sure = labelled(model, texts)
        rows = Examples(texts.parts, labels, texts.classes)
        chosen = kept_best(sure, world.budget) if chain.regime.kind == "selected" else np.arange(world.budget)
        assert texts.labels is not None
        return taken(rows, chosen), Judge.of_labels(labels == texts.labels, chosen)

    def _judge(self, seed: int) -> Judge:
        if seed not in self._judges:
            rows = self.world.beside(seed)
            (judge,) = self.trainer.each([rows], [seed], lambda _, model: Judge.of(model, self.world.test))
            self._judges[seed] = judge
        return self._judges[seed]

    def _reopened(self, chain: Chain, generation: int) -> bool:
        if self.keep is None:
            return False
        found = Generation.load(self._path(chain, generation))
        if found is not None:
            chain.generations.append(found)
        return found is not None

    def _path(self, chain: Chain, generation: int) -> Path:
        assert self.keep is not None
        name = hashlib.sha256(repr(chain.regime).encode()).hexdigest()[:12]
        return self.keep / f"{name}-{chain.seed}-{generation}.npz"


def _shift(rows: Examples, real: Examples) -> float:
    """Share of the rows that would need another label for the labels to be as common as in the real rows."""
    ours, theirs = (
        np.bincount(labels, minlength=real.classes) / len(labels)
        for labels in (rows.labels, real.labels)
        if labels is not None
    )
    return float(np.abs(ours - theirs).sum() / 2)
