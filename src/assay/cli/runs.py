"""The commands over finished runs: `report`, `gate`, `compare`, `label`, `curate`, `serve`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from assay.cli.options import Json, Paths, Seed
from assay.cli.screen import bars, facts, print_answer, save, show
from assay.core.catalogue import define
from assay.core.errors import InputError
from assay.core.evidence import Run
from assay.core.words import with_interval


def report(
    run: Annotated[Path, typer.Argument(help="Folder of a run.")],
    html: Annotated[bool, typer.Option("--html", help="Only report.html.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Only report.md.")] = False,
    card: Annotated[
        bool, typer.Option("--card", help="A block of measured facts in README.md; the rest of it stays.")
    ] = False,
    croissant: Annotated[bool, typer.Option("--croissant", help="croissant.json.")] = False,
    spdx: Annotated[bool, typer.Option("--spdx", help="dataset.spdx.json.")] = False,
    eu: Annotated[
        bool, typer.Option("--eu", help="eu-summary.md: draft on synthetic data for AI Act Art. 53(1)(d).")
    ] = False,
    into: Annotated[
        Path | None, typer.Option(help="Folder of the data set that cards are for; default: the run's.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Draw the pages of a run again from its evidence, or the cards that travel with its synthetic data."""
    from assay.report.cards import write
    from assay.study import report as draw

    cards = {"card": card, "croissant": croissant, "spdx": spdx, "eu": eu}
    kinds = tuple(name for name, wanted in cards.items() if wanted)
    if into is not None and not kinds:
        raise InputError("--into would do nothing here", fix="Give --card, --croissant, --spdx or --eu.")
    both = not (html or markdown or kinds)
    written = draw(Run(run), html=html or both, markdown=markdown or both)
    written += write(Run(run), kinds, into or run)
    facts([str(path) for path in written], "".join(f"{path}\n" for path in written), as_json)


def gate(
    run: Annotated[Path, typer.Argument(help="Folder of a run.")],
    rules: Annotated[
        Path | None, typer.Option(help="Rules as TOML; default: those that come with the package.")
    ] = None,
    against: Annotated[Path | None, typer.Option(help="An earlier run, for no-worse-by.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.")] = None,
    sarif: Annotated[Path | None, typer.Option(help="Write SARIF 2.1.0 here.")] = None,
    github: Annotated[
        bool, typer.Option("--github", help="Annotations and, under $GITHUB_STEP_SUMMARY, a summary.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Judge a run by rules: 0 all hold, 1 one is broken, 3 one could not be decided."""
    from assay.report import github as on_github
    from assay.report import junit as as_junit
    from assay.report import sarif as as_sarif
    from assay.report import terminal
    from assay.report.gate import gate as judge
    from assay.report.gate import record

    judgement = judge(Run(run), rules=rules, against=against)
    root = Path(os.environ.get("GITHUB_WORKSPACE", "."))
    if junit is not None:
        save(junit, as_junit.render(judgement))
    if sarif is not None:
        save(sarif, as_sarif.render(judgement, root))
    if github:
        (sys.stderr if as_json else sys.stdout).write(on_github.commands(judgement, root))
        if "GITHUB_STEP_SUMMARY" in os.environ:
            with Path(os.environ["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as file:
                file.write(on_github.summary(judgement))
    if as_json:
        sys.stdout.write(json.dumps(record(judgement), indent=1) + "\n")
    else:
        show(terminal.of_judgement(judgement))
    raise typer.Exit(judgement.exit_code)


def compare(
    before: Annotated[Path | None, typer.Argument(help="Folder of the earlier run.")] = None,
    after: Annotated[Path | None, typer.Argument(help="Folder of the later run.")] = None,
    history: Annotated[Path | None, typer.Option(help="Instead: all runs in this folder, as series.")] = None,
    measure: Annotated[
        Paths | None, typer.Option(help="With --history: only this measure, with its slices.")
    ] = None,
    order: Annotated[
        Literal["time", "name"], typer.Option(help="With --history: by time of the record, or by name.")
    ] = "time",
    html: Annotated[Path | None, typer.Option(help="Write a page here.")] = None,
    as_json: Json = False,
) -> None:
    """What moved between two runs beyond noise, or how all runs of a folder went."""
    from assay.report import compare as two
    from assay.report import compare_page, terminal
    from assay.report import history as many

    if (history is None) == (before is None) or (before is None) != (after is None):
        raise InputError("give two runs, or --history DIR", fix="For example: assay compare old new")
    if history is None and (measure or order != "time"):
        raise InputError("--measure and --order would do nothing here", fix="Give them with --history.")
    if before is not None and after is not None:
        found = two.compare(Run(before), Run(after))
        page, facts, parts = compare_page.render(found), two.record(found), terminal.of_comparison(found)
    else:
        assert history is not None
        went = many.history(history, names=measure or (), order=order)
        page, facts, parts = many.render(went), many.record(went), terminal.of_history(went)
    if html is not None:
        save(html, page)
    if as_json:
        sys.stdout.write(json.dumps(facts, indent=1) + "\n")
    else:
        show(parts)


def label(
    run: Annotated[Path, typer.Argument(help="Folder of a run with an audit.")],
    labels: Annotated[
        Path | None, typer.Option(help='Take labels from a file instead, lines {"row": 7, "wrong": true}.')
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="Stop when so many rows are labelled.")] = 200,
    as_json: Json = False,
) -> None:
    """Say of some synthetic rows whether they are wrong, by one key each; then decide and report again."""
    from assay.study import label as take

    done = take(run, labels=labels, most=rows)
    if as_json:
        sys.stdout.write(done.evidence.to_json() + "\n")
        return
    rate = done.evidence.find("quality.error_rate")
    assert rate is not None
    console = Console(highlight=False)
    source = f", from {rate.n:,} labels" if rate.value is not None else ""
    console.print(f"{define(rate.name).title}: {with_interval(rate)}{source}", markup=False, soft_wrap=True)
    print_answer(done)


def curate(
    run: Annotated[Path, typer.Option("--run", help="Folder of a run with an audit.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the training set.")],
    share: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Synthetic rows among all rows; default: what the evidence of the run supports.",
        ),
    ] = None,
    rebalance: Annotated[
        str | None,
        typer.Option(help="Column, such as label, whose shares are brought to those of the real rows."),
    ] = None,
    skip: Annotated[Paths | None, typer.Option(help="A filter not to use; may be given again.")] = None,
    also: Annotated[
        Paths | None,
        typer.Option(help="A filter on request: template, prompt_duplicate, restricted_terms, …"),
    ] = None,
    format: Annotated[
        Literal["auto", "jsonl", "parquet"], typer.Option(help="Of the rows; auto: as the real rows came.")
    ] = "auto",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """A better training set of a run: what was flagged set aside, what the trial supports mixed in."""
    from assay.curate.curate import Settings as Wishes
    from assay.curate.words import said
    from assay.study import curate as make

    wishes = Wishes(
        share=share,
        rebalance=rebalance,
        skip=tuple(skip or ()),
        also=tuple(also or ()),
        form=None if format == "auto" else format,
        seed=seed,
    )
    with bars() as progress:
        made = make(run, out, wishes, progress=progress)
    if as_json:
        sys.stdout.write(made.to_json() + "\n")
    else:
        show(list(said(made, run, out)))


def serve(
    runs: Annotated[Path, typer.Argument(help="Folder that holds the folders of runs, or of one run.")],
    port: Annotated[
        int,
        typer.Option(min=0, max=65535, help="Port to listen on, on this machine alone; 0 takes a free one."),
    ] = 8642,
    as_json: Json = False,
) -> None:
    """Browse runs, compare them, search and label their rows in a browser on this machine."""
    from assay.study import serve as listen

    server = listen(runs, port=port)
    facts(
        {"url": server.url, "runs": server.runs},
        f"{server.runs:,} runs. Open this address; Ctrl-C ends:\n{server.url}\n",
        as_json,
    )
    sys.stdout.flush()
    server.forever()


def add(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (report, gate, compare, label, curate, serve):
        app.command()(command)
