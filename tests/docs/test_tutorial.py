"""docs/tutorial.ipynb: what is in the repository, and what its cells do in a fresh copy of it."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
NOTEBOOK = ROOT / "docs" / "tutorial.ipynb"
NOT_COPIED = shutil.ignore_patterns(".*", "runs", "__pycache__")
CELLS = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
CODE = ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]


def test_the_repository_holds_no_outputs():
    cells = [cell for cell in CELLS if cell["cell_type"] == "code"]
    assert len(cells) == 11
    assert [(cell["outputs"], cell["execution_count"], cell["metadata"]) for cell in cells] == [([], None, {})] * 11


def test_cells_are_python_and_files_are_yaml():
    written = [source for source in CODE if source.startswith("%%writefile ")]
    assert [set(yaml.safe_load(source.partition("\n")[2])) for source in written] == [{"tasks", "model", "trainer"}]
    for source in CODE:
        if source not in written:
            compile(re.sub(r"(?m)^!.*$", "", source), "a cell", "exec")


def test_links_lead_to_files():
    text = "".join("".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "markdown")
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) >= 6
    assert [link for link in links if not (NOTEBOOK.parent / link).is_file()] == []


@pytest.mark.slow
def test_every_cell_runs_in_a_fresh_copy(tmp_path):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    copy = tmp_path / "tandem"
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
    notebook = nbformat.read(copy / "docs" / "tutorial.ipynb", as_version=4)
    place = {"metadata": {"path": str(copy / "docs")}}
    nbclient.NotebookClient(notebook, timeout=3600, kernel_name="python3", resources=place).execute()
    printed = ["".join(_texts(cell)) for cell in notebook.cells if cell.cell_type == "code"]
    version, trained, report, _, pair, exported, classified, _, _, added, four = printed
    assert version.startswith("train.py ")
    assert "dev scores" in trained
    assert "<iframe srcdoc=" in report
    assert [line.split()[0] for line in pair.splitlines()] == ["quora", "sts"]
    assert (exported.count("labels changed: 0"), exported.count("scores moved by a hundredth of the range: 0")) == (
        2,
        1,
    )
    assert classified.count("'score'") == 3
    assert "new heads: topics" in added
    assert four.splitlines()[-1] == "sst answers as before: True"


def _texts(cell):
    """Return what a cell printed, and what it shows at its end."""
    for output in cell.outputs:
        if output.output_type == "stream":
            yield output.text
        else:
            yield from (output.data.get("text/html") or output.data.get("text/plain") or "").splitlines()
