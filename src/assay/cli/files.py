"""The commands that read or make files of rows: `inspect`, `generate`, `canary plant`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from assay.cli.options import Json, Map, Paths, Seed, Slice, mapping
from assay.cli.screen import bars, facts


def inspect(
    files: Annotated[Paths, typer.Argument(help="Files, folders, globs or addresses.")],
    map: Map = None,
    slice: Slice = None,
    as_json: Json = False,
) -> None:
    """Show what a file holds: shape, rows, broken rows and why, tokens, labels, batches, times."""
    from assay.engine.inspect import inspect as look

    with bars() as progress:
        found = look(files, mapping=mapping(map or []), slices=slice, progress=progress)
    if as_json:
        sys.stdout.write(found.model_dump_json(indent=1) + "\n")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("file", "shape", "rows", "broken", "tokens", "labels", "columns"):
        table.add_column(
            heading, justify="right" if heading in ("rows", "broken", "tokens", "labels") else "left"
        )
    for file in found.files:
        table.add_row(
            file.name,
            f"{file.shape} ({file.confidence:.0%})" if file.shape else "–",
            f"{file.rows:,}",
            f"{file.rows_unread:,}",
            f"{file.tokens:,}",
            f"{len(file.labels):,}" if file.labels else "–",
            ", ".join(f"{column}: {meaning or 'kept along'}" for column, meaning in file.columns.items()),
        )
    console = Console(highlight=False)
    console.print(table)
    for file in found.files:
        if file.problem:
            console.print(f"{file.name}: {file.problem}", markup=False)
        if file.batches:
            console.print(f"{file.name}: {len(file.batches):,} batches", markup=False)
        if file.earliest and file.latest:
            console.print(
                f"{file.name}: from {file.earliest:%Y-%m-%d} to {file.latest:%Y-%m-%d}", markup=False
            )
        if file.untimed:
            console.print(f"{file.name}: {file.untimed:,} rows with a time that cannot be read", markup=False)
        for reason, rows in file.reasons.items():
            console.print(f"{file.name}: {rows:,} unreadable: {reason}", markup=False)


def generate(
    sources: Annotated[Paths, typer.Option("--from", help="Real labelled rows to learn the manner from.")],
    out: Annotated[
        Path, typer.Option("--out", help="JSONL file to write; run again to go on where it stopped.")
    ],
    rows: Annotated[int, typer.Option(min=1, help="Rows to write.")],
    recipe: Annotated[
        str, typer.Option(help="How to ask the model: few-shot-by-label.")
    ] = "few-shot-by-label",
    model: Annotated[
        str,
        typer.Option(
            help="smollm2, a GGUF file, or http://host/v1#name of a service that speaks the chat protocol."
        ),
    ] = "smollm2",
    about: Annotated[
        str, typer.Option(help="What a row is, as the prompts call it: 'film review'.")
    ] = "text",
    seed: Seed = 0,
    map: Map = None,
    as_json: Json = False,
) -> None:
    """Write synthetic rows with a local language model, each with its lineage."""
    from assay.study import generate as write

    with bars() as progress:
        done = write(
            tuple(sources),
            out,
            rows=rows,
            recipe=recipe,
            model=model,
            about=about,
            seed=seed,
            columns=mapping(map or []),
            progress=progress,
        )
    facts(
        {"out": str(done.out), "rows": done.rows, "tokens": done.tokens, "seconds": done.seconds},
        f"{done.out}: {done.rows:,} rows; {done.tokens:,} tokens written in {done.seconds:.0f} s\n",
        as_json,
    )


def plant(
    files: Annotated[Paths, typer.Argument(help="Real rows: files, folders or globs.")],
    out: Annotated[Path, typer.Option("--out", help="JSONL file to write; the key goes beside it.")],
    number: Annotated[int, typer.Option(min=2, help="Canaries to plant.")] = 100,
    words: Annotated[int, typer.Option(min=2, max=50, help="Words of each secret.")] = 6,
    copies: Annotated[int, typer.Option(min=1, help="How often each is planted.")] = 1,
    seed: Seed = 0,
    map: Map = None,
    as_json: Json = False,
) -> None:
    """Copy real rows with made-up secrets among them, to train a generator on and then audit what it writes."""
    from assay.study import plant as write

    with bars() as progress:
        done = write(
            tuple(files),
            out,
            number=number,
            words=words,
            copies=copies,
            seed=seed,
            columns=mapping(map or []),
            progress=progress,
        )
    facts(
        {
            "out": str(done.out),
            "key": str(done.key),
            "rows": done.rows,
            "planted": done.planted,
            "unread": done.unread,
        },
        f"{done.out}: {done.rows:,} rows, {done.planted:,} of them planted, {done.unread:,} lines unreadable "
        f"and left out; key: {done.key}\n",
        as_json,
    )


def add(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(inspect)
    app.command()(generate)
    canary = typer.Typer(help="Secrets planted among real rows, to see whether a generator gives them away.")
    canary.command("plant")(plant)
    canary.callback()(lambda: None)  # keeps `plant` a command of its own while it is the only one
    app.add_typer(canary, name="canary")
