"""Runs that do not fit each other are not merged."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from analysis.run import Run
from experiments.members import Member, read_dev
from experiments.merging import check_alike
from experiments.mixing import check_experts
from inference.checkpoint import Checkpoint
from tasks import InputError
from tests.experiments.run_folders import almost_right, make_job, write_run


def make_member(folder: Path, root: Path, name: str, *tasks: str, backbone: str = "one", **model: Any) -> Member:
    found = almost_right(root, wrong=1)
    run = write_run(make_job(folder, name), root, {task: found[task] for task in tasks})
    settings = yaml.safe_load((run / "config.yaml").read_text())
    (run / "config.yaml").write_text(yaml.safe_dump({**settings, "model": {"backbone": backbone, **model}}))
    checkpoint = Checkpoint(
        path=run / "checkpoints/last.ckpt",
        weights={},
        settings={"backbone": backbone, "tasks": {}, "pooling": "cls"},
        max_length=8,
        special_tokens_as_text=False,
        frozen_sha256=None,
        meaning={},
    )
    return Member(Run(run), checkpoint)


def test_runs_that_split_one_file_otherwise_have_no_dev_rows_in_common(tmp_path, cs224n_root):
    members = [make_member(tmp_path, cs224n_root, name, "sst") for name in ("a", "b")]
    assert len(read_dev(members)["sst"]) == 12
    for fold, member in enumerate(members):
        report = json.loads((member.run.folder / "report.json").read_text())
        report["data"]["sst"]["dev"]["split"] = f"folds: 2, fold: {fold}"
        (member.run.folder / "report.json").write_text(json.dumps(report))
    fresh = [Member(Run(member.run.folder), member.checkpoint) for member in members]
    with pytest.raises(
        InputError, match=r"b/seed-1/version_0 has other dev rows of sst than .*a/seed-1/version_0 \(expected the same"
    ):
        read_dev(fresh)


def test_weights_of_different_backbones_are_not_averaged(tmp_path, cs224n_root):
    one, other = (make_member(tmp_path, cs224n_root, name, "sst", backbone=name) for name in ("a", "b"))
    with pytest.raises(InputError, match=r"started from b \(expected a, as"):
        check_alike([one.checkpoint, other.checkpoint])


def test_a_backbone_may_be_named_by_another_path(tmp_path, cs224n_root, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    names = {"a": "mine", "b": str(tmp_path / "mine")}
    members = [make_member(tmp_path, cs224n_root, name, "sst", backbone=path) for name, path in names.items()]
    check_alike([member.checkpoint for member in members])


def test_what_a_training_that_started_from_a_run_has_changed_is_not_known(tmp_path, cs224n_root):
    one = make_member(tmp_path, cs224n_root, "a", "sst")
    other = make_member(tmp_path, cs224n_root, "b", "sts", init_from="runs/x/version_0")
    check_experts([one, make_member(tmp_path, cs224n_root, "c", "sts")])
    with pytest.raises(InputError, match=r"started from the weights of runs/x/version_0 \(expected those of one"):
        check_experts([one, other])
