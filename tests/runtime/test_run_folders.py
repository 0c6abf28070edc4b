import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from runtime.run_folders import claim_folder, find_named, last_checkpoint, list_runs, run_name, saved_run


def test_runs_are_listed_by_number_without_other_folders(tmp_path):
    for name in ("version_10", "version_2", "version_9_old", "version_x", "best"):
        (tmp_path / name).mkdir()
    assert [path.name for path in list_runs(tmp_path)] == ["version_2", "version_10"]
    assert list_runs(tmp_path / "none") == []


def test_a_name_is_itself_where_it_exists_and_else_a_pattern(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("run[1]", "run2", "run1"):
        (tmp_path / name).mkdir()
    assert find_named("~/run[1]") == [tmp_path / "run[1]"]
    assert find_named(str(tmp_path / "run?")) == [tmp_path / "run1", tmp_path / "run2"]
    assert find_named(str(tmp_path / "none*")) == []


def test_the_last_checkpoint_has_one_place():
    assert last_checkpoint(Path("runs/a/version_0")) == Path("runs/a/version_0/checkpoints/last.ckpt")


@pytest.mark.parametrize(
    ("configs", "name", "own"),
    [
        ([], "default", None),
        (["a.yaml", "configs/b.yaml"], "b", None),
        (["runs/a/version_12/config.yaml"], "a", Path("runs/a/version_12")),
        (["runs/a/version_12/config.yaml", "b.yaml"], "b", None),
        (["runs/a/predict_3/config.yaml"], "a", Path("runs/a/predict_3")),
        (["runs/a/version_12/other.yaml"], "other", None),
        (["runs/a/version_x/config.yaml"], "config", None),
    ],
)
def test_a_run_is_named_after_its_configuration_or_the_run_that_saved_it(configs, name, own):
    assert run_name(configs) == name
    assert saved_run(configs) == own


def test_a_run_is_known_in_a_folder_of_another_name_too(tmp_path):
    kept = tmp_path / "my best"
    kept.mkdir()
    assert saved_run([str(kept / "config.yaml")]) is None
    (kept / "report.json").touch()
    assert saved_run([str(kept / "config.yaml")]) == kept
    assert run_name([str(kept / "config.yaml")]) == "my best"


def claim(runs: Path, version: int | None, start: Any) -> list[str]:
    start.wait()
    return [claim_folder(runs, "version", version).name for _ in range(20)]


@pytest.mark.parametrize("version", [None, 5])
def test_no_two_processes_get_the_same_folder(version: int | None, tmp_path: Path):
    context = multiprocessing.get_context("fork")
    with context.Manager() as manager, ProcessPoolExecutor(4, mp_context=context) as pool:
        start = manager.Barrier(4)
        found = [future.result() for future in [pool.submit(claim, tmp_path / "a", version, start) for _ in range(4)]]
    names = [name for part in found for name in part]
    assert len(set(names)) == len(names) == 80
    assert sorted(names) == sorted(path.name for path in (tmp_path / "a").iterdir())


def test_the_number_is_that_after_the_highest_of_its_kind(tmp_path: Path):
    for name in ("version_3", "version_10", "predict_12", "version_11_old", "version_x"):
        (tmp_path / name).mkdir()
    assert claim_folder(tmp_path, "version").name == "version_11"
    assert claim_folder(tmp_path, "predict").name == "predict_13"
    assert claim_folder(tmp_path, "test").name == "test_0"
