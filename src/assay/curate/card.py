"""What the folder of a curated set says of itself: README.md, as a data set card that loads.

Source: Hugging Face Hub, Dataset Cards.
"""

from __future__ import annotations

from assay.core.errors import InputError
from assay.core.unseen import clean
from assay.core.words import count, share
from assay.curate.record import Curation

BEGIN, END = "<!-- assay-curate:begin -->", "<!-- assay-curate:end -->"


def update(card: str, made: Curation) -> str:
    """The card with its block brought up to date; what a person wrote around it stays.

    Raises: InputError: the markers do not enclose one block.
    """
    text = f"{BEGIN}\n{_block(made)}\n{END}"
    if BEGIN not in card and END not in card:
        if not card.strip():
            return f"{_header(made)}\n# {_line(made.name)}\n\n{text}\n"
        return f"{card.rstrip()}\n\n{text}\n"
    before, begin, rest = card.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or BEGIN in after or END in after:
        raise InputError(
            "its markers do not enclose one block",
            where="README.md",
            fix=f"Leave one {BEGIN} before one {END}.",
        )
    return before + text + after


def _header(made: Curation) -> str:
    files = "\n".join(
        f"- config_name: {name}\n  data_files: {made.files[name].name}"
        for name in ("train", "synthetic")
        if name in made.files and made.files[name].rows
    )
    tags = "tags:\n- synthetic\n" if made.synthetic_rows_passed else ""
    return f"---\n{tags}configs:\n{files}\n---\n"


def _block(made: Curation) -> str:
    lines = [
        "## How this set was made",
        "",
        f"By {made.tool}, seed {made.seed}, from a run whose record has SHA-256 `{made.evidence_sha256}`. "
        "`curate.json` holds the same as data.",
        "",
        f"- Training set: {count(made.real_rows, 'real row')} and {count(made.synthetic_rows, 'synthetic row')} "
        f"({share(made.share)} synthetic). {_sentence(made.why)}",
        f"- Test rows, and rows that copy them, are not in it: {count(made.real_rows_held_out, 'real row')} held out.",
        f"- Of {count(made.synthetic_rows_read, 'synthetic row')}, {made.synthetic_rows_passed:,} passed the filters.",
        "- Every row says where it is from: `assay_origin`, `assay_file`, `assay_line`, `assay_row`, `assay_root`, "
        "`assay_generation`, `assay_filters`.",
        "",
        "| Filter | Left out | Only by it | Kept by a person's word | |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {each.name} | {each.rows:,} | {each.alone:,} | {each.overruled:,} | {each.why} |"
        for each in made.filters
        if each.rows or each.overruled
    ]
    idle = ", ".join(each.name for each in made.filters if not each.rows + each.overruled)
    if idle:
        lines += ["", f"Filters that found nothing: {idle}."]
    if made.balance is not None:
        aside = count(made.balance.rows, "row")
        lines += [
            "",
            f"Shares of `{_line(made.balance.column)}` are those of the real rows; {aside} set aside for it.",
        ]
    lines += [
        "",
        "This says what was left out, not what the rest does to a model: only a new trial tells that.",
    ]
    return "\n".join(lines)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _line(text: str) -> str:
    return clean(" ".join(text.split())).replace("`", "'").replace("<", "&lt;")
