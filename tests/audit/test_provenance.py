"""The tables of terms and families, and lineage as other tools write it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from assay.audit.annotate.lineage import FIELDS, Base, complete, lineage, table
from assay.audit.rows import open_rows
from assay.demo.files import demo_files
from assay.engine.read import read
from tests.audit.corpora import rows
from tests.audit.lined import LINEAGE, write


@pytest.mark.parametrize(
    ("on", "name", "expected"),
    [
        ("generator", "gpt-4o-2024-08-06", {"openai"}),
        ("generator", "openai/o3-mini", {"openai"}),
        ("generator", "GPT-3.5-turbo", {"openai"}),
        ("generator", "openai/gpt-oss-20b", {"apache-models"}),
        ("generator", "gpt2-xl", {"mit-models"}),
        ("generator", "nomic/gpt4all-j", set()),
        ("generator", "AIDC/Marco-o1", set()),
        ("generator", "anthropic.claude-3-5-sonnet", {"anthropic"}),
        ("generator", "models/gemini-2.0-flash", {"gemini"}),
        ("generator", "meta-llama/Llama-2-7b-chat-hf", {"llama-2"}),
        ("generator", "meta-llama/Meta-Llama-3-8B-Instruct", {"llama-3"}),
        ("generator", "llama3-70b-8192", {"llama-3"}),
        ("generator", "meta-llama/Llama-3.1-8B", {"llama-3.1"}),
        ("generator", "llama3.3:70b", {"llama-3.1"}),
        ("generator", "meta-llama/Llama-3.2-3B-Instruct", {"llama-3.1"}),
        ("generator", "meta-llama/Llama-4-Scout-17B", {"llama-3.1"}),
        ("generator", "huggyllama/llama-30b", set()),
        ("generator", "google/gemma-7b-it", {"gemma"}),
        ("generator", "google/gemma-3-4b-it", {"gemma"}),
        ("generator", "google/gemma-4-12b", set()),
        ("generator", "Qwen/Qwen2.5-72B-Instruct", {"qwen-72b"}),
        ("generator", "Qwen/Qwen2.5-3B", {"qwen-research"}),
        ("generator", "Qwen/Qwen2.5-7B", {"apache-models"}),
        ("generator", "Qwen/Qwen3-8B", {"apache-models"}),
        ("generator", "qwen3-max", set()),
        ("generator", "CohereLabs/c4ai-command-r-plus", {"cohere-weights"}),
        ("generator", "bigscience/bloomz-7b1", {"bloom"}),
        ("generator", "SmolLM2-135M-Instruct.Q4_1", {"apache-models"}),
        ("generator", "mistralai/Mixtral-8x7B-v0.1", {"apache-models"}),
        ("generator", "microsoft/phi-4", {"mit-models"}),
        ("generator", "deepseek-ai/DeepSeek-R1", {"mit-models"}),
        ("generator", "deepseek-ai/DeepSeek-R1-Distill-Llama-70B", set()),
        ("generator", "our-own-model", set()),
        ("licence", "Apache-2.0", {"permissive"}),
        ("licence", "apache license 2.0", {"permissive"}),
        ("licence", "MIT", {"permissive"}),
        ("licence", "CC-BY-4.0", {"permissive"}),
        ("licence", "cc0-1.0", {"permissive"}),
        ("licence", "CC-BY-NC-4.0", {"non-commercial"}),
        ("licence", "CC BY-NC-SA 4.0", {"non-commercial", "share-alike"}),
        ("licence", "cc-by-sa-3.0", {"share-alike"}),
        ("licence", "GPL-3.0", {"share-alike"}),
        ("licence", "ODbL-1.0", {"share-alike"}),
        ("licence", "cc-by-nd-4.0", {"no-derivatives"}),
        ("licence", "creativeml-openrail-m", {"use-restrictions"}),
        ("licence", "llama3", {"llama-licence"}),
        ("licence", "llama3.1", {"llama-later-licence"}),
        ("licence", "gemma", {"gemma-licence"}),
        ("licence", "other", set()),
        ("licence", "not MIT at all", set()),
    ],
)
def test_a_name_meets_the_terms_that_it_comes_under(on: str, name: str, expected: set[str]) -> None:
    met = {each.id for each in table().terms if each.on == on and re.search(each.match, name.casefold())}
    assert met == expected


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("meta-llama/Llama-3.2-1B", "Llama 3 1b"),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-8B", "Llama 3 8b"),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "Qwen2.5 7b"),
        ("Qwen/Qwen2-0.5B-Instruct", "Qwen2 0.5b"),
        ("mistralai/Mixtral-8x7B-v0.1", "Mixtral 8x7b"),
        ("gpt-4o", "GPT-4o and GPT-4.1"),
        ("gpt-4o-mini", "GPT-4o and GPT-4.1 mini"),
        ("gpt-4-turbo", "GPT-4"),
        ("gpt-4.5-preview", "None"),
        ("openai-community/gpt2-xl", "GPT-2 xl"),
        ("google/gemma-2-2b", "Gemma 2 2b"),
        ("google/gemma-2b", "None"),
        ("HuggingFaceTB/SmolLM-135M", "SmolLM 135m"),
        ("SmolLM2-135M-Instruct.Q4_1", "SmolLM2 135m"),
        ("our-own-model-7b", "None"),
    ],
)
def test_a_name_tells_family_and_size(name: str, base: str) -> None:
    assert str(table().base(name)) == base


def test_two_sizes_of_a_family_are_two_bases() -> None:
    one, other, unsaid = (table().base(name) for name in ("SmolLM2-135M", "SmolLM2-360M", "SmolLM2"))
    assert one
    assert other
    assert unsaid
    assert not one.may_be(other)
    assert one.may_be(unsaid)
    assert unsaid.may_be(other)


def test_every_entry_has_a_source_a_date_and_a_name_of_its_own() -> None:
    terms = table().terms
    assert len({each.id for each in terms}) == len(terms)
    for each in terms:
        assert each.source.startswith("https://")
        assert re.fullmatch(r"\d{4}-\d{2}(-\d{2})?", each.dated)
        assert str(each).startswith(each.says)


@pytest.mark.parametrize(
    ("extras", "named"),
    [
        (LINEAGE, set(FIELDS)),
        ({"model_name": "gpt-4o-2024-08-06"}, {"generator", "version"}),
        ({"generation_model": "m", "distilabel_metadata": {"model_version": "3"}}, {"generator", "version"}),
        (
            {"metadata": {"model": "m", "license": "MIT", "created_at": "2026-01-01"}},
            {"generator", "licence", "time"},
        ),
        ({"generator": None, "licence": "", "seed_rows": []}, set()),
        ({"note": '"generator": "x"'}, set()),
        (None, set()),
    ],
)
def test_lineage_is_read_as_tools_write_it(
    tmp_path: Path, extras: dict[str, Any] | None, named: set[str]
) -> None:
    found = lineage(open_rows(write(tmp_path, rows(2, 0), "made", "synthetic", extras=[extras, None])))
    assert {field for field, each in found.named.items() if each[0]} == named
    assert not any(each[1] for each in found.named.values())


def test_columns_that_divide_the_rows_are_read_too(tmp_path: Path) -> None:
    """A column of few values, such as the model, becomes a slice and leaves the extras."""
    path = tmp_path / "made.jsonl"
    path.write_text(
        "".join(
            f'{{"text": "{text}", "model": "{("gpt-4o", "claude-3")[i % 2]}"}}\n'
            for i, (text, _) in enumerate(rows(200, 0))
        )
    )
    corpus = read([str(path)], tmp_path / "corpus", name="synthetic", origin="synthetic").corpus
    assert "model" in corpus.slices
    found = lineage(open_rows(corpus))
    assert found.named["generator"].all()
    assert found.terms["anthropic"].sum() == 100


def test_the_demos_lineage_is_complete_and_clear(tmp_path: Path) -> None:
    files = demo_files(tmp_path / "data")
    corpus = read(
        [str(files.synthetic)], tmp_path / "corpus", name="synthetic", origin="synthetic", slices=["source"]
    ).corpus
    found = lineage(open_rows(corpus))
    assert complete(found.named, corpus.rows).all()
    assert found.clear.all()
    assert found.bases[Base("SmolLM2", "135m")].all()
