from pathlib import Path

import numpy as np

from assay.audit.annotate.nearness import FREE_TEXT, SHORT_FORMULAS, USUAL, nearness
from assay.audit.rows import open_rows
from tests.audit.corpora import write


def test_formulaic_rows_are_judged_by_runs_or_words_as_their_length_allows(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    free = [" ".join(f"w{word}" for word in rng.integers(0, 500, 20)) for _ in range(600)]
    formulaic = [
        f"tell me how do i activate my {text.split()[0]} and {text.split()[1]} card" for text in free
    ]
    tail = "from abroad tonight if that is at all possible"
    long = [f"tell me how do i activate my old card {tail} {' '.join(text.split()[:12])}" for text in free]
    chosen = [
        nearness(open_rows(write(tmp_path / name, [(text, "") for text in texts], name, "real")))
        for name, texts in (("free", free), ("formulaic", formulaic), ("long", long), ("few", free[:100]))
    ]
    assert chosen == [FREE_TEXT, SHORT_FORMULAS, USUAL, USUAL]


def test_of_short_formulas_an_edited_word_joins_rows_and_a_shared_run_does_not(tmp_path: Path) -> None:
    texts = [
        "can i still activate my lost card from abroad tonight",
        "can i still activate my old card from abroad tonight",
        "why do you activate my card",
        "how do you activate my account",
    ]
    rows = open_rows(write(tmp_path, [(text, "") for text in texts], "rows", "real"))
    assert SHORT_FORMULAS.groups(rows).tolist() == [0, 0, 2, 3]
    assert USUAL.groups(rows).tolist() == [0, 1, 2, 3]
