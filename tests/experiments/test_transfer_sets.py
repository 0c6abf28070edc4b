"""Which sets of tasks a transfer matrix is made of, where not every set can be trained or scored."""

import json
from pathlib import Path

import pytest
import yaml

from experiments.transfer import main
from tests.experiments.run_folders import dev_labels, make_job, write_run

HELPER = {"class_path": "Quora", "init_args": {"in_mean": False}}
STUDENT = {"class_path": "Quora", "init_args": {"encoding": "bi", "in_mean": False, "teacher": {"task": "quora"}}}


def write_config(folder: Path, **tasks: object) -> Path:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({"tasks": tasks, "model": {"backbone": "bert-base-uncased"}}, sort_keys=False))
    return path


def trained_sets(shown: str) -> list[str]:
    """Return the sets whose trainings a dry run has shown."""
    return [Path(line.split("--trainer.logger.save_dir ")[1].split()[0]).name for line in shown.splitlines()
            if "--trainer.logger.save_dir" in line]  # fmt: skip


def dry_run(config: Path, folder: Path, *more: str) -> int:
    return main(["-c", str(config), "--dry_run", "--seeds", "1", "--output", str(folder / "out"), *more])


def test_a_task_without_a_score_is_trained_beside_others_alone(tmp_path, capsys):
    assert dry_run(write_config(tmp_path, sst="Sst", helper=HELPER, sts="Sts"), tmp_path) == 0
    shown = capsys.readouterr().out
    assert trained_sets(shown) == ["sst", "sts", "sst+helper", "sst+sts", "helper+sts", "sst+helper+sts"]
    assert "helper is not trained: in_mean: false leaves it without a score" in shown


def test_a_flag_takes_a_score_away_too(tmp_path, capsys):
    config = write_config(tmp_path, sst="Sst", sts="Sts")
    assert dry_run(config, tmp_path, "--", "--tasks.sts.in_mean=false") == 0
    assert trained_sets(capsys.readouterr().out) == ["sst", "sst+sts"]


def test_a_task_is_trained_with_the_one_that_teaches_it(tmp_path, capsys):
    assert dry_run(write_config(tmp_path, sst="Sst", quora="Quora", student=STUDENT), tmp_path) == 0
    shown = capsys.readouterr().out
    assert trained_sets(shown) == ["sst", "quora", "sst+quora", "quora+student", "sst+quora+student"]
    assert "sst+student is not trained: quora, which teaches student, is not in it" in shown


def flags_of(shown: str, name: str) -> str:
    """Return the command of a set's training, from a dry run."""
    return next(line for line in shown.splitlines() if f"/{name} --trainer.logger.name" in line)


def test_a_task_alone_is_trained_without_what_compares_tasks(tmp_path, capsys):
    flags = ["--model.surgery", "PcGrad", "--model.surgery.reduction=mean", "--conflicts.every_n_steps", "5"]
    config = write_config(tmp_path, sst="Sst", sts="Sts")
    assert dry_run(config, tmp_path, "--", *flags, "--data.schedule", "Joint") == 0
    shown = capsys.readouterr().out
    assert "a task alone is trained without model.surgery and conflicts.every_n_steps" in shown
    assert not any(word in flags_of(shown, "sst") for word in ("surgery", "conflicts"))
    assert "--data.schedule Joint" in flags_of(shown, "sst")
    assert " ".join(flags) in flags_of(shown, "sst+sts")


def test_surgery_of_a_file_is_switched_off_for_a_task_alone(tmp_path, cs224n_root, word_backbone, capsys):
    config = write_config(tmp_path, sst="Sst", sts="Sts")
    surgery = "model: {surgery: PcGrad}\ndata: {schedule: Joint, batch_size: 4}\nconflicts: {every_n_steps: 1}\n"
    (tmp_path / "surgery.yaml").write_text(surgery)
    given = ["-c", str(config), "--seeds", "1", "--backbone", str(word_backbone), "--data.root", str(cs224n_root)]
    output = tmp_path / "out"
    extra = ["--", "-c", str(tmp_path / "surgery.yaml")]
    assert main([*given, "--budget", "steps=1", "--output", str(output), *extra]) == 0
    assert yaml.safe_load((output / "sets" / "sst.yaml").read_text()) == {
        "tasks": {"sst": "Sst"}, "model": {"surgery": None}, "conflicts": {"every_n_steps": 0},
    }  # fmt: skip
    settings = yaml.safe_load((output / "sst+sts" / "seed-1" / "version_0" / "config.yaml").read_text())
    assert settings["model"]["surgery"]["class_path"].endswith("PcGrad")


@pytest.mark.parametrize("look", [["--dry_run"], []])
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            "model: {regularizer: {class_path: RDrop, init_args: {tasks: [sst]}}}",
            "sts: RDrop: tasks has sst (expected names of tasks: sts)",
        ),
        (
            "data: {schedule: {class_path: Staged, init_args: {first: sst}}}",
            "sts: Staged: first is 'sst' (expected one of the tasks: sts)",
        ),
        (
            "model: {score: {sst.accuracy: 0.5, sts.pearson: 0.5}}",
            "sst: model.score: there is no 'sts.pearson' (expected sst.accuracy, ",
        ),
        (
            "best_checkpoint: {monitor: val/sst/accuracy}",
            "sts: best_checkpoint.monitor is val/sst/accuracy (expected one of val/sts/pearson, ",
        ),
    ],
)
def test_a_setting_about_a_task_that_a_set_lacks_is_refused_before_any_set_is_trained(
    tmp_path, capsys, settings, said, look
):
    config = write_config(tmp_path, sst="Sst", sts="Sts")
    (tmp_path / "more.yaml").write_text(settings)
    given = ["-c", str(config), "-c", str(tmp_path / "more.yaml"), "--seeds", "1", "--output", str(tmp_path / "out")]
    assert main([*given, *look]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith(f"error: {said}")
    assert shown.err.count("\n") == 1
    assert trained_sets(shown.out) == []
    assert not (tmp_path / "out").exists()
    assert main([*given, "--dry_run", "--sets", "all"]) == 0


@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        ({"helper": HELPER, "other": HELPER}, "every task has in_mean: false"),
        ({"quora": "Quora", "helper": HELPER}, None),
    ],
)
def test_without_any_score_there_is_nothing_to_train(tmp_path, capsys, tasks, said):
    assert dry_run(write_config(tmp_path, **tasks), tmp_path) == (2 if said else 0)
    assert (said or "") in capsys.readouterr().err


def test_sets_that_hold_no_score_are_refused(tmp_path, capsys):
    config = write_config(tmp_path, quora="Quora", student={**STUDENT, "init_args": {**STUDENT["init_args"]}})
    assert dry_run(config, tmp_path, "--sets", "singles") == 0
    assert trained_sets(capsys.readouterr().out) == ["quora"]


def test_the_tables_have_a_column_for_each_score(tmp_path, cs224n_root, capsys):
    config = write_config(tmp_path, sst="Sst", quora=HELPER)
    sst, quora = (dev_labels(cs224n_root, task) for task in ("sst", "quora"))
    write_run(make_job(tmp_path, "sst"), cs224n_root, {"sst": sst})
    folder = write_run(make_job(tmp_path, "sst+quora"), cs224n_root, {"sst": sst, "quora": quora})
    settings = yaml.safe_load((folder / "config.yaml").read_text())
    settings["tasks"]["quora"] = HELPER
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    assert main(["-c", str(config), "--table_only", "--seeds", "1", "--output", str(tmp_path)]) == 0
    assert "| trained on | sst |\n" in (tmp_path / "results.md").read_text()
    found = json.loads((tmp_path / "results.json").read_text())["transfer"]
    assert [(entry["trained on"], entry["target"]) for entry in found] == [("sst+quora", "sst")]


def test_another_map_of_tasks_is_refused_as_all_sets_would_be_it(tmp_path, capsys):
    config = write_config(tmp_path, sst="Sst", sts="Sts")
    assert dry_run(config, tmp_path, "--", "--tasks={sst: Sst, quora: Quora}") == 2
    assert "--tasks={sst: Sst, quora: Quora}: every set would train these (expected tasks:" in capsys.readouterr().err
