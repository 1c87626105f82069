"""The settings of a run, each said once: its type, its bounds, its meaning, and the stages it changes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assay.core.cost import Prices
from assay.core.errors import InputError

Stage = Literal["audit", "trial", "forecast"]
STAGES: tuple[Stage, ...] = ("audit", "trial", "forecast")
Files = tuple[str, ...]


@dataclass(frozen=True)
class Ask:
    """How the command line asks for a setting.

    Attributes:
        help: What it means, in a sentence for people.
        stages: The stages that it changes; elsewhere it is refused, for it would do nothing.
        option: Name of its option, where that is not the setting's own.
    """

    help: str
    stages: tuple[Stage, ...] = STAGES
    option: str | None = None


_AUDIT: tuple[Stage, ...] = ("audit",)
_TRIAL: tuple[Stage, ...] = ("trial",)
_FORECAST: tuple[Stage, ...] = ("forecast",)
_TRAINING = _TRIAL + _FORECAST


class Study(BaseModel):
    """The settings of a run; `study.toml` holds the same as data, and the command line asks for them one by one.

    What each field means stands beside it. Files are files, folders, globs or addresses.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    real: Annotated[Files, Ask("Real rows: files, folders, globs or addresses.")]
    synthetic: Annotated[Files, Ask("Synthetic rows, likewise.")] = ()
    test: Annotated[Files, Ask("Held-out real rows to test on, instead of a split.")] = ()
    columns: Annotated[
        dict[str, str],
        Ask("What a column means, such as text=body or label=stars.", option="map"),
    ] = Field(default_factory=dict)
    slices: Annotated[
        Files | None,
        Ask("Column to split by; default: columns of few values.", ("audit", "trial"), option="slice"),
    ] = None
    origin_column: Annotated[
        str | None, Ask("Column that tells real from synthetic in one set of files.")
    ] = None
    synthetic_value: Annotated[str | None, Ask("Value of the origin column on synthetic rows.")] = None
    max_reject_share: Annotated[
        float, Field(ge=0, le=1), Ask("Share of unreadable rows that stops the run.")
    ] = 0.1
    seed: Annotated[int, Ask("Seed of every random choice.")] = 0

    prices: Annotated[
        Prices,
        Ask(
            "What things cost, in US dollars: row=0.002 real_row=0.35; also read, written, hour, and watts.",
            ("audit", "trial"),
            option="price",
        ),
    ] = Prices()

    groups: Annotated[
        Files,
        Ask(
            "Groups of people: a column, or a TOML list to look for as well; `none` for no list. Named, fixes are tried.",
        ),
    ] = ()

    evals: Annotated[
        Files, Ask("Evaluations to look for in the synthetic rows: files, or indexes of them.", _AUDIT)
    ] = ()
    eval_ngram: Annotated[
        int, Field(ge=5, le=100), Ask("Words in a run that counts as the same.", _AUDIT)
    ] = 13
    save_index: Annotated[
        str | None,
        Ask("Write an index of the evaluations, without their text, to NAME.assay-index.", _AUDIT),
    ] = None
    holdout: Annotated[
        Files, Ask("Real rows that the generator did not see: shows what is chance.", _AUDIT)
    ] = ()
    canaries: Annotated[
        str | None, Ask("Key file of `assay canary plant`: were they given away?", _AUDIT)
    ] = None
    span: Annotated[int, Field(ge=5), Ask("Fewest words of a passage that counts as copied.", _AUDIT)] = 50
    student: Annotated[
        str | None,
        Ask("Name of the model you will train, such as Llama-3.1-8B; is the generator kin?", _AUDIT),
    ] = None
    embedder: Annotated[
        Literal["lsa", "minilm"],
        Ask("Whose space rows are compared in; minilm needs the extra embed.", _AUDIT),
    ] = "lsa"
    names: Annotated[
        bool, Ask("Look for names of people too; needs the extra names and minutes.", _AUDIT)
    ] = False

    task: Annotated[
        Literal["auto", "classification", "language-model", "chat"],
        Ask("What a model is to learn: labels, the text, or answers to prompts.", _TRAINING),
    ] = "auto"
    learner: Annotated[
        Literal["auto", "linear", "ngram", "gpt", "finetune"],
        Ask("What is trained; auto takes the cheapest for the task.", _TRAINING),
    ] = "auto"
    base: Annotated[
        str | None, Ask("Model that finetune starts from: a folder, or a name on the hub.", _TRAINING)
    ] = None
    depth: Annotated[int | None, Field(ge=1), Ask("Layers of gpt, which set its other sizes.", _TRAINING)] = (
        None
    )
    budget: Annotated[
        str | None,
        Ask(
            "Time the trainings may take: 30min, 2h. Less is trained where that is too short.",
            _TRAINING,
        ),
    ] = None
    margin: Annotated[
        float,
        Field(gt=0, lt=1),
        Ask("Difference of accuracy, or share of the loss, that counts as none.", _TRAINING),
    ] = 0.01

    shifted: Annotated[Files, Ask("More real rows to test on, from elsewhere.", _TRIAL)] = ()
    general: Annotated[Files, Ask("Rows of anything else the model should still be able to do.", _TRIAL)] = ()
    source: Annotated[
        str | None,
        Ask("Column that names each synthetic row's source: find the best mix of them.", _TRIAL),
    ] = None
    seeds: Annotated[int, Field(ge=5), Ask("Trainings per arm.", _TRIAL)] = 8
    pairs: Annotated[
        Files, Ask("CrowS-Pairs, StereoSet, WinoBias or BBQ, asked of trained models of text.", _TRIAL)
    ] = ()
    pairs_of: Annotated[
        str | None,
        Ask("A model to ask them of as well: smollm2, a GGUF file, or http://host/v1#name.", _TRIAL),
    ] = None

    full: Annotated[
        bool,
        Ask("All regimes of the forecast, by the learner named, and what share is safe.", _FORECAST),
    ] = False
    rounds: Annotated[
        int, Field(ge=1, le=50), Ask("Generations of the forecast after the first.", _FORECAST)
    ] = 5
    real_share: Annotated[
        float,
        Field(gt=0, lt=1),
        Ask("Real rows in the regimes of the forecast that keep some.", _FORECAST),
    ] = 0.1
    temperature: Annotated[float, Field(ge=0), Ask("Of the text of each generation.", _FORECAST)] = 1.0
    top_p: Annotated[
        float, Field(gt=0, le=1), Ask("Share of the likeliest tokens that it is drawn from.", _FORECAST)
    ] = 1.0
    beams: Annotated[int, Field(ge=1), Ask("More than one searches for the likeliest text.", _FORECAST)] = 1

    audit: bool = True
    trial: bool = True
    forecast: bool = True

    @classmethod
    def of(cls, settings: Mapping[str, Any], where: str | None = None) -> Study:
        """A study of these settings. Raises: InputError: one of them, found `where`, does not fit."""
        try:
            return cls.model_validate(settings)
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, each['loc']))}: {each['msg']}"
                for each in error.errors(include_url=False)
            )
            raise InputError(wrong, where=where, fix="See docs/commands.md for the settings.") from None

    @classmethod
    def load(cls, path: Path) -> Study:
        """The settings in a `study.toml`. Raises: InputError: it is missing or does not fit."""
        try:
            return cls.of(tomllib.loads(path.read_text(encoding="utf-8")), str(path))
        except FileNotFoundError:
            raise InputError("no such file", where=str(path)) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(str(error), where=str(path)) from error

    def to_toml(self) -> str:
        """The text of `study.toml`."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))

    @property
    def group_columns(self) -> tuple[str, ...]:
        """What `groups` names besides files: columns."""
        return tuple(
            each
            for each in self.groups
            if each != "none" and not each.endswith(".toml") and not Path(each).exists()
        )


def ask(name: str) -> Ask | None:
    """How the command line asks for a field of `Study`; None where it does not."""
    return next((each for each in Study.model_fields[name].metadata if isinstance(each, Ask)), None)
