"""Croissant 1.1 with the responsible-AI vocabulary: the measured facts, and whatever a person filled in beside them.

Licence, address, creator and date of publication are not measured; Croissant asks for them, a person fills them
in, and an update keeps them.

Sources: MLCommons, Croissant Format Specification 1.1; Croissant RAI Specification 1.0.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from assay.core.words import count
from assay.report.cards.facts import Facts
from assay.report.escape import line

CONFORMS = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TYPES = {
    "jsonl": "application/jsonlines",
    "ndjson": "application/jsonlines",
    "json": "application/json",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "txt": "text/plain",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.file",
    "gz": "application/gzip",
    "zst": "application/zstd",
}
_UNFIT = re.compile(r"[^\w.\-]+")  # what an id cannot hold, white space above all
_BIAS = ("representativeness", "bias-amplification", "fills-gaps")
_LIMITS = (
    "fidelity-gap", "diversity-loss", "wrong-content", "redundancy", "copying", "provenance", "substitution",
    "performance", "scarce-data", "drift", "contamination", "evaluation-reliability",
)  # fmt: skip


def update(before: dict[str, Any], facts: Facts) -> dict[str, Any]:
    """The description with its measured facts brought up to date; a person's own fields stay.

    Name and description are only set where there is none yet.
    """
    mine = {"rai:dataBiases", "rai:dataLimitations", "rai:personalSensitiveInformation"}
    mine |= {"rai:dataCollectionMissingData"}
    kept = {key: each for key, each in before.items() if key not in mine}
    settled = {"@context": _CONTEXT, "@type": "sc:Dataset", "conformsTo": _conforms(before)}
    first = {"name": line(facts.name), "description": _description(facts)}
    files = _distribution(before.get("distribution"), facts)
    return {
        **settled,
        **first,
        **{key: each for key, each in kept.items() if key not in settled},
        **({"distribution": files} if files else {}),
        **_responsible(facts),
    }


def _conforms(before: dict[str, Any]) -> list[str]:
    """Ours and whatever else was claimed, except another version of the same."""
    claimed = before.get("conformsTo", before.get("dct:conformsTo", []))
    others = [claimed] if isinstance(claimed, str) else claimed if isinstance(claimed, list) else []
    stem = "http://mlcommons.org/croissant/"
    return [*CONFORMS, *(each for each in others if isinstance(each, str) and not each.startswith(stem))]


def _description(facts: Facts) -> str:
    real = ", ".join(each.name for each in facts.evidence.inputs if each.role == "real")
    against = f", measured against real rows ({line(real)})" if real else ""
    return f"{count(facts.data.rows, 'synthetic row')} of text{against} by {facts.tool}."


def _distribution(before: object, facts: Facts) -> list[Any]:
    """The file that was measured, by its digest; other files that are described stay."""
    others = before if isinstance(before, list) else [before] if isinstance(before, dict) else []
    if facts.file is None:
        return others
    name = line(facts.file)
    known = _UNFIT.sub("_", name)
    mine: dict[str, Any] = {
        "@type": "cr:FileObject",
        "@id": known,
        "name": name,
        "contentUrl": quote(name),
        "contentSize": f"{facts.data.bytes} B",
        "encodingFormat": _TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream"),
        "sha256": facts.data.sha256,
    }
    return [mine, *(each for each in others if not (isinstance(each, dict) and each.get("@id") == known))]


def _responsible(facts: Facts) -> dict[str, Any]:
    found: dict[str, Any] = {}
    limits = [
        f"{title}, {result.verdict}: {line(result.statement)}" for title, result in facts.about(_LIMITS)
    ]
    biases = [f"{title}, {result.verdict}: {line(result.statement)}" for title, result in facts.about(_BIAS)]
    personal = [each.sentence for each in facts.figures("copying.pii_")]
    if limits:
        found["rai:dataLimitations"] = limits
    if biases:
        found["rai:dataBiases"] = biases
    if personal:
        found["rai:personalSensitiveInformation"] = personal
    if facts.data.rows_unread:
        found["rai:dataCollectionMissingData"] = (
            f"{count(facts.data.rows_unread, 'row')} could not be read and were not measured."
        )
    return found
