"""Commands that start together each get a folder of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runs import Ended, Project, Running

Projects = Callable[..., Project]
SHORT = ("--trainer.max_steps", "1")


def wait(started: list[Running]) -> list[Ended]:
    ended = [process.wait() for process in started]
    assert [process.code for process in ended] == [0] * len(started), ended
    return ended


def names(project: Project) -> set[str]:
    return {path.name for path in project.version(0).parent.iterdir()}


def test_two_trainings_of_one_configuration(tiny_project: Projects) -> None:
    project = tiny_project(**{"trainer.callbacks": []})
    wait([project.start(*SHORT) for _ in range(2)])
    assert names(project) == {"version_0", "version_1"}
    for number in range(2):
        folder = project.version(number)
        assert len(list(folder.glob("events.out.tfevents.*"))) == 1
        assert (folder / "config.yaml").is_file()
        assert (folder / "checkpoints" / "last.ckpt").is_file()
        assert project.report(number)["weights_sha256"] == project.report(0)["weights_sha256"]
        assert Path(project.report(number)["best_checkpoint"]).parent.parent.name == f"version_{number}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("--trainer.logger", "false"), {"version_0", "version_1"}),
        (("--trainer.logger.version", "5"), {"version_5", "version_6"}),
        (("--trainer.logger", "CSVLogger"), {"version_0", "version_1"}),
    ],
    ids=["no logger", "version 5", "csv"],
)
def test_two_trainings_whatever_logs(flags: tuple[str, str], expected: set[str], tiny_project: Projects) -> None:
    project = tiny_project(**{"trainer.callbacks": []})
    wait([project.start(*SHORT, *flags) for _ in range(2)])
    assert names(project) == expected
    assert all((project.version(0).parent / name / "report.json").is_file() for name in expected)


@pytest.mark.slow
def test_two_predictions_and_two_validations(whole_run: Projects, tiny_project: Projects) -> None:
    last = str(whole_run().version(0) / "checkpoints" / "last.ckpt")
    project = tiny_project(**{"trainer.callbacks": []})
    commands = ["predict", "predict", "validate", "validate"]
    wait([project.start("--ckpt_path", last, command=command) for command in commands])
    assert names(project) == {"predict_0", "predict_1", "validate_0", "validate_1"}
    assert project.predictions(0, "predict") == project.predictions(1, "predict") != {}
    assert project.report(0, "validate")["metrics"] == project.report(1, "validate")["metrics"]


@pytest.mark.slow
@pytest.mark.parametrize("flags", [(), ("--trainer.logger", "false")], ids=["tensorboard", "no logger"])
def test_two_trainings_of_two_processes_each(flags: tuple[str, ...], tiny_project: Projects) -> None:
    project = tiny_project(**{"trainer.callbacks": []})
    wait([process for _ in range(2) for process in project.start_ranks(2, *SHORT, *flags)])
    assert names(project) == {"version_0", "version_1"}
    expected = {"config.yaml", "checkpoints", "predictions", "report.json"}
    for number in range(2):
        assert expected <= {path.name for path in project.version(number).iterdir()}
        assert {path.name.split("-")[0] for path in (project.version(number) / "checkpoints").iterdir()} == {
            "last.ckpt",
            "best",
        }
