from pathlib import Path

import numpy as np

from assay.audit.annotate.nearness import LOOSE, near_threshold
from assay.audit.rows import NEAR, open_rows
from tests.audit.corpora import write


def test_formulaic_rows_keep_the_strict_threshold_and_free_ones_do_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    free = [" ".join(f"w{word}" for word in rng.integers(0, 500, 20)) for _ in range(600)]
    formulaic = [
        f"tell me how do i activate my {text.split()[0]} and {text.split()[1]} card" for text in free
    ]
    chosen = [
        near_threshold(open_rows(write(tmp_path / name, [(text, "") for text in texts], name, "real")))
        for name, texts in (("free", free), ("formulaic", formulaic), ("few", free[:100]))
    ]
    assert chosen == [LOOSE, NEAR, NEAR]
