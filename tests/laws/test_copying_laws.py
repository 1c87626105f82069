"""Copying against a hold-out: chance is no leak, a planted leak is one, and more of it is more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assay.audit.run import AuditResult
from assay.core.canary import Canaries, Canary
from assay.core.errors import InputError
from assay.core.verdict import decide
from tests.audit.corpora import Row, audited, find, rows, some
from tests.laws.doses import assert_worse_with_dose, beyond, surely_worse

COPYING = ("verbatim_share", "near_share", "dcr_share", "rare_ngram_excess", "pii_excess")
MAIL = [f"Write to person{number}@example.org today. " for number in range(2200)]
# Everybody quotes these; who holds one has copied nobody.
COMMON = [" ".join(f"c{at}w{word}" for word in range(60)) for at in range(6)]


def made(number: int, seed: int, first_mail: int) -> list[Row]:
    """Rows of which a tenth quote a common passage, a fifth give an address of their own and some a common one."""
    plain = rows(number, seed)
    passages = [f"{text} {COMMON[at % 6]}" if at % 10 == 0 else text for at, (text, _) in enumerate(plain)]
    mails = [MAIL[first_mail + at] if at % 5 == 0 else "" for at in range(number)]
    mails = ["Ask info@example.org. " if at % 50 == 1 else mail for at, mail in enumerate(mails)]
    return [(mail + text, label) for mail, text, (_, label) in zip(mails, passages, plain, strict=True)]


SEEN, HELD, FRESH = made(600, 1, 0), made(200, 2, 700), made(400, 3, 1000)


def copied_rows(dose: float) -> list[Row]:
    return some(FRESH, dose, lambda i, text: SEEN[i][0])


def copied_runs(dose: float) -> list[Row]:
    return some(FRESH, dose, lambda i, text: f"{text} {' '.join(SEEN[i][0].split()[-12:])} {text}")


def copied_passages(dose: float) -> list[Row]:
    return some(FRESH, dose, lambda i, text: f"{text} {SEEN_LONG[i][0]}")


def leaked_mail(dose: float) -> list[Row]:
    return some(FRESH, dose, lambda i, text: MAIL[5 * i] + text)


SEEN_LONG = [(" ".join(text for text, _ in rows(4, 100 + at)), "good") for at in range(100)]


def audit_of(folder: Path, synthetic: list[Row], holdout: list[Row] = HELD) -> AuditResult:
    return audited(folder, SEEN + SEEN_LONG, synthetic, holdout=holdout)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> AuditResult:
    return audit_of(tmp_path_factory.mktemp("clean"), FRESH)


def test_what_is_common_to_all_is_no_copy(clean: AuditResult) -> None:
    for name in COPYING:
        measure = find(clean, f"copying.{name}")
        assert measure.value is not None
        assert measure.low is not None
        assert measure.reference is not None
        assert not surely_worse(measure), measure
    # Common passages and the common address are met, on both sides alike.
    assert (find(clean, "copying.verbatim_share").value or 0) > 0.1
    assert "hold-out" in find(clean, "copying.near_share").method
    verdict = next(claim for claim in decide(clean.measures) if claim.id == "copying")
    assert verdict.verdict != "harm", verdict


@pytest.mark.parametrize(
    ("name", "plant", "doses"),
    [
        ("verbatim_share", copied_passages, (0.05, 0.2)),
        ("near_share", copied_rows, (0.05, 0.2)),
        ("dcr_share", copied_rows, (0.2, 0.5)),
        ("rare_ngram_excess", copied_runs, (0.1, 0.3)),
        ("pii_excess", leaked_mail, (0.05, 0.2)),
        ("pii_share", leaked_mail, (0.3, 0.6)),
    ],
)
def test_a_planted_leak_moves_its_measure_more_with_dose(
    tmp_path: Path,
    clean: AuditResult,
    name: str,
    plant: Callable[[float], list[Row]],
    doses: tuple[float, float],
) -> None:
    # As large as what was seen: few held-out rows leave chance uncertain, and most copies out of the draw.
    holdout = made(700, 5, 1400)
    weak, strong = (
        find(audit_of(tmp_path / str(dose), plant(dose), holdout), f"copying.{name}") for dose in doses
    )
    assert_worse_with_dose(find(clean, f"copying.{name}"), weak, strong, beyond)


@pytest.mark.parametrize("kind", ["email", "card", "iban", "ssn", "ip", "phone", "key"])
def test_each_kind_of_personal_value_is_counted_more_with_dose(tmp_path: Path, kind: str) -> None:
    value = {
        "email": "a@b.io",
        "card": "4111 1111 1111 1111",
        "iban": "GB82 WEST 1234 5698 7654 32",
        "ssn": "078-05-1120",
        "ip": "192.168.7.9",
        "phone": "+44 20 7946 0958",
        "key": "AKIAIOSFODNN7EXAMPLE",
    }[kind]
    plain = rows(60, seed=8)
    found = [
        find(
            audited(tmp_path / str(dose), plain, some(plain[:40], dose, lambda i, text: f"{text} {value}")),
            "copying.pii_share",
            {"kind": kind},
        )
        for dose in (0.0, 0.25, 0.75)
    ]
    assert [measure.value for measure in found] == [0.0, 0.25, 0.75]
    assert surely_worse(found[2])


def test_a_holdout_of_rows_that_were_seen_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="word for word among the real rows"):
        audited(tmp_path, SEEN, FRESH, holdout=SEEN[:100])


def test_without_a_holdout_real_rows_are_the_reference_and_the_method_says_so(tmp_path: Path) -> None:
    result = audited(tmp_path, SEEN, copied_rows(0.2))
    assert "no hold-out" in find(result, "copying.rare_ngram_excess").method
    assert surely_worse(find(result, "copying.rare_ngram_excess"))
    assert surely_worse(find(result, "copying.pii_excess"))
    assert "--holdout" in (find(result, "copying.dcr_share").missing or "")


def test_rows_are_flagged_and_shown(tmp_path: Path) -> None:
    result = audited(tmp_path, SEEN, leaked_mail(0.1), holdout=HELD, planted=canaries(60, 0))
    flags = result.rows.to_pydict()
    assert all(flags["leaks_personal"][:40])
    assert not any(flags["holds_canary"])
    assert sum(flags["leaks_personal"][40:]) == sum("info@" in text for text, _ in FRESH[40:])
    shown = [each for each in result.examples.to_pylist() if each["measure"] == "copying.pii_excess"]
    assert shown
    for example in shown:
        meant = example["text"].encode()[example["start"] : example["end"]].decode()
        assert "@example.org" in meant
        assert meant in example["beside"]


def canaries(number: int, seed: int) -> Canaries:
    rng = np.random.default_rng(seed)
    drawn = [
        Canary(prefix="w1 w2 w3", secret=" ".join(f"w{word}" for word in rng.integers(3000, size=6)))
        for _ in range(2 * number)
    ]
    return Canaries(seed=seed, words=6, planted=tuple(drawn[:number]), controls=tuple(drawn[number:]))


def test_planted_secrets_that_come_out_are_recalled_more_with_dose(tmp_path: Path) -> None:
    key = canaries(60, 1)

    def betraying(number: int) -> list[Row]:
        return [
            (f"{text} {key.planted[at].secret}" if at < number else text, label)
            for at, (text, label) in enumerate(CLEAN)
        ]

    found = [audited(tmp_path / str(number), SEEN, betraying(number), planted=key) for number in (0, 6, 30)]
    recalls = [find(result, "copying.canary_recall") for result in found]
    assert [measure.value for measure in recalls] == [0.0, 0.1, 0.5]
    assert not surely_worse(recalls[0])
    assert surely_worse(recalls[2])
    assert recalls[2].reference is not None
    assert recalls[2].reference.value == 0
    assert found[2].rows["holds_canary"].to_pylist() == [True] * 30 + [False] * (len(CLEAN) - 30)
    echoes = [find(result, "copying.canary_recall", {"trace": "part"}) for result in found]
    assert (echoes[0].value or 0) < (echoes[1].value or 0) < (echoes[2].value or 0)


CLEAN = rows(300, seed=9)
