"""Rules are decided on intervals; wrong rules say what was meant; every output survives hostile text."""

from __future__ import annotations

import gzip
import json
import random
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from assay.core.errors import InputError
from assay.core.evidence import Evidence, Run
from assay.core.judge import Outcome, judge
from assay.core.measure import Measure
from assay.core.rules import Rules, parse
from assay.report import github, junit, sarif, terminal
from assay.report.gate import Judgement, default_rules, gate, record

from ..report.sample import absent, evidence, measured, write_run

HOSTILE = "x\x00\x1b[31m</failure>]]>&\"'\ufffe\ud800 ::error::owned%0A|<script>alert(1)</script>\n::warning::a,b\r\n`#@you"


def with_measures(*measures: Measure, **changes: object) -> Evidence:
    return evidence(measures=measures, **changes)


def refusals(value: float, low: float, high: float, **more: object) -> Measure:
    return measured("quality.refusal_share", (value, low, high), corpus="synthetic", **more)  # type: ignore[arg-type]


def only(text: str, record: Evidence, earlier: Evidence | None = None) -> Outcome:
    (outcome,) = judge(parse(text), record, earlier)
    return outcome


def hostile_judgement(folder: Path, slices: int = 3) -> Judgement:
    measures = [
        refusals(0.5, 0.4, 0.6, slice={"label" + HOSTILE: f"{HOSTILE}{index}"}) for index in range(slices)
    ]
    rules = 'name = "%s"\nmeasure = "quality.refusal_share"\nslice = "each"\nmax = 0.01\nwhy = "%s"'
    name = json.dumps(HOSTILE.replace("\ud800", "").replace("\ufffe", ""))[1:-1]
    path = folder / "rules,100%:.toml"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(f"[[rule]]\n{rules % (name, name)}\n", encoding="utf-8")
    claims = tuple(
        each.model_copy(update={"statement": HOSTILE.replace("\ud800", "")}) for each in evidence().claims
    )
    run = write_run(folder / "run")
    run.evidence = evidence(measures=tuple(measures), claims=claims)
    return gate(run, rules=path)


@pytest.mark.parametrize(
    ("interval", "word"),
    [((0.005, 0.001, 0.009), "pass"), ((0.02, 0.011, 0.03), "broken"), ((0.011, 0.008, 0.02), "undecided")],
)
def test_only_an_interval_past_the_limit_breaks_a_rule(
    interval: tuple[float, float, float], word: str
) -> None:
    rule = '[[rule]]\nmeasure = "quality.refusal_share"\nmax = 0.01'
    assert only(rule, with_measures(refusals(*interval))).word == word
    value, low, high = (1 - each for each in interval)
    mirrored = refusals(value, high, low)
    assert only(rule.replace("max = 0.01", "min = 0.99"), with_measures(mirrored)).word == word


def test_a_limit_of_zero_is_a_limit() -> None:
    rule = '[[rule]]\nmeasure = "quality.refusal_share"\nmax = 0'
    assert only(rule, with_measures(refusals(0.02, 0.01, 0.03))).word == "broken"


def test_many_slices_break_a_rule_no_more_often_than_one() -> None:
    """Two hundred slices that all lie at the limit: one at a time some would break it by chance, together few do."""
    draw = random.Random(0)
    rule = parse('[[rule]]\nmeasure = "quality.refusal_share"\nslice = "each"\nmax = 0.10')
    broken = one_by_one = 0
    for _ in range(100):
        values = [draw.gauss(0.10, 0.01) for _ in range(40)]
        slices = [
            refusals(value, value - 0.0196, value + 0.0196, slice={"part": str(at)})
            for at, value in enumerate(values)
        ]
        one_by_one += any(each.low is not None and each.low > 0.10 for each in slices)
        (outcome,) = judge(rule, with_measures(*slices))
        broken += outcome.word == "broken"
    assert one_by_one > 40
    assert broken <= 8  # 2.5 % expected


def test_a_slice_is_named_or_starred() -> None:
    measures = [refusals(0.5, 0.4, 0.6, slice={"label": "a", "role": "user"}), refusals(0, 0, 0.001)]
    record = with_measures(*measures, refusals(0, 0, 0.001, slice={"label": "b"}))
    rule = '[[rule]]\nmeasure = "quality.refusal_share"\nmax = 0.01\n'
    assert only(rule, record).word == "pass"
    assert only(rule + 'slice = {label = "a"}', record).word == "broken"
    assert only(rule + 'slice = {label = "b"}', record).word == "pass"
    starred = only(rule + 'slice = {label = "*"}', record)
    assert (starred.word, len(starred.checks)) == ("broken", 2)
    absent_slice = only(rule + 'slice = {label = "bb"}', record)
    assert absent_slice.word == "undecided"
    assert "there is label: b" in absent_slice.checks[0].says


def test_what_is_not_measured_is_undecided_unless_the_rule_says_otherwise() -> None:
    record = with_measures(absent("trial.gap", "no trial was run"))
    rule = '[[rule]]\nmeasure = "trial.gap"\nmin = -0.1\n'
    assert only(rule, record).word == "undecided"
    assert "no trial was run" in only(rule, record).checks[0].says
    assert only(rule + 'if-missing = "skip"', record).word == "skipped"
    assert only(rule + 'if-missing = "broken"', record).word == "broken"


@pytest.mark.parametrize(
    ("verdict", "no_harm", "must_help", "decided"),
    [
        ("harm", "broken", "broken", "pass"),
        ("no harm", "pass", "broken", "pass"),
        ("helps", "pass", "pass", "pass"),
        ("undecided", "undecided", "undecided", "broken"),
        ("not measured", "undecided", "undecided", "broken"),
    ],
)
def test_claims(verdict: str, no_harm: str, must_help: str, decided: str) -> None:
    claims = tuple(each.model_copy(update={"verdict": verdict}) for each in evidence().claims)
    record = evidence(claims=claims)
    for asked, word in (("no-harm", no_harm), ("must-help", must_help), ("must-be-decided", decided)):
        assert only(f'[[rule]]\nclaim = "performance"\n{asked} = true', record).word == word


def test_the_ratchet_holds_each_direction() -> None:
    rule = '[[rule]]\nmeasure = "{}"\nno-worse-by = {}'
    before, worse = refusals(0.010, 0.008, 0.012), refusals(0.050, 0.046, 0.054)
    assert only(rule.format(before.name, 0.01), with_measures(worse), with_measures(before)).word == "broken"
    assert only(rule.format(before.name, 0.01), with_measures(before), with_measures(worse)).word == "pass"
    assert (
        only(rule.format(before.name, 0.04), with_measures(worse), with_measures(before)).word == "undecided"
    )
    assert only(rule.format(before.name, 0.04), with_measures(worse)).word == "undecided"
    thin = measured("coverage.slice_ratio", (0.5, 0.45, 0.55), slice={"label": "a"})
    even = measured("coverage.slice_ratio", (1.0, 0.95, 1.05), slice={"label": "a"})
    thick = measured("coverage.slice_ratio", (2.0, 1.9, 2.1), slice={"label": "a"})
    each = rule.format("coverage.slice_ratio", 0.1) + '\nslice = "each"'
    for strayed in (thin, thick):
        assert only(each, with_measures(strayed), with_measures(even)).word == "broken"
        assert only(each, with_measures(even), with_measures(strayed)).word == "pass"


def test_the_ratchet_does_not_judge_what_only_rests_on_less_data() -> None:
    rule = '[[rule]]\nmeasure = "diversity.distinct_2"\nno-worse-by = 0.01'
    before = measured("diversity.distinct_2", (0.5, 0.49, 0.51), n=31_000)
    after = measured("diversity.distinct_2", (0.4, 0.39, 0.41), n=62_000)
    outcome = only(rule, with_measures(after), with_measures(before))
    assert outcome.word == "undecided"
    assert "amount" in outcome.checks[0].says


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[rule]]\nmeasure = "quality.refusals"\nmax = 1', "quality.refusal_share"),
        ('[[rule]]\nclaim = "copy"\nno-harm = true', "copying"),
        ('[[rule]]\nmeasure = "quality.refusal_share"\nmaximum = 1', "max"),
        ('[[rule]]\nmeasure = "quality.refusal_share"\nmax = "1"', "max: "),
        ('[[rule]]\nmeasure = "quality.refusal_share"\nmax = nan', "max: "),
        ('[[rule]]\nmeasure = "quality.refusal_share"', "asks nothing"),
        ('[[rule]]\nmeasure = "quality.refusal_share"\nno-harm = true', "cannot be asked of a measure"),
        ('[[rule]]\nclaim = "copying"\nmax = 1', "cannot be asked of a claim"),
        ('[[rule]]\nclaim = "copying"\nno-harm = true\nslice = "each"', "slice cannot be asked of a claim"),
        ("[[rule]]\nmax = 1", "one measure or of one claim"),
        ('[[rule]]\nmeasure = "coverage.slice_ratio"\nmin = 1', 'slice = "each"'),
        ('[[rule]]\nmeasure = "trial.best_share"\nno-worse-by = 1', "no worse direction"),
        ("", "no rules"),
        ("[[rules]]", "rule"),
        ("[[rule]\n", "not TOML"),
        ('[[rule]]\nname = "a"\nclaim = "copying"\nno-harm = true\n' * 2, "two rules are called 'a'"),
    ],
)  # fmt: skip
def test_wrong_rules_say_what_was_meant(text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        judge(parse(text), evidence(), evidence())
    assert says in str(caught.value)
    assert "rules" in str(caught.value)


def test_an_error_names_the_line_of_its_rule() -> None:
    text = '# [[rule]] in a comment\n\n[[rule]]\nclaim = "copying"\nno-harm = true\n\n[[ rule ]]\nclaim = "copyin"\nno-harm = true'
    with pytest.raises(InputError, match="rules:7"):
        judge(parse(text), evidence())


def test_the_default_rules_fit_any_run(tmp_path: Path) -> None:
    assert all(outcome.checks for outcome in judge(default_rules(), evidence()))
    assert all(
        outcome.word in ("skipped", "undecided", "pass", "broken") and not outcome.fails
        for outcome in judge(default_rules(), with_measures(claims=()))
    )


def test_a_warning_fails_nothing(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rule]]\nmeasure = "quality.repetition_share"\nmax = 0.01\nlevel = "warning"\n')
    judgement = gate(run, rules=rules)
    assert (judgement.outcomes[0].word, judgement.word, judgement.exit_code) == ("broken", "pass", 0)
    assert "::warning file=rules.toml,line=1," in github.commands(judgement, tmp_path)
    rules.write_text(rules.read_text().replace('level = "warning"\n', ""))
    assert gate(run, rules=rules).exit_code == 1


def test_junit_counts_what_it_holds(tmp_path: Path) -> None:
    judgement = gate(write_run(tmp_path / "run"))
    root = ElementTree.fromstring(junit.render(judgement))
    cases = root.findall("./testsuite/testcase")
    assert root.get("tests") == str(len(cases)) == str(len(judgement.outcomes))
    for tag, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert root.get(count) == str(sum(case.find(tag) is not None for case in cases))
    assert (int(root.get("failures", 0)) > 0) == (judgement.word == "broken")


def test_hostile_text_breaks_no_output(tmp_path: Path) -> None:
    judgement = hostile_judgement(tmp_path)
    assert judgement.word == "broken"
    case = ElementTree.fromstring(junit.render(judgement)).find("./testsuite/testcase")
    assert case is not None
    assert [child.tag for child in case] == ["failure"]
    log = json.loads(sarif.render(judgement, tmp_path).encode("utf-8"))
    assert "\x1b" not in json.dumps(log, ensure_ascii=False)
    commands = github.commands(judgement, tmp_path)
    assert len(commands.splitlines()) == 1
    assert commands.startswith("::error file=rules%2C100%25%3A.toml,line=1,title=")
    table = [row for row in github.summary(judgement).splitlines() if row.startswith("|")]
    assert len(table) == 3
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 4 for row in table)
    assert "<script" not in re.sub(r"\\<", "", github.summary(judgement))
    assert "\x1b" not in "".join(str(part) for part in terminal.of_judgement(judgement))
    json.dumps(record(judgement))


def test_sarif_stays_within_the_limits_and_keeps_its_fingerprints(tmp_path: Path) -> None:
    many = hostile_judgement(tmp_path / "many", slices=6000)
    text = sarif.render(many, tmp_path)
    log = json.loads(text)
    results = log["runs"][0]["results"]
    assert len(results) == sarif.RESULTS
    assert len(gzip.compress(text.encode())) < 10_000_000
    assert len({each["partialFingerprints"]["assayCheck/v1"] for each in results}) == len(results)

    def known(share: float) -> list[str]:
        run = write_run(tmp_path / "run")
        run.evidence = with_measures(refusals(share, share - 0.01, share + 0.01))
        path = tmp_path / "rules.toml"
        path.write_text('[[rule]]\nmeasure = "quality.refusal_share"\nmax = 0.01\n')
        found = json.loads(sarif.render(gate(run, rules=path), tmp_path))["runs"][0]["results"]
        return [each["partialFingerprints"]["primaryLocationLineHash"] for each in found]

    assert known(0.3) == known(0.5) != []


def test_sarif_has_the_form_that_the_standard_asks(tmp_path: Path) -> None:
    """The points of SARIF 2.1.0 that the log touches: 3.13 to 3.30, 3.49."""
    run = write_run(tmp_path / "run")
    path = tmp_path / "a rule.toml"
    path.write_text(
        '[[rule]]\nmeasure = "quality.repetition_share"\nmax = 0.01\n'
        '[[rule]]\nmeasure = "quality.error_rate"\nmax = 0.01\n[[rule]]\nclaim = "copying"\nno-harm = true\n'
    )
    log = json.loads(sarif.render(gate(run, rules=path), tmp_path))
    assert log["version"] == "2.1.0"
    assert 1 <= len(log["runs"]) <= 20
    (found,) = log["runs"]
    rules = found["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert {len(rule["properties"]["tags"]) <= 10 for rule in rules} == {True}
    assert len(found["results"]) == 2
    for result in found["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["kind"] == "fail" or result["level"] == "none"  # 3.27.10
        (place,) = result["locations"]
        where = place["physicalLocation"]
        assert where["artifactLocation"]["uri"] == "a%20rule.toml"
        assert where["region"]["startLine"] >= 1
    assert [result["kind"] for result in found["results"]] == ["fail", "open"]
    assert [
        result["locations"][0]["physicalLocation"]["region"]["startLine"] for result in found["results"]
    ] == [1, 4]


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    first, second = gate(run), gate(Run(tmp_path / "run"))
    for render in (junit.render, github.summary):
        assert render(first) == render(second)
    assert sarif.render(first, tmp_path) == sarif.render(second, tmp_path)
    assert isinstance(first.rules, Rules)
