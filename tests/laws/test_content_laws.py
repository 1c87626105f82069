"""What must hold for the measures of wrong content: defects planted in doses, and nothing found without."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from assay.audit.annotate.columns import annotate
from assay.audit.annotate.copies import copied
from assay.audit.probe import Probe, buckets
from assay.audit.probes import PROBES
from assay.audit.rows import open_rows
from assay.audit.run import AuditResult, audit
from assay.core.corpus import Corpus, Origin, root_hash, schema
from tests.audit.corpora import find
from tests.laws.doses import surely_worse

Pair = tuple[str, str, str]  # prompt, answer, label
NUMBER = 300
SUBJECTS = ("The farmer", "Our neighbour", "A young teacher", "The old captain", "My sister", "Their doctor")
VERBS = ("has bought", "would have sold", "was looking for", "had lost", "will bring", "is painting")
OBJECTS = ("the boat", "a red house", "some of the apples", "an old map", "the garden", "two of her books")
CLOSES = ("before the winter", "with all of us", "for the first time", "in the morning", "at the market")
TOPICS = {
    "sailing": ("mast", "harbour", "tide"),
    "cooking": ("oven", "pepper", "recipe"),
    "music": ("violin", "choir", "tune"),
}


def sentence(rng: np.random.Generator, topic: str) -> str:
    parts = [str(rng.choice(words)) for words in (SUBJECTS, VERBS, OBJECTS, CLOSES, TOPICS[topic])]
    return f"{parts[0]} {parts[1]} {parts[2]} and the {parts[4]} {parts[3]} on day {rng.integers(1000)}."


def pairs(number: int, seed: int) -> list[Pair]:
    """Stories of three sentences about a topic, with a sum, some Python and some JSON, all of it right."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(number):
        label = str(rng.choice(list(TOPICS)))
        first, second = (int(each) for each in rng.integers(10, 99, 2))
        story = " ".join(sentence(rng, label) for _ in range(3))
        answer = (
            f"{story}\nThat makes {first} + {second} = {first + second} in all.\n"
            f'```python\ndef total():\n    return {first} + {second}\n```\n```json\n{{"total": {first + second}}}\n```'
            f"\n{sentence(rng, label)} {sentence(rng, label)}"
        )
        prompt = (
            f"Please write a short story about {label} number {rng.integers(10_000)} and show how you count."
        )
        made.append((prompt, answer, label))
    return made


def write(folder: Path, made: Sequence[Pair], name: str, origin: Origin, *, labelled: bool) -> Corpus:
    number = len(made)
    columns = {
        # A labelled row is a text; without a label it is a prompt and its answer.
        "text": [answer if labelled else f"{prompt}\n{answer}" for prompt, answer, _ in made],
        "prompt": [None if labelled else prompt for prompt, _, _ in made],
        "response": [None if labelled else answer for _, answer, _ in made],
        "label": [label if labelled else None for *_, label in made],
        "root": [root_hash(f"{name} {row}") for row in range(number)],
        "row": list(range(number)),
    }
    filled = {field.name: columns.get(field.name, [None] * number) for field in schema()}
    batch = pa.RecordBatch.from_pydict(filled, schema=schema())
    return Corpus.write(folder / name, [batch], name=name, origin=origin, shape="text-label")


def audited(folder: Path, made: Sequence[Pair], *, labelled: bool) -> AuditResult:
    return audit(
        write(folder, REAL[:400], "real", "real", labelled=labelled),
        write(folder, REAL[400:], "reference", "real", labelled=labelled),
        write(folder, made, "synthetic", "synthetic", labelled=labelled),
        folder / "out",
    )


REAL = pairs(500, seed=1)
CLEAN = pairs(NUMBER, seed=2)
Spoil = Callable[[int, Pair], Pair]


def cut_off(row: int, pair: Pair) -> Pair:
    return pair[0], pair[1][: -10 - row % 20].rsplit(" ", 1)[0].rstrip(".,"), pair[2]


def wrapped(row: int, pair: Pair) -> Pair:
    return pair[0], f"Certainly! Here is a story.\n{pair[1]}", pair[2]


def echoed(row: int, pair: Pair) -> Pair:
    return pair[0], f"{pair[0]}\n{pair[1]}", pair[2]


def translated(row: int, pair: Pair) -> Pair:
    story = f"Der Mann {row} hat das Boot nicht gesehen, aber er ist mit uns in die Stadt gegangen und war sehr froh."
    return pair[0], story, pair[2]


def unfilled(row: int, pair: Pair) -> Pair:
    return pair[0], f"Dear [Your Name],\n{pair[1]}", pair[2]


def unparsable(row: int, pair: Pair) -> Pair:
    return pair[0], pair[1].replace("total():", "total(:"), pair[2]


def not_json(row: int, pair: Pair) -> Pair:
    return pair[0], pair[1].replace('{"total"', "{total"), pair[2]


def miscounted(row: int, pair: Pair) -> Pair:
    return pair[0], pair[1].replace(" in all", "7 in all"), pair[2]


def mislabelled(row: int, pair: Pair) -> Pair:
    topics = list(TOPICS)
    return pair[0], pair[1], topics[(topics.index(pair[2]) + 1) % len(topics)]


def contradicted(row: int, pair: Pair) -> Pair:
    _, answer, label = CLEAN[-1 - row]
    return mislabelled(row, ("", answer, label))


DEFECTS: tuple[tuple[str, Spoil, bool], ...] = (
    ("quality.truncated_share", cut_off, False),
    ("quality.boilerplate_share", wrapped, False),
    ("quality.prompt_echo_share", echoed, False),
    ("quality.language_mismatch_share", translated, False),
    ("quality.language_mismatch_share", translated, True),
    ("quality.placeholder_share", unfilled, False),
    ("quality.broken_code_share", unparsable, False),
    ("quality.invalid_json_share", not_json, False),
    ("quality.wrong_arithmetic_share", miscounted, False),
    ("quality.label_noise_share", mislabelled, True),
    ("quality.contradiction_share", contradicted, True),
)
NAMES = {name for name, _, _ in DEFECTS}
MARKED = {
    "quality.truncated_share": " ",
    "quality.boilerplate_share": "Certainly! Here",
    "quality.prompt_echo_share": "Please write a short story",
    "quality.language_mismatch_share": "Der Mann",
    "quality.placeholder_share": "[Your Name]",
    "quality.broken_code_share": "def total(:",
    "quality.invalid_json_share": "{total",
    "quality.wrong_arithmetic_share": " = ",
}


def spoilt(spoil: Spoil, dose: float) -> list[Pair]:
    cut = round(NUMBER * dose)
    return [spoil(row, pair) if row < cut else pair for row, pair in enumerate(CLEAN)]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, AuditResult]:
    folder = tmp_path_factory.mktemp("clean")
    return {labelled: audited(folder / str(labelled), CLEAN, labelled=labelled) for labelled in (False, True)}


def test_real_against_real_shows_nothing(clean: dict[bool, AuditResult]) -> None:
    measured = set()
    for result in clean.values():
        for name in NAMES:
            measure = find(result, name)
            if measure.value is not None:
                measured.add(name)
                assert not surely_worse(measure), measure
                assert measure.value < 0.03, measure
    assert measured == NAMES


@pytest.mark.parametrize(("name", "spoil", "labelled"), DEFECTS, ids=[f"{n} {lab}" for n, _, lab in DEFECTS])
def test_a_planted_defect_moves_its_measure_more_with_dose(
    tmp_path: Path, clean: dict[bool, AuditResult], name: str, spoil: Spoil, labelled: bool
) -> None:
    results = [audited(tmp_path / str(dose), spoilt(spoil, dose), labelled=labelled) for dose in (0.1, 0.3)]
    values = [find(each, name).value or 0.0 for each in (clean[labelled], *results)]
    assert values[0] < values[1] < values[2], values
    assert surely_worse(find(results[-1], name))
    if name != "quality.label_noise_share":
        assert values[1:] == pytest.approx(
            [dose * (1 + (name == "quality.contradiction_share")) for dose in (0.1, 0.3)], abs=0.02
        )
    shown = [each for each in results[0].examples.to_pylist() if each["measure"] == name]
    assert shown
    for example in shown:
        if name in MARKED:
            meant = example["text"].encode()[example["start"] : example["end"]].decode()
            assert MARKED[name] in meant
        else:
            assert example["note"]


def test_each_kind_of_row_is_flagged_by_its_own_name(tmp_path: Path) -> None:
    flagged = {
        "truncated": cut_off,
        "boilerplate": wrapped,
        "prompt_echo": echoed,
        "language_mismatch": translated,
        "placeholder": unfilled,
        "broken_code": unparsable,
        "invalid_json": not_json,
        "wrong_arithmetic": miscounted,
    }
    made = list(CLEAN)
    for row, spoil in enumerate(flagged.values()):
        made[row] = spoil(row, made[row])
    flags = audited(tmp_path, made, labelled=False).rows
    for row, name in enumerate(flagged):
        assert np.flatnonzero(flags[name].to_numpy()).tolist() == [row], name
    assert not flags["label_suspect"].to_numpy().any()


def test_any_split_of_the_rows_gives_the_same_sum(tmp_path: Path) -> None:
    made = [
        spoil(row, pair)
        for (row, pair), (_, spoil, lab) in zip(enumerate(CLEAN), DEFECTS * 30, strict=False)
        if not lab
    ]
    rows = open_rows(write(tmp_path, made, "rows", "synthetic", labelled=False))
    columns = annotate(rows, copied(rows, rows), spoken=frozenset())
    part = np.random.default_rng(0).integers(0, 3, len(columns))
    for probe in PROBES:
        if isinstance(probe, Probe) and probe.name in NAMES - {"quality.contradiction_share"}:
            whole = buckets(columns, probe.tally(columns))
            parts = [columns.take(np.flatnonzero(part == each)) for each in range(3)]
            np.testing.assert_array_equal(whole, sum(buckets(each, probe.tally(each)) for each in parts))
            assert (whole.sum(axis=0) > 0).all(), probe.name


def test_too_few_rows_to_speak_of_are_missing_with_their_number(tmp_path: Path) -> None:
    made = [
        (prompt, f"A story about nothing, number {row}.", label)
        for row, (prompt, _, label) in enumerate(CLEAN)
    ]
    made[:7] = CLEAN[:7]
    result = audited(tmp_path, made, labelled=False)
    assert (
        find(result, "quality.broken_code_share").missing
        == "needs at least 100 rows with Python code; there are 7"
    )
    assert (
        find(result, "quality.wrong_arithmetic_share").missing
        == "needs at least 100 rows with an equation; there are 7"
    )
    assert (
        find(result, "quality.label_noise_share").missing
        == "needs rows with 2 to 200 labels, each on 5 rows or more"
    )
