"""Groups on the command line: a column or a list, for audit and trial alike."""

from pathlib import Path

from tests.journeys.test_command_line import Row, Write, assay


def test_what_is_neither_column_nor_list_is_refused_by_name(
    snippets: list[Row], write: Write, tmp_path: Path
) -> None:
    real, synthetic = write("real.jsonl", snippets[:200]), write("syn.jsonl", snippets[200:300])
    sides = ["--real", real, "--synthetic", synthetic, "--out", tmp_path / "run"]
    refused = assay("trial", *sides, "--groups", "regoin")
    assert (refused.returncode, "'regoin' is no list of groups" in refused.stderr) == (2, True)
    refused = assay("trial", *sides, "--groups", "nowhere.toml")
    assert (refused.returncode, "no such list of groups" in refused.stderr) == (2, True)
    refused = assay("trial", *sides, "--pairs", real)
    assert (refused.returncode, "no benchmark of pairs" in refused.stderr) == (2, True)
