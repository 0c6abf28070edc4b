"""Words about results, settings and folders that are not as expected."""

import json
from pathlib import Path

import pytest

from experiments.estimate_tables import read_trained
from experiments.rows import METHODS, read_rows
from experiments.settings import find_setting
from tasks import InputError


def test_a_set_that_drew_no_batch_of_a_task_says_nothing_of_it(tmp_path):
    entry = {"trained on": "a+b", "target": "b", "own batches": 0.0, "interval": {"estimate": 0.1, "low": 0, "high": 1}}
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"transfer": [entry]}))
    with pytest.raises(InputError, match=r"the runs of a\+b drew no batch of b \(expected"):
        read_trained(path, ("a", "b"))


def test_a_group_of_settings_that_is_no_mapping_is_named(tmp_path):
    (tmp_path / "a.yaml").write_text("trainer: 3\n")
    with pytest.raises(InputError, match=r"a\.yaml: trainer holds a int \(expected a mapping"):
        find_setting([tmp_path / "a.yaml"], [], "trainer", "max_steps")


def test_a_folder_of_rows_may_be_named_in_a_roundabout_way():
    assert list(read_rows(METHODS / ".." / "methods")) == list(read_rows(METHODS))


def test_a_folder_of_rows_may_be_named_by_a_link(tmp_path):
    (tmp_path / "link").symlink_to(METHODS)
    assert list(read_rows(Path(tmp_path / "link"))) == list(read_rows(METHODS))
