"""Places that cannot be written and caches that are damaged: go on without them, or say so in one sentence."""

import json

import pytest

from tests.cli.command_line import read_report


@pytest.fixture
def file(tmp_path):
    """A file: no folder can be made below it, whoever runs the tests."""
    (tmp_path / "file").write_text("x")
    return tmp_path / "file"


def test_a_damaged_memory_of_the_matrix_products_is_made_anew(train, tmp_path):
    (tmp_path / "cache").mkdir()
    memory = tmp_path / "cache" / "matmul.json"
    memory.write_text('{"lin')
    folder = train("fit", "--data.cache_dir", tmp_path / "cache", "--fp32_matmul", "auto")
    assert read_report(folder)["steps"] == 2
    assert [type(choice) for choice in json.loads(memory.read_text()).values()] == [bool]


def test_a_cache_that_cannot_be_written_is_done_without(train, fitted, file, caplog):
    folder = train("fit", "--data.cache_dir", file / "cache", "--trainer.max_steps", 5)
    assert read_report(folder)["weights_sha256"] == read_report(fitted)["weights_sha256"]
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert sum(f"data.cache_dir {file}/cache: cannot be written, nothing is kept" in line for line in said) >= 1


def test_a_run_folder_that_cannot_be_made_is_one_sentence(train, file, capsys):
    train.refuse("fit", "--trainer.logger.save_dir", file / "runs")
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"error: {file}")


def test_a_backbone_that_could_not_be_written_is_refused_before_the_training(tiny_project):
    project = tiny_project("pretrain.py", trainer__max_steps=2, data__corpus__held_out=0.3)
    (project.folder / "file").write_text("x")
    ended = project.run("--export_dir", "file/backbone")
    assert ended.code == 2, ended.output
    assert f"error: {project.folder}/file: a file is in the way (expected a place" in ended.output
    assert not (project.version(0) / "report.json").exists()
