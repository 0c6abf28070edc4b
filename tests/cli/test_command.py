"""The command line itself."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli import MultitaskCLI
from datamodules import MultitaskDataModule
from lightning_modules import MultitaskModule
from runtime.processes import count_processes
from runtime.run_folders import run_name
from tests.cli.command_line import CS224N, QUICK, ROOT, read_report


def test_print_config_shows_all_values_and_is_a_configuration(train, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        train("fit", "--tasks.sts.encoding=bi", "--print_config")
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    shown = yaml.safe_load(printed)
    assert shown["tasks"]["sts"]["init_args"]["encoding"] == "bi"
    assert shown["data"]["schedule"] is None or "class_path" in shown["data"]["schedule"]
    assert shown["model"]["pooling"] == "auto"
    assert shown["seed_everything"] == 42
    assert not (tmp_path / "runs").exists()
    (tmp_path / "printed.yaml").write_text(printed)
    train.raw("fit", "-c", str(tmp_path / "printed.yaml"))
    assert read_report(train.newest("printed"))["steps"] == 2


COMMANDS = ["fit", "validate", "test", "predict", "check", "plan"]


@pytest.mark.parametrize(
    ("configs", "name"),
    [
        ([], "default"),
        (["configs/cs224n.yaml"], "cs224n"),
        (["configs/cs224n.yaml", "mine.yaml"], "mine"),
        (["runs/cs224n/version_12/config.yaml"], "cs224n"),
        (["elsewhere/config.yaml"], "config"),
    ],
)
def test_a_run_is_named_after_its_last_configuration(configs, name):
    assert run_name(configs) == name


@pytest.mark.parametrize(
    ("devices", "nodes", "expected"),
    [(1, 1, 1), (2, 1, 2), ("3", 2, 6), ([0, 1], 1, 2), ("0,1,", 1, 2), ("auto", 1, 1)],
)
def test_processes_are_counted(devices, nodes, expected):
    assert count_processes({"devices": devices, "num_nodes": nodes, "accelerator": "cpu"}) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["fit", "--help"], ["fit"]),
        (["predict"], ["predict"]),
        (["--help"], COMMANDS),
        (["fti"], COMMANDS),
        ([], COMMANDS),
    ],
    ids=str,
)
def test_only_the_command_that_is_given_is_built(words, expected, monkeypatch):
    class Built(MultitaskCLI):
        def parse_arguments(self, parser: Any, args: Any) -> None:
            built.extend(self.subcommands())
            raise InterruptedError

    built: list[str] = []
    monkeypatch.setattr(sys, "argv", ["train.py", *words])
    with pytest.raises(InterruptedError):
        Built(MultitaskModule, MultitaskDataModule)
    assert built == expected
    assert list(MultitaskCLI.subcommands()) == COMMANDS


def start(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "train.py"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.mark.slow
def test_help_lists_the_commands_and_then_the_options(tmp_path):
    ended = start("--help", folder=tmp_path)
    assert ended.returncode == 0
    assert all(command in ended.stdout for command in COMMANDS)
    ended = start("fit", "--help", folder=tmp_path)
    assert ended.returncode == 0
    for flag in ("--tasks", "--data.batch_size", "--model.backbone", "--checkpoint.every_n_train_steps"):
        assert flag in ended.stdout


@pytest.mark.slow
def test_a_process_ends_with_status_zero_or_two_and_one_sentence(train, tmp_path):
    arguments = ["fit", "-c", str(CS224N), *train.tiny, *QUICK]
    ended = start(*arguments, folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    backbone, parameters, undrawn = ended.stderr.splitlines()
    assert backbone.startswith("backbone ")
    assert re.fullmatch(r"parameters: [\d,]+ of [\d,]+ train \(100\.00 %\)", parameters)
    assert undrawn == "no batch in the whole training: sts"  # two steps of three tasks
    assert read_report(train.newest("cs224n"))["steps"] == 2
    ended = start(*arguments, "--data.root", "/none", folder=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        backbone,
        "error: /none/ids-sst-train.csv: no such file (the train split; relative paths start from --data.root /none)",
    ]


@pytest.mark.slow
def test_a_fresh_process_loads_a_checkpoint(fitted, tmp_path):
    code = (
        "import sys; from lightning_modules import MultitaskModule; from backbones.digest import digest_weights; "
        "print(digest_weights(MultitaskModule.load_from_checkpoint(sys.argv[1])))"
    )
    path = fitted / "checkpoints" / "last.ckpt"
    ended = subprocess.run(
        [sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert ended.stdout.strip() == read_report(fitted)["weights_sha256"], ended.stderr


def test_whole_numbers_of_batches_stay_whole_in_a_fresh_process():
    """Where scikit-learn is imported before Lightning, they become floats: see tests/conftest.py."""
    code = "import inspect, cli, lightning.pytorch as L; p = inspect.signature(L.Trainer.__init__).parameters; "
    code += "print(p['limit_train_batches'].annotation.__args__[0].__name__)"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ended.stdout == "int\n", ended.stderr
