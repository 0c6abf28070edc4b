import ast
import importlib.metadata
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOT_OURS = {"runs", "tests"}  # and what begins with a dot

# Which of our modules each may import; everything else is an error.
ALLOWED: dict[str, set[str]] = {
    "heads": {"runtime", "transformers_internals"},
    "backbones": {"runtime", "transformers_internals"},
    "objectives": {"heads", "runtime"},
    "augmentation": {"runtime"},
    "sample_data": set(),
    "figures": set(),
    "runtime": set(),
    "shortcuts": {"tasks"},
    "lightning_internals": set(),
    "transformers_internals": set(),
    "tasks": {"augmentation", "heads", "objectives", "runtime"},
    "datamodules": {
        "augmentation",
        "tasks",
        "objectives",
        "backbones",
        "lightning_internals",
        "runtime",
        "shortcuts",
    },
    "lightning_modules": {
        "heads",
        "tasks",
        "backbones",
        "datamodules",
        "objectives",
        "inference",
        "lightning_internals",
        "runtime",
    },
    "inference": {"heads", "tasks", "backbones", "datamodules", "runtime", "transformers_internals"},
    "checks": {"heads", "tasks", "backbones", "datamodules", "inference", "lightning_modules", "runtime", "shortcuts"},
    "callbacks": {
        "checks",
        "heads",
        "tasks",
        "backbones",
        "datamodules",
        "lightning_modules",
        "lightning_internals",
        "figures",
        "inference",
        "objectives",
        "runtime",
    },
    "planning": {"tasks", "backbones", "datamodules", "lightning_modules", "callbacks", "figures", "runtime"},
    "command_line": {"lightning_internals", "tasks", "runtime"},
    "cli": {
        "checks",
        "planning",
        "command_line",
        "tasks",
        "datamodules",
        "lightning_modules",
        "callbacks",
        "lightning_internals",
        "runtime",
    },
    "train": {"cli", "datamodules", "lightning_modules", "runtime"},
    "pretrain": {"cli", "datamodules", "lightning_modules", "runtime"},
}
# These may import all of the above, and of each other what is said here; nothing above imports them.
ONLOOKERS: dict[str, set[str]] = {
    "analysis": set(),
    "experiments": {"analysis"},
    "benchmarks": set(),
    "docs": {"analysis"},
}
WITH_LIGHTNING = {
    "lightning_internals",
    "lightning_modules",
    "datamodules",
    "callbacks",
    "planning",
    "cli",
    "command_line",
    "train",
    "pretrain",
}


def python_files() -> list[Path]:
    """Return our files, relative to the repository."""
    files = [path.relative_to(ROOT) for path in ROOT.rglob("*.py")]
    return sorted(path for path in files if path.parts[0] not in NOT_OURS and not path.parts[0].startswith("."))


FILES = python_files()
FOLDERS = sorted({path.parts[0].removesuffix(".py") for path in FILES})
OURS = set(FOLDERS)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Return line and dotted name of each import of a file, also of those inside functions."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


def may_import(module: str, top: str) -> bool:
    """Whether one of our modules may import another."""
    if module in ONLOOKERS:
        return top == module or top in ALLOWED or top in ONLOOKERS[module]
    return top == module or top in ALLOWED[module]


def test_every_file_is_looked_at():
    assert len(FILES) > 50
    assert {"heads", "tasks", "datamodules", "backbones", "lightning_modules", "callbacks"} <= OURS
    assert {Path("cli/tandem.py"), Path("train.py")} <= set(FILES)
    assert OURS - ALLOWED.keys() - ONLOOKERS.keys() == set()  # a new module says in ALLOWED what it may import


def test_the_arrows_have_no_circle():
    assert len(list(TopologicalSorter(ALLOWED | ONLOOKERS).static_order())) == len(ALLOWED) + len(ONLOOKERS)


def file_graph(root: Path, files: list[Path]) -> dict[Path, set[Path]]:
    """Return which of our files each file names in an import: at the top, in a function or under TYPE_CHECKING."""
    by_name = {".".join(path.with_suffix("").parts).removesuffix(".__init__"): path for path in files}
    graph: dict[Path, set[Path]] = {path: set() for path in files}
    for path in files:
        for node in ast.walk(ast.parse((root / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                inside = [f"{node.module}.{alias.name}" for alias in node.names]
                names = [name if name in by_name else str(node.module) for name in inside]
            else:
                continue
            graph[path] |= {by_name[name] for name in names if name in by_name}
    return graph


def test_no_import_closes_a_circle_of_files():
    graph = file_graph(ROOT, FILES)
    assert Path("heads/head.py") in graph[Path("heads/__init__.py")]
    assert Path("heads/__init__.py") in graph[Path("lightning_modules/multitask.py")]
    assert len(list(TopologicalSorter(graph).static_order())) == len(FILES)  # a CycleError names the files


@pytest.mark.parametrize(
    "text",
    [
        "from a.two import X\n",
        "from a import two\n",
        "def f():\n    import a.two\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a.two import X\n",
    ],
)
def test_a_hidden_circle_is_seen(text, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/one.py").write_text(text)
    (tmp_path / "a/two.py").write_text("from a.one import Y\n")
    with pytest.raises(CycleError):
        TopologicalSorter(file_graph(tmp_path, [Path("a/one.py"), Path("a/two.py")])).prepare()


@pytest.mark.parametrize("module", FOLDERS)
def test_imports_follow_the_arrows(module: str):
    files = [path for path in FILES if path.parts[0].removesuffix(".py") == module]
    found = [(path, *one) for path in files for one in imports(path)]
    assert files
    for path, line, name in found:
        top = name.split(".")[0]
        assert top, f"{path}:{line}: a relative import (expected the full name)"
        assert top != "pytorch_lightning", f"{path}:{line}: expected lightning.pytorch; the two do not mix"
        assert top != "tests", f"{path}:{line}: only tests import tests"
        if top in OURS:
            assert may_import(module, top), f"{path}:{line}: {module} must not import {top}"
        if top == "lightning" and module not in ONLOOKERS:
            assert module in WITH_LIGHTNING, f"{path}:{line}: {module} must do without lightning"


def test_experiments_may_import_analysis_and_not_the_other_way():
    assert may_import("experiments", "analysis")
    assert not may_import("analysis", "experiments")
    assert not may_import("callbacks", "analysis")


def test_docstring_examples_of_every_module_that_has_some_are_executed(pytestconfig: pytest.Config):
    with_examples = {path.parts[0] for path in FILES if ">>> " in (ROOT / path).read_text(encoding="utf-8")}
    assert {"heads", "tasks", "datamodules", "command_line"} <= with_examples
    assert with_examples - set(pytestconfig.getini("testpaths")) <= {"benchmarks"}
    assert pytestconfig.option.doctestmodules


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
