"""The likeliest text of Kneser-Ney tables, sought along a few beams."""

from __future__ import annotations

import numba
import numpy as np

from assay.kernels.gram_sampling import advance, chances_after, unigrams
from assay.kernels.gram_trie import ROOT, Nodes, Offsets, Trie
from assay.kernels.kneser_ney import Tables


def search(
    trie: Trie, tables: Tables, starts: Nodes, boundary: int, most: int, beams: int
) -> tuple[Nodes, Offsets]:
    """For each start the text with the highest mean log probability per token, its end included, that was met.

    A beam that ends leaves its place to the others; the search ends with as many texts as there are beams,
    or at `most` tokens.

    Args:
        starts: The node of what comes before each text, shape (texts,).
        boundary: The token that ends a text and is not part of it.
    Returns: tokens end to end, and where each text begins, shape (texts + 1,).
    """
    tokens, lengths = _search(
        trie.levels,
        trie.children,
        trie.tokens,
        trie.suffixes,
        tables.shares,
        tables.backoffs,
        unigrams(trie, tables),
        starts,
        boundary,
        most,
        min(beams, trie.vocabulary),
    )
    return tokens, np.concatenate([np.zeros(1, np.int64), lengths.cumsum()])


@numba.njit(nogil=True, cache=True)
def _search(  # type: ignore[no-untyped-def]
    levels, children, tokens, suffixes, shares, backoffs, alone, starts, boundary, most, beams
):
    texts = np.empty((len(starts), most), np.int32)
    lengths = np.zeros(len(starts), np.int64)
    chances = np.empty(len(alone), np.float32)
    states = np.empty(beams, np.int32)
    scores = np.empty(beams, np.float64)
    paths = np.empty((beams, most), np.int32)
    next_states, next_scores, next_paths = states.copy(), scores.copy(), paths.copy()
    # The best continuations over all beams, best first: whose, by which token, with which score.
    kept = 2 * beams
    whose = np.empty(kept, np.int32)
    which = np.empty(kept, np.int32)
    value = np.empty(kept, np.float64)
    for text in range(len(starts)):
        states[0], scores[0] = starts[text], 0.0
        live, ended, best = 1, 0, -np.inf
        for step in range(most):
            found = 0
            for beam in range(live):
                chances_after(children, tokens, suffixes, shares, backoffs, alone, states[beam], chances)
                for token in range(len(chances)):
                    # The comparison in the plain scale spares the logarithm for nearly every token.
                    if found == kept and chances[token] <= np.exp(value[kept - 1] - scores[beam]):
                        continue
                    score = scores[beam] + np.log(chances[token])
                    place = found if found < kept else kept - 1
                    while place > 0 and value[place - 1] < score:
                        if place < kept:
                            whose[place], which[place], value[place] = (
                                whose[place - 1],
                                which[place - 1],
                                value[place - 1],
                            )
                        place -= 1
                    whose[place], which[place], value[place] = beam, token, score
                    found = min(found + 1, kept)
            following = 0
            for at in range(found):
                if which[at] == boundary:
                    # An end counts only where it would have held a beam.
                    if at < beams:
                        ended += 1
                        if value[at] / (step + 1) > best:
                            best = value[at] / (step + 1)
                            texts[text, :step] = paths[whose[at], :step]
                            lengths[text] = step
                elif following < beams:
                    next_paths[following, :step] = paths[whose[at], :step]
                    next_paths[following, step] = which[at]
                    next_scores[following] = value[at]
                    below = children[ROOT] + which[at]
                    next_states[following] = advance(
                        levels, children, tokens, suffixes, states[whose[at]], which[at], ROOT, below
                    )
                    following += 1
            states, next_states = next_states, states
            scores, next_scores = next_scores, scores
            paths, next_paths = next_paths, paths
            live = following
            if ended >= beams or live == 0:
                break
        else:
            if live and scores[0] / most > best:
                texts[text] = paths[0]
                lengths[text] = most
    out = np.empty(lengths.sum(), np.int32)
    at = 0
    for text in range(len(starts)):
        out[at : at + lengths[text]] = texts[text, : lengths[text]]
        at += lengths[text]
    return out, lengths
