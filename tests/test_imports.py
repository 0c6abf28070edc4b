import ast
import importlib.metadata
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOT_OURS = {"runs", "tests"}  # and what begins with a dot

# Which of our modules each may import; everything else is an error.
ALLOWED: dict[str, set[str]] = {
    "heads": set(),
    "backbones": set(),
    "objectives": set(),
    "sample_data": set(),
    "figures": set(),
    "tasks": {"heads"},
    "datamodules": {"tasks", "backbones"},
    "lightning_modules": {"heads", "tasks", "backbones", "datamodules", "objectives", "inference"},
    "inference": {"heads", "tasks", "backbones", "datamodules"},
    "callbacks": {"tasks", "backbones", "datamodules", "lightning_modules", "figures", "objectives"},
    "cli_errors": set(),
    "cli": {"cli_errors", "tasks", "backbones", "datamodules", "lightning_modules", "callbacks"},
    "train": {"cli", "datamodules", "lightning_modules"},
    "pretrain": {"cli", "datamodules", "lightning_modules"},
}
ONLOOKERS = {"analysis", "benchmarks"}  # they may import anything, and nothing imports them
WITH_LIGHTNING = {"lightning_modules", "datamodules", "callbacks", "cli", "cli_errors", "train", "pretrain"}


def python_files() -> list[Path]:
    """Return our files, relative to the repository."""
    files = [path.relative_to(ROOT) for path in ROOT.rglob("*.py")]
    return sorted(path for path in files if path.parts[0] not in NOT_OURS and not path.parts[0].startswith("."))


FILES = python_files()
OURS = {path.parts[0].removesuffix(".py") for path in FILES}


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Return line and dotted name of each import of a file, also of those inside functions."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


def test_every_file_is_looked_at():
    assert len(FILES) > 50
    assert {"heads", "tasks", "datamodules", "backbones", "lightning_modules", "callbacks"} <= OURS
    assert {Path("cli.py"), Path("train.py")} <= set(FILES)
    assert OURS - ALLOWED.keys() - ONLOOKERS == set()  # a new module says in ALLOWED what it may import


def test_the_arrows_have_no_circle():
    assert len(list(TopologicalSorter(ALLOWED).static_order())) == len(ALLOWED)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_follow_the_arrows(path: Path):
    module = path.parts[0].removesuffix(".py")
    for line, name in imports(path):
        top = name.split(".")[0]
        assert top, f"{path}:{line}: a relative import (expected the full name)"
        assert top != "pytorch_lightning", f"{path}:{line}: expected lightning.pytorch; the two do not mix"
        assert top != "tests", f"{path}:{line}: only tests import tests"
        if module in ONLOOKERS or top == module:
            continue
        if top in OURS:
            assert top in ALLOWED[module], f"{path}:{line}: {module} must not import {top}"
        if top == "lightning":
            assert module in WITH_LIGHTNING, f"{path}:{line}: {module} must do without lightning"


def test_imports_inside_functions_and_submodules_are_seen(tmp_path):
    (tmp_path / "a.py").write_text("import os.path as p, lightning\ndef f():\n    from heads.labels import X\n")
    assert sorted(imports(tmp_path / "a.py")) == [(1, "lightning"), (1, "os.path"), (3, "heads.labels")]


def test_no_module_hides_a_standard_or_installed_one():
    installed = {name.split("/")[0].removesuffix(".py") for name in importlib.metadata.packages_distributions()}
    assert {"torch", "lightning", "datasets", "pytest"} <= installed
    assert OURS & (sys.stdlib_module_names | installed) == set()


def test_no_folder_is_named_after_nothing():
    folders = {part for path in FILES for part in path.parts[:-1]}
    assert len(folders) > 6
    assert folders & {"utils", "util", "helpers", "helper", "common", "misc", "lib"} == set()
