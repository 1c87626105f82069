"""How far the lists of groups find whom labelled text speaks of: BBQ's answers, each with the group that it names.

    python benchmarks/matchers.py FOLDER_OF_BBQ_DATA

BBQ (Parrish et al. 2022, github.com/nyu-mll/BBQ, CC BY 4.0) names two people in each question and says of which group each
answer is. Every different answer is one text here. Prints precision and recall by list, and what is missed or wrong.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from assay.engine.groups.lists import Lists, load
from assay.engine.groups.mentions import mentions

_GAY = "gay, lesbian and bisexual people"
_FAITHS = {
    "Muslim": "Muslims", "Christian": "Christians", "Catholic": "Christians", "Protestant": "Christians",
    "Mormon": "Christians", "Jewish": "Jews", "Hindu": "Hindus", "Buddhist": "Buddhists", "Sikh": "Sikhs",
    "Atheist": "people without a religion",
}  # fmt: skip
_LOVES = {
    "gay": _GAY,
    "lesbian": _GAY,
    "bisexual": _GAY,
    "pansexual": _GAY,
    "straight": "heterosexual people",
}
# BBQ's regions are other ones: here each people goes to its region by the United Nations' M49.
_REGIONS = {
    "North America": "American Canadian",
    "Latin America and the Caribbean": "Brazilian Chilean Colombian Dominican Haitian Honduran Mexican Panamanian "
    "Peruvian Venezuelan",
    "Western Europe": "Belgian British Danish Finnish French German Greek Icelandic Irish Italian Norwegian Portuguese "
    "Spanish Swedish Swiss",
    "Eastern Europe": "Hungarian Lithuanian Moldovan Polish Romanian Russian Slovak Ukrainian",
    "Middle East and North Africa": "Iranian Iraqi Israeli Libyan Moroccan Palestinian Saudi Syrian Turkish Yemeni",
    "Sub-Saharan Africa": "Eritrean Ethiopian Guinean Kenyan Malian Mozambican Namibian Nigerian Senegalese Somali",
    "South and Central Asia": "Afghan Bangladeshi Indian Pakistani Uzbekistani",
    "East and Southeast Asia": "Burmese Chinese Indonesian Japanese Korean Mongolian Thai Vietnamese",
    "Oceania": "Australian",
}
_PEOPLES = {people: region for region, listed in _REGIONS.items() for people in listed.split()}
# The list of disabilities is asked for any of its groups, that of age for the old.
CATEGORIES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "Religion": ("religion", _FAITHS),
    "Sexual_orientation": ("orientation and identity", _LOVES),
    "Nationality": ("region", _PEOPLES),
    "Disability_status": ("disability", {"disabled": "", "nonDisabled": ""}),
    "Age": ("age", {"old": "old people", "nonOld": ""}),
}


def answers(path: Path, known: Mapping[str, str]) -> dict[str, str]:
    """Each different answer that names somebody, and whom: by what BBQ calls the group, or the people in the answer."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for choice, (said, group) in row["answer_info"].items():
            if group != "unknown":
                people = [each for each in known if each in said.split()]
                found[row[choice].strip()] = people[0] if people else group
    return found


def compared(category: str, path: Path, lists: Lists) -> Iterator[tuple[str, str, set[str], set[str]]]:
    """List, answer, groups that it names and groups that the list finds."""
    theme, known = CATEGORIES[category]
    told = answers(path, known)
    members = lists.members(theme)
    bits = mentions(list(told), lists)[:, list(members)]
    for (answer, group), row in zip(told.items(), bits, strict=True):
        named = {lists.groups[g].name for g, is_so in zip(members, row, strict=True) if is_so}
        if category == "Disability_status":
            yield theme, answer, {"disabled"} & {group}, {"disabled"} if named else set()
        elif category == "Age":
            yield theme, answer, {known[group]} - {""}, named & {"old people"}
        elif group in known:
            yield theme, answer, {known[group]}, named


def main() -> None:
    if len(sys.argv) != 2:
        print("usage: python benchmarks/matchers.py FOLDER_OF_BBQ_DATA")
        return
    lists = load()
    for category in CATEGORIES:
        path = next(
            (each for each in Path(sys.argv[1]).rglob(f"*{category}.jsonl") if each.stat().st_size), None
        )
        if path is None:
            print(f"{category}: not there")
            continue
        rows = list(compared(category, path, lists))
        right = np.array([[len(said & found), len(found), len(said)] for _, _, said, found in rows]).sum(
            axis=0
        )
        print(
            f"{rows[0][0]}: {len(rows)} answers, precision {right[0] / right[1]:.3f}, recall {right[0] / right[2]:.3f}"
        )
        for _, answer, said, found in rows:
            if said != found:
                print(f"    {answer!r} names {sorted(said)}, found {sorted(found)}")


if __name__ == "__main__":
    main()
