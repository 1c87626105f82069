"""The script of a row, in rows of many languages and of none."""

import pyarrow as pa
import pytest

from assay.kernels.scripts import SCRIPTS
from assay.kernels.writing import scripts


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("A plain sentence, with ASCII.", "Latin"),
        ("Größe, naïveté, Łódź", "Latin"),
        ("ＡＢＣ", "Latin"),
        ("Война и мир", "Cyrillic"),
        ("Ὀδύσσεια", "Greek"),
        ("שלום עולם", "Hebrew"),
        ("السلام عليكم", "Arabic"),
        ("नमस्ते दुनिया", "Devanagari"),
        ("வணக்கம்", "Tamil"),
        ("สวัสดี", "Thai"),
        ("대한민국", "Hangul"),
        ("人人生而自由，在尊严和权利上一律平等。", "Han"),
        ("すべての人間は、生まれながらにして自由である。", "Kana"),
        ("ｶﾀｶﾅ", "Kana"),
        ("𠀀𠀁", "Han"),
        ("ᚠᚢᚦ", "other scripts"),
        ("mostly Latin, один", "Latin"),
    ],
)
def test_the_script_is_that_of_most_letters(text: str, script: str) -> None:
    assert scripts(pa.array([text], pa.large_string())).tolist() == [SCRIPTS.index(script) + 1]


def test_rows_without_letters_have_none() -> None:
    column = pa.chunked_array([pa.array(["", "12 + 3 = 15 🙂", None]), pa.array(["x"])])
    assert scripts(column).tolist() == [0, 0, 0, 1]
    assert scripts(pa.array([], pa.string())).tolist() == []
