"""The project speaks of itself alone."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = re.compile(
    r"/work/|/tmp/bash|pypi\.org|files\.pythonhosted|registry\.npmjs|deb\.debian", re.IGNORECASE
)


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name]


def test_no_machine_paths_or_registry_hosts() -> None:
    for path in tracked():
        if path.suffix in {".gz", ".png"} or path == Path(__file__) or not path.exists():
            continue
        found = FORBIDDEN.search(path.read_text(encoding="utf-8"))
        assert found is None, f"{path}: {found.group() if found else ''}"


def test_versions_agree() -> None:
    import assay

    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{assay.__version__}"' in project
    assert f"## {assay.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
