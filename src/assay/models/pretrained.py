"""A pretrained language model to start from: a folder of safetensors, a GGUF file turned into one, or the hub.

Nothing is fetched unless the caller writes an address that begins with ``hf://``. No pickle is opened and no
code that came with a model is run.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.core.errors import EngineError, InputError, MissingExtra
from assay.models.endpoint import SMOLLM2, file_sha256, packaged_smollm2

_HUB = "hf://"
_HUB_NAME = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")
# What a model needs; pickled weights and code are left where they are.
_HUB_FILES = ["*.safetensors", "*.json", "*.jinja", "*.model", "merges.txt", "vocab.txt"]
_PURPOSE = "The learner finetune"
_RECORD = "assay.json"
_SAFE = (
    "Write it as safetensors with the program that trained it, `model.save_pretrained(folder)` in "
    "transformers 5, on a machine where you trust the file."
)


@dataclass(frozen=True)
class Base:
    """A model and its tokenizer.

    Attributes:
        model: A causal language model of transformers, on its device, without dropout.
        tokenizer: Its tokenizer, one of those that know where in the text a token lies.
        name: What the user called it.
        sha256: Of weights, configuration and tokenizer together.
    """

    model: Any
    tokenizer: Any
    name: str
    sha256: str

    @property
    def context(self) -> int:
        """Tokens that the model can read at once."""
        config = self.model.config.get_text_config()
        return int(getattr(config, "max_position_embeddings", None) or 2**20)


def imported(name: str) -> Any:
    """The module `name`. Raises: MissingExtra: it is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        package = name.split(".")[0]
        if error.name is None or error.name.split(".")[0] != package:
            raise
        raise MissingExtra(package, "train", purpose=_PURPOSE) from None


def chosen_device(device: str) -> str:
    """`auto` is the first GPU if there is one, else the processor; anything else is taken as it is."""
    if device != "auto":
        return device
    return "cuda" if imported("torch").cuda.is_available() else "cpu"


def open_base(base: str = SMOLLM2, *, device: str = "auto", frozen: bool = True) -> Base:
    """The model called `base`, ready on its device.

    Args:
        base: ``smollm2`` for the packaged SmolLM2-135M-Instruct, a folder that holds ``config.json`` and
            safetensors, the path of a GGUF file, or ``hf://owner/name`` (``@revision`` may follow) to fetch from
            the hub. GGUF files are turned into a folder once, in the user's cache.
        device: As torch names it, or ``auto``.
        frozen: The weights will stay as they are; on a GPU they are then held in bfloat16, else in float32.

    Raises:
        MissingExtra: torch, transformers or, for the packaged model, gguf is not installed.
        InputError: there is no such model, or it is pickled, damaged, incomplete, or not a causal one.
        EngineError: the packaged model is not installed, or the hub did not give the model.
    """
    torch, transformers = imported("torch"), imported("transformers")
    folder = base_folder(base)
    device = chosen_device(device)
    dtype = torch.bfloat16 if frozen and device.startswith("cuda") else torch.float32
    safe_error = imported("safetensors").SafetensorError
    try:
        with _quiet(transformers):
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            model, loading = transformers.AutoModelForCausalLM.from_pretrained(
                folder,
                dtype=dtype,
                use_safetensors=True,
                local_files_only=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, safe_error) as error:
        raise InputError(f"the model cannot be opened: {error}", where=str(folder)) from error
    if missing := sorted(loading["missing_keys"]):
        raise InputError(f"{len(missing)} weights are missing, such as {missing[0]}", where=str(folder))
    if not tokenizer.is_fast:
        raise InputError(
            "the tokenizer cannot tell where in the text a token lies",
            where=str(folder),
            fix="Add a tokenizer.json, as the package tokenizers writes it.",
        )
    model = model.to(device).eval()
    if not _causal(torch, model):
        raise InputError("the model reads ahead: it is no causal language model", where=str(folder))
    return Base(model, tokenizer, base, _fingerprint(folder))


def base_folder(base: str) -> Path:
    """The folder of safetensors behind a name; see `open_base` for the names and errors."""
    if base == SMOLLM2:
        return _converted(packaged_smollm2())
    if base.startswith(_HUB):
        return _safe_folder(_fetched(base))
    path = Path(base).expanduser()
    if path.is_dir():
        return _safe_folder(path)
    if path.is_file() and path.suffix == ".gguf":
        return _converted(path)
    raise InputError(
        f"no model {base!r}",
        fix=f"Give {SMOLLM2!r} for the packaged one, a folder with safetensors, a GGUF file, or hf://owner/name.",
    )


def cache_folder() -> Path:
    """Where converted models lie: ``assay/models`` within the user's cache (XDG_CACHE_HOME, else ~/.cache)."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "assay" / "models"


def _safe_folder(folder: Path) -> Path:
    """The folder itself. Raises: InputError: it holds no configuration or no safetensors."""
    if (folder / "adapter_config.json").exists():
        raise InputError(
            "this is an adapter, not a model",
            where=str(folder),
            fix="Merge it into its model and save that: model.merge_and_unload().save_pretrained(folder) in peft.",
        )
    if not (folder / "config.json").exists():
        raise InputError("no config.json: this is no model of transformers", where=str(folder))
    if any(folder.glob("*.safetensors")):
        return folder
    pickled = sorted(path.name for kind in ("*.bin", "*.pt", "*.pth") for path in folder.glob(kind))
    if pickled:
        raise InputError(
            f"{pickled[0]} is a pickle, which can run code when it is opened, so Assay does not open it",
            where=str(folder),
            fix=_SAFE,
        )
    raise InputError("no safetensors in the folder", where=str(folder), fix=_SAFE)


def _fetched(address: str) -> Path:
    """The hub's files in the hub's own cache."""
    found = _HUB_NAME.fullmatch(address.removeprefix(_HUB))
    if found is None:
        raise InputError(
            f"{address!r} names no model", fix="Write hf://owner/name or hf://owner/name@revision."
        )
    try:
        return Path(
            imported("huggingface_hub").snapshot_download(
                found["name"], revision=found["revision"], allow_patterns=_HUB_FILES
            )
        )
    except (OSError, ValueError) as error:
        raise EngineError(f"the hub did not give the model: {error}", where=address) from error


def _converted(path: Path) -> Path:
    """The folder of safetensors made from a GGUF file; made now if this is the first time.

    Its weights are bfloat16: rounding to it is far finer than the quantisation they come from.
    """
    source = file_sha256(path)
    folder = cache_folder() / f"{path.stem}-{source[:12]}"
    if (folder / _RECORD).exists():
        record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        if record["sha256"] != _fingerprint(folder):
            raise InputError("the converted model was altered", where=str(folder), fix="Remove the folder.")
        return folder
    imported("gguf")
    torch, transformers = imported("torch"), imported("transformers")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (
            _quiet(transformers),
            redirect_stderr(io.StringIO()),  # the reader of GGUF draws a bar of its own
            tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as aside,
        ):
            given = {"gguf_file": path.name, "local_files_only": True}
            tokenizer = transformers.AutoTokenizer.from_pretrained(path.parent, **given)
            loaded = transformers.AutoModelForCausalLM.from_pretrained(path.parent, **given)
            # As read it counts as quantised, which cannot be saved: the plain weights move to a plain model.
            config = type(loaded.config)(
                **{k: v for k, v in loaded.config.to_dict().items() if k != "quantization_config"}
            )
            plain = type(loaded)(config)
            plain.load_state_dict(loaded.state_dict())
            made = Path(aside) / "model"
            plain.to(torch.bfloat16).save_pretrained(made)
            tokenizer.save_pretrained(made)
            facts = {
                "from": path.name,
                "from_sha256": source,
                "transformers": transformers.__version__,
                "sha256": _fingerprint(made),
            }
            (made / _RECORD).write_text(json.dumps(facts, indent=1), encoding="utf-8")
            try:
                made.rename(folder)
            except OSError:
                if not (folder / _RECORD).exists():  # else another process was first, with the same files
                    raise
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise InputError(f"the model cannot be converted: {error}", where=str(path)) from error
    return folder


def _fingerprint(folder: Path) -> str:
    """SHA-256 over the names and hashes of the files that make the model."""
    facts = hashlib.sha256()
    kinds = {".safetensors", ".json", ".jinja", ".model", ".txt"}
    for path in sorted(folder.iterdir()):
        if path.suffix in kinds and path.name != _RECORD:
            facts.update(f"{path.name} {file_sha256(path)}\n".encode())
    return facts.hexdigest()


def _causal(torch: Any, model: Any) -> bool:
    """Whether what comes later leaves the model's first guess alone."""
    with torch.inference_mode():
        ids = torch.tensor([[1, 2], [1, 3]], device=model.device)
        first = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[:, 0].float()
    return bool(torch.allclose(first[0], first[1], atol=1e-3, rtol=1e-3))


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Errors only from transformers, and no bars, as Assay draws its own."""
    logging = transformers.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
