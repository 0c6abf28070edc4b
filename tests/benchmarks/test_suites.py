import ast
import importlib.util
import json
from pathlib import Path

import pytest

from benchmarks.__main__ import ALL_SUITES, main, parse_arguments
from benchmarks.coordinator import ROOT
from benchmarks.suites import REFERENCE, SUITES

FOLDER = ROOT / "benchmarks"
PRODUCT = {
    "backbones",
    "callbacks",
    "cli",
    "datamodules",
    "heads",
    "inference",
    "lightning_modules",
    "tasks",
    "lightning",
}
PEERS = {"accelerate", "onnxruntime", "sentence_transformers"}


def imports(path: Path) -> set[str]:
    """Return the modules that a file imports, by their full names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
    return found


def test_suites_are_those_of_the_interface_and_programs_exist() -> None:
    families = {"roberta", "mpnet", "deberta", "modernbert", "deberta-v1"}
    comparing = {"training", "minilm", "mlm", "evaluation", "frozen", "inference"}
    of_families = {f"{family}{ending}" for family in families for ending in ("", "-evaluation")}
    assert set(ALL_SUITES) == {*comparing, *of_families, "streams", "startup", "scale", "table"}
    jobs = [(name, job) for programs in SUITES.values() for name, job in programs.items()]
    assert len(jobs) == 95
    for name, job in jobs:
        assert importlib.util.find_spec(job.program) is not None
        assert name.startswith("ours") == job.program.startswith("benchmarks.ours.")
        assert name.startswith("bare products") == (job.program == "benchmarks.products")
    with_reference = comparing - {"inference"} | of_families
    assert all(REFERENCE in SUITES[suite] for suite in with_reference)


def test_peers_import_nothing_of_ours() -> None:
    files = sorted((FOLDER / "peers").glob("*.py"))
    assert len(files) == 13
    for file in files:
        for module in imports(file):
            assert module.split(".")[0] not in PRODUCT, file
            assert not module.startswith("benchmarks.ours"), file


def test_ours_imports_nothing_of_the_peers() -> None:
    files = sorted((FOLDER / "ours").glob("*.py"))
    assert len(files) == 12
    for file in files:
        for module in imports(file):
            assert module.split(".")[0] not in PEERS, file
            assert not module.startswith("benchmarks.peers"), file


def test_only_known_suites_are_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse_arguments(["--suite", "mlm", "scale"]).suite == ["mlm", "scale"]
    with pytest.raises(SystemExit):
        parse_arguments(["--suite", "speed"])
    assert "error: --suite is speed (expected one of " in capsys.readouterr().err


def test_data_that_is_no_file_is_refused_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert parse_arguments([]).data.is_file()
    for path, found in ((tmp_path, "is a folder"), (tmp_path / "none.csv", "no such file")):
        with pytest.raises(SystemExit) as ended:
            parse_arguments(["--data", str(path)])
        said = capsys.readouterr().err.splitlines()[0]
        assert (ended.value.code, said) == (2, f"error: --data {path}: {found} (expected a file of sentence pairs)")


@pytest.mark.slow
def test_every_comparing_suite_runs_on_equal_work_and_writes_its_json(tmp_path: Path) -> None:
    """The peers too, where `make bench` has installed them; the check of equal work runs inside."""
    path = tmp_path / "results.json"
    suites = ["training", "mlm", "evaluation", "frozen"]
    main(["--suite", *suites, "--rounds", "1", "--rows", "40", "--json", str(path)])
    written = json.loads(path.read_text())
    assert list(written) == [*suites, "about"]
    for suite in suites:
        names = [entry["name"] for entry in written[suite]]
        assert any(name.startswith("ours") for name in names)
        has_peers = REFERENCE in names
        assert all((entry["ratio_to_hf_trainer"] is not None) == has_peers for entry in written[suite])
