"""The page: all that the evidence says, and nothing that the data would like it to do."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pytest

from assay.core.claim import CLAIMS
from assay.core.evidence import EXAMPLES, Costs, Loss, Run
from assay.core.verdict import decide
from assay.report.page import render
from assay.report.view import view

from .sample import absent, evidence, examples, measured, write_run

_VOID = {"meta", "link", "br", "hr", "img", "input"}
_HOSTILE = [
    "<script>alert('owned')</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(2)</script>",
    "<!-- <svg onload=alert(3)> -->",
    "javascript:alert(4)",
    "{{ 7 * 7 }}{% raw %}",
    "' onmouseover='alert(5)",
    "safe\u202egnp.exe",
    "</style><style>body{display:none}</style>",
]


class Outline(HTMLParser):
    """Tags, attributes and text of a page, and whether every element is closed in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text += data

    def sections(self) -> set[str]:
        return {attrs["id"] or "" for tag, attrs in self.tags if tag == "section"}


def outline(page: str) -> Outline:
    seen = Outline()
    seen.feed(page)
    seen.close()
    assert not seen.open
    return seen


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return render(write_run(tmp_path_factory.mktemp("run")))


def hostile_run(folder: Path) -> Run:
    """A run in which every string that data can set is an attack."""
    record = evidence()
    attack = " ".join(_HOSTILE)
    measures = [
        *record.measures,
        *(measured("fidelity.giveaways", (0.1, 0.1, 0.1), slice={"phrase": bad}) for bad in _HOSTILE),
        *(measured("coverage.slice_ratio", (0.1, 0.1, 0.1), slice={bad: bad}) for bad in _HOSTILE),
        measured("trial.benefit", (0.1, 0.1, 0.1), method=attack, left_out={attack: 3}),
        *(measured("bias.group_share_ratio", (0.1, 0.1, 0.1), slice={"group": bad}) for bad in _HOSTILE),
        *(
            measured("bias.marked_words", (0.1, 0.1, 0.1), slice={"group": bad, "word": bad})
            for bad in _HOSTILE
        ),
        *(measured("bias.gap", (0.1, 0.1, 0.1), slice={"group": bad, "measure": bad}) for bad in _HOSTILE),
        *(measured("coverage.regions", (0.1, 0.1, 0.1), slice={"region": bad}) for bad in _HOSTILE),
        *(measured("trial.slice_delta", (0.1, 0.1, 0.1), slice={"label": bad}) for bad in _HOSTILE),
        *(
            each.model_copy(update={"slice": {"regime": bad, "round": (each.slice or {}).get("round", "0")}})
            for each in record.measures
            if each.name == "forecast.loss"
            for bad in _HOSTILE[:2]
        ),
        *(
            measured("trial.dose_response", (0.5, 0.4, 0.6), slice={"design": bad, "synthetic_share": "0.5"})
            for bad in _HOSTILE
        ),
    ]
    rows = [
        dict(zip(EXAMPLES.names, (name, None, bad, 1, bad, bad, 0, 4, bad), strict=True))
        for name in ("copying.verbatim_share", "duplicates.near_share", "fidelity.two_sample_auc")
        for bad in _HOSTILE
    ]
    changed = evidence(
        measures=tuple(measures),
        inputs=tuple(each.model_copy(update={"name": attack, "shape": attack}) for each in record.inputs),
        claims=tuple(
            each.model_copy(update={"statement": attack, "action": attack}) for each in record.claims
        ),
        losses=(Loss(what=attack, why=attack, rows=1, examples=tuple(_HOSTILE)),),
    )
    run = write_run(folder, changed, pa.Table.from_pylist(rows, schema=EXAMPLES))
    (folder / "study.toml").write_text(f"real = '''{attack}'''", encoding="utf-8")
    wrote = [{"round": bad, "sample": bad, "histogram": [1, bad, 2]} for bad in _HOSTILE]
    regimes = [{"regime": bad, "generations": [*wrote, "no object"]} for bad in _HOSTILE]
    (folder / "rows" / "forecast.json").write_text(
        json.dumps({"regimes": [*regimes, {"generations": 3}, "no object"]}), encoding="utf-8"
    )
    return run


def test_the_page_is_well_formed_and_holds_every_section(page: str) -> None:
    assert outline(page).sections() == {
        "answer",
        "dose",
        "added",
        "curve",
        "numbers",
        "claims",
        "focus",
        "models",
        "forecast",
        "coverage",
        "bias",
        "giveaways",
        "slices",
        "further",
        "losses",
        "not-measured",
        "cost",
        "conclusions",
        "references",
        "reproduce",
    }


def test_the_page_is_one_file_under_three_megabytes(page: str) -> None:
    assert len(page.encode()) < 3_000_000
    for tag, attributes in outline(page).tags:
        assert "src" not in attributes
        assert tag not in ("link", "iframe", "object", "embed", "base", "form")
        if "href" in attributes:
            assert tag == "a"
            assert (attributes["href"] or "").startswith(("https://", "#"))


def test_the_policy_forbids_the_network_and_foreign_scripts(page: str) -> None:
    policy = next(
        attrs["content"] or ""
        for tag, attrs in outline(page).tags
        if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'")
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in scripts
    assert scripts.count("'sha256-") == 3


def test_every_claim_is_on_the_page_with_its_words(page: str) -> None:
    text = outline(page).text.replace("\u00a0", " ").replace("\u2212", "-")
    for claim, result in zip(CLAIMS, evidence().claims, strict=True):
        assert claim.title in text
        assert result.statement in text


def test_a_missing_measure_is_named_with_its_reason(page: str) -> None:
    text = outline(page).text
    assert "no slice has 50 test rows" in text
    assert "A slice, real plus synthetic against real" in text


def test_example_rows_stand_beside_the_finding_with_the_shared_span_marked(page: str) -> None:
    assert page.count("<mark>a masterpiece of the genre and</mark>") >= 1
    assert "real row it resembles" in page
    assert "Truly <mark>a masterpiece of the genre and</mark> little else." in page


def test_every_number_opens_to_how_it_was_made(page: str) -> None:
    seen = outline(page)
    assert page.count('<details class="figure">') == page.count("<dt>Method</dt>") > 60
    assert "leave-one-bucket-out over 64 buckets of root ids" in seen.text
    assert "0.502 (0.481 to 0.523)" in seen.text.replace("\u00a0", " ")


def test_every_link_within_the_page_leads_somewhere(page: str) -> None:
    tags = outline(page).tags
    named = {attrs["id"] for _, attrs in tags if "id" in attrs}
    inside = [attrs["href"] for tag, attrs in tags if tag == "a" and (attrs["href"] or "").startswith("#")]
    assert len(inside) > 15
    assert {(href or "")[1:] for href in inside} <= named


def test_wherever_groups_are_measured_stands_what_is_not_seen(page: str) -> None:
    assert "one that no list names, is not there" in outline(page).text
    groups = page.count("<dt>Name</dt><dd><code>bias.")
    assert page.count('href="#not-seen"') > groups > 5


def test_marked_words_stand_in_their_context(page: str) -> None:
    assert "Her <mark>gentle</mark> smile." in page


def test_models_are_compared_in_words_and_rows(page: str) -> None:
    text = outline(page).text
    assert "all real rows and a placebo" in text
    assert "3,760 real + 940 placebo" in text
    assert "accuracy, higher is better" in text


def test_what_each_round_wrote_stands_side_by_side(page: str) -> None:
    text = outline(page).text
    assert text.index("A film that knows what it wants.") < text.index("The film is a film is a film.")
    assert page.count('<svg class="bars"') == 2


def test_of_the_shapes_of_growth_the_likeliest_is_named(page: str) -> None:
    assert "shape: linear" in page
    assert "shape: level" not in page


def test_a_broken_forecast_file_is_no_obstacle(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    (tmp_path / "rows" / "forecast.json").write_text("{", encoding="utf-8")
    assert "What each round wrote" not in render(run)


def test_slices_with_one_reason_are_told_once(tmp_path: Path) -> None:
    gone = [
        absent("bias.gap", "too few rows").model_copy(update={"slice": {"group": f"g{at}"}})
        for at in range(9)
    ]
    text = outline(render(write_run(tmp_path, evidence(measures=(*evidence().measures, *gone))))).text
    assert "g0, g1, g2, g3 and 5 more" in text
    assert text.count("too few rows") == 1


def test_of_a_gap_by_dose_the_highest_dose_stands_in_the_list(tmp_path: Path) -> None:
    listed = [each.where for each in view(write_run(tmp_path)).bias.others if each.name == "bias.model_gap"]
    assert sorted(listed) == [
        "group: gender: men, synthetic_share: 0.2985",
        "group: gender: women, synthetic_share: 0.2985",
    ]


def test_every_source_of_a_mix_is_told(tmp_path: Path) -> None:
    shares = [
        measured("trial.source_share", (0.1, 0.0, 0.2), slice={"source": f"source {at}"}) for at in range(9)
    ]
    record = evidence(measures=(*evidence().measures, *shares))
    assert sum(each.name == "trial.source_share" for each in view(write_run(tmp_path, record)).further) == 9


def test_the_plainest_giveaway_comes_first(page: str) -> None:
    text = outline(page).text.split("Phrases that give it away")[1]
    assert text.index("the film is a") < text.index("testament to the") < text.index("a must-see for")


def test_hostile_data_is_inert(page: str, tmp_path: Path) -> None:
    attacked = render(hostile_run(tmp_path))
    seen, honest = outline(attacked), outline(page)
    assert {tag for tag, _ in seen.tags} == {tag for tag, _ in honest.tags}
    assert sum(tag == "script" for tag, _ in seen.tags) == sum(tag == "script" for tag, _ in honest.tags)
    assert sum(tag == "style" for tag, _ in seen.tags) == 1
    for _, attributes in seen.tags:
        assert not any(name.startswith("on") for name in attributes)
        assert not (attributes.get("href") or "").startswith("javascript")
    assert "{{ 7 * 7 }}" in seen.text
    assert "\u202e" not in attacked
    assert "⟨U+202E⟩" in attacked


def test_plot_data_cannot_leave_its_script_element(tmp_path: Path) -> None:
    bad = "</script><!--<script>\u2028"
    measures = tuple(
        each.model_copy(update={"unit": bad}) if each.name == "trial.dose_response" else each
        for each in evidence().measures
    )
    attacked = render(write_run(tmp_path, evidence(measures=measures)))
    start = attacked.index('id="spec-dose">') + len('id="spec-dose">')
    block = attacked[start : attacked.index("</script>", start)]
    assert bad in json.loads(block)["encoding"]["y"]["axis"]["title"]
    outline(attacked)


def test_a_row_of_a_megabyte_is_cut(tmp_path: Path) -> None:
    row = dict(zip(EXAMPLES.names, ("copying.near_share", None, "synthetic", 1), strict=False))
    huge = "word " * 200_000
    table = pa.Table.from_pylist(
        [{**row, "text": huge, "beside": huge, "start": 500_000, "end": 900_000, "note": huge}],
        schema=EXAMPLES,
    )
    ordinary = len(render(write_run(tmp_path / "a", rows=examples())))
    assert len(render(write_run(tmp_path / "b", rows=table))) < ordinary + 10_000


def test_a_name_of_a_megabyte_is_cut_wherever_it_is_quoted(tmp_path: Path) -> None:
    thin = measured("coverage.slice_ratio", (0.1, 0.05, 0.2), slice={"label": "x" * 1_000_000})
    record = evidence()
    measures = (*record.measures, thin)
    ordinary = len(render(write_run(tmp_path / "a")))
    page = render(write_run(tmp_path / "b", evidence(measures=measures, claims=decide(measures))))
    assert len(page) < ordinary + 20_000


def test_an_empty_section_is_not_drawn(tmp_path: Path) -> None:
    bare = evidence(measures=(), trials=(), losses=(), costs=Costs())
    nothing = tuple(
        each.model_copy(update={"verdict": "not measured", "because": (), "statement": "no data"})
        for each in bare.claims
    )
    folder = tmp_path / "run"
    run = write_run(
        folder, evidence(measures=(), trials=(), losses=(), claims=nothing), EXAMPLES.empty_table()
    )
    (folder / "study.toml").unlink()
    page = render(run)
    drawn = outline(page).sections()
    assert not drawn & {"dose", "curve", "claims", "giveaways", "slices", "losses", "references"}
    assert {"answer", "not-measured", "cost", "reproduce"} <= drawn
    assert "vega" not in page.lower()


def test_a_long_table_says_how_much_it_leaves_out(tmp_path: Path) -> None:
    slices = tuple(
        measured("coverage.slice_ratio", (1 + at / 100, 0.9, 2.0), slice={"label": f"intent {at:02}"})
        for at in range(77)
    )
    text = outline(render(write_run(tmp_path, evidence(measures=slices)))).text
    assert "intent 29" in text
    assert "intent 30" not in text
    assert "and 47 more" in text


def test_the_same_run_gives_the_same_page(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    assert render(run) == render(run)
