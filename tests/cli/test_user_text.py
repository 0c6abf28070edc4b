"""Names and paths of the user's are text: never markup, never parts of a shell command."""

import shlex
import signal

import pytest

from callbacks.predictions import build_input_table
from callbacks.report_table import build_table
from runtime.terminal import plain_console
from tasks import Sst
from tests.runs import Project

NAME = "[red] my :cat:"  # a tag, blanks and an emoji code


@pytest.fixture
def project(tiny_project) -> Project:
    project = tiny_project()
    (project.folder / f"{NAME}.yaml").write_text("trainer: {max_epochs: 1}\n", encoding="utf-8")
    return project


def write_teacher(project: Project) -> str:
    """Write probabilities for the train split of sst into a folder whose name, in brackets, would close a tag."""
    with open(f"{project.config['data']['root']}/ids-sst-train.csv", encoding="utf-8") as file:
        ids = [line.split("\t")[1] for line in file][1:]
    path = project.folder / "teacher.csv"
    path.write_text("id,0,1,2,3,4\n" + "".join(f"{name},.2,.2,.2,.2,.2\n" for name in ids), encoding="utf-8")
    return f"[{path}]"


def test_a_stopped_run_prints_its_command_for_the_shell(project):
    flags = [
        "-c",
        f"{NAME}.yaml",
        "--tasks.sst.teacher.files",
        write_teacher(project),
        "--tasks.sst.metrics",
        "[accuracy]",
    ]

    stopped = project.run(*flags, PROBE="train_batch_start:2", PROBE_SIGNAL=str(int(signal.SIGTERM)))

    assert stopped.code == 128 + signal.SIGTERM, stopped.output
    (line,) = [line for line in stopped.output.splitlines() if line.startswith("resume with: ")]
    words = shlex.split(line.removeprefix("resume with: "))
    assert words[2:] == [
        "fit",
        "-c",
        "tiny.yaml",
        *flags,
        "--ckpt_path",
        f"runs/{NAME}/version_0/checkpoints/last.ckpt",
    ]
    resumed = project.run(*words[5:])
    assert resumed.code == 0, resumed.output
    assert f"run folder: runs/{NAME}/version_1" in resumed.output
    assert f"tensorboard --logdir {shlex.quote(f'runs/{NAME}')}" in resumed.output


def test_tables_show_text_as_it_is(capsys):
    plain_console().print(build_table({"[red]": {":cat:": 0.5}}, {"[red]": {}}, title="[/dev]"))
    plain_console().print(build_input_table([("[b]warm[/]",)], Sst(), [3.0]))
    shown = capsys.readouterr().out
    assert all(text in shown for text in ("[red]", ":cat:", "[/dev] scores", "[b]warm[/]"))


def test_pre_training_names_its_folder_for_the_shell(tiny_project):
    project = tiny_project("pretrain.py", trainer__max_steps=2, data__corpus__held_out=0.3)
    ended = project.run("--export_dir", "my [b]backbone[/b]")
    assert ended.code == 0, ended.output
    folder = project.folder / "my [b]backbone[/b]"
    assert f"backbone:   {folder} (fine-tune with --model.backbone {shlex.quote(str(folder))})" in ended.output
    assert (folder / "config.json").is_file()
