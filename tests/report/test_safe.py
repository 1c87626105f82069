"""Hostile text is cut and its unseen characters are shown."""

import pytest

from assay.report import safe


@pytest.mark.parametrize("unseen", ["\u202e", "\u2066", "\u200b", "\x00", "\x1b", "\ufeff", "\u2028"])
def test_unseen_characters_are_written_out(unseen: str) -> None:
    assert safe.clean(f"a{unseen}b") == f"a⟨U+{ord(unseen):04X}⟩b"


def test_text_of_any_script_stays_as_it_is() -> None:
    for text in ("שלום", "你好", "नमस्ते", "naïve – “quoted”", "line\n\ttab"):
        assert safe.clean(text) == text


def test_a_long_name_is_cut_and_says_by_how_much() -> None:
    assert safe.visible("x" * 100, 10) == "x" * 10 + " … (90 characters more)"


def test_a_byte_span_is_marked_in_text_beyond_ascii() -> None:
    text = "naïve film, a masterpiece"
    start = text.encode().index(b"film")
    assert safe.marked(text, start, start + 4) == safe.Marked("naïve ", "film", ", a masterpiece")


def test_a_span_that_cuts_a_character_does_not_raise() -> None:
    assert safe.marked("ïï", 1, 3).marked == "\ufffd\ufffd"


def test_the_shared_words_are_found_in_the_other_row_whatever_their_case() -> None:
    assert safe.marked_like("Oh, A Fine Film.", "a fine film") == safe.Marked("Oh, ", "A Fine Film", ".")
    assert safe.marked_like("Nothing alike.", "a fine film").marked == ""
