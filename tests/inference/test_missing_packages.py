import sys

import pytest

from inference.export import main
from tests.inference.exports import PAIR_TASKS


@pytest.mark.parametrize(("kind", "package"), [("sentence-transformers", "sentence_transformers"), ("onnx", "onnx")])
def test_a_package_that_is_not_installed_is_named_with_what_installs_it(
    kind, package, whole_run, tmp_path, capsys, monkeypatch
):
    monkeypatch.setitem(sys.modules, package, None)  # what Python says of it is that it is not there
    run = whole_run(**PAIR_TASKS).version(0)
    assert main([str(run), str(tmp_path / "out"), "--format", kind, "--tasks", "sts"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: --format {kind}: ")
    assert package in error
    assert "pip install -r requirements-export.txt" in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("folder", [".", "..", "somewhere/.."])
def test_a_folder_that_is_named_by_dots_is_refused(folder, whole_run, capsys):
    run = whole_run(**PAIR_TASKS).version(0)
    assert main([str(run), folder, "--format", "backbone"]) == 2
    assert "has no name of its own" in capsys.readouterr().err
