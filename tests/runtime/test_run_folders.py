from pathlib import Path

import pytest

from runtime.run_folders import last_checkpoint, list_runs, run_name, saved_run


def test_runs_are_listed_by_number_without_other_folders(tmp_path):
    for name in ("version_10", "version_2", "version_9_old", "version_x", "best"):
        (tmp_path / name).mkdir()
    assert [path.name for path in list_runs(tmp_path)] == ["version_2", "version_10"]
    assert list_runs(tmp_path / "none") == []


def test_the_last_checkpoint_has_one_place():
    assert last_checkpoint(Path("runs/a/version_0")) == Path("runs/a/version_0/checkpoints/last.ckpt")


@pytest.mark.parametrize(
    ("configs", "name", "own"),
    [
        ([], "default", None),
        (["a.yaml", "configs/b.yaml"], "b", None),
        (["runs/a/version_12/config.yaml"], "a", Path("runs/a/version_12")),
        (["runs/a/version_12/config.yaml", "b.yaml"], "b", None),
        (["runs/a/version_12/other.yaml"], "other", None),
        (["runs/a/version_x/config.yaml"], "config", None),
    ],
)
def test_a_run_is_named_after_its_configuration_or_the_run_that_saved_it(configs, name, own):
    assert run_name(configs) == name
    assert saved_run(configs) == own
