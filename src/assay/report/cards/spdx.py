"""SPDX 3.0.1: the data as a DatasetPackage in JSON-LD, with noise, bias and personal data as they were measured.

The profile `dataset` asks for an originator, a place to download from, dates and licences. None of them is
measured, so the document claims the profiles `core` and `software` alone; who knows the rest adds it.

Source: The System Package Data Exchange Specification 3.0.1, profile Dataset.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from assay.core.words import count
from assay.report.cards.facts import Facts
from assay.report.escape import line

CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
_CREATION = "_:creation"
_BIAS = ("representativeness", "bias-amplification")
_NOISE = ("quality.", "duplicates.")


def document(facts: Facts) -> dict[str, Any]:
    """The document. The same evidence gives the same identifiers and the same bytes."""
    seed = hashlib.sha256(facts.evidence.to_json().encode("utf-8", "backslashreplace")).hexdigest()

    def made(kind: str, name: str) -> dict[str, Any]:
        known = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, f'{seed}/{name}')}"
        return {"type": kind, "spdxId": known, "creationInfo": _CREATION}

    agent = made("SoftwareAgent", "agent") | {"name": line(facts.tool)}
    package = made("dataset_DatasetPackage", "package") | _package(facts)
    notes = [
        made("Annotation", result.id)
        | {
            "annotationType": "review",
            "subject": package["spdxId"],
            "statement": f"{title}, {result.verdict}: {line(result.statement)}",
        }
        for title, result in facts.claims
    ]
    whole = made("SpdxDocument", "document") | {
        "name": f"{line(facts.name)}, measured",
        "profileConformance": ["core", "software"],
        "rootElement": [package["spdxId"]],
        "element": [each["spdxId"] for each in (agent, package, *notes)],
    }
    creation = {
        "type": "CreationInfo",
        "@id": _CREATION,
        "specVersion": "3.0.1",
        "created": f"{facts.written:%Y-%m-%dT%H:%M:%SZ}",
        "createdBy": [agent["spdxId"]],
    }
    return {"@context": CONTEXT, "@graph": [creation, agent, package, *notes, whole]}


def _package(facts: Facts) -> dict[str, Any]:
    data = facts.data
    found: dict[str, Any] = {
        "name": line(facts.name),
        "software_primaryPurpose": "data",
        "dataset_datasetType": ["text"],
        "dataset_datasetSize": data.bytes,
        "comment": f"{count(data.rows, 'row')}; all numbers with their intervals and methods are in evidence.json.",
    }
    if facts.file is not None:
        found["verifiedUsing"] = [{"type": "Hash", "algorithm": "sha256", "hashValue": data.sha256}]
    noise = [each.sentence for family in _NOISE for each in facts.figures(family)]
    if noise:
        found["dataset_datasetNoise"] = "; ".join(noise)
    bias = [f"{title}, {result.verdict}: {line(result.statement)}" for title, result in facts.about(_BIAS)]
    if bias:
        found["dataset_knownBias"] = bias
    personal = _personal(facts)
    if personal:
        found["dataset_hasSensitivePersonalInformation"] = personal
    return found


def _personal(facts: Facts) -> str:
    """Yes where personal values were surely found. That there are none cannot be measured, only that none was seen."""
    measure = facts.evidence.find("copying.pii_share")
    if measure is None or measure.low is None:
        return ""
    return "yes" if measure.low > 0 else "noAssertion"
