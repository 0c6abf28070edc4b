"""Real training processes for tests: started from one warm process, watched, killed and compared."""

import csv
import json
import math
import multiprocessing
import os
import runpy
import signal
import socket
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning.pytorch as L
import torch
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

ROOT = Path(__file__).resolve().parent.parent
WAIT = 120  # seconds; a loaded machine is slow
PRELOADED = [
    "cli",
    "datamodules",
    "lightning_modules",
    "pandas",
    "tensorboard.summary",
    "transformers.models.bert.modeling_bert",
    "tests.runs",
]


class Probe(L.Callback):
    """Writes what each step saw into `trace-<rank>.jsonl` of the run's folder, and ends or hurts the run at one place.

    The place comes from the environment: PROBE is `<hook>:<step>` or, for `os.fsync` and `os.replace`, through which a
    checkpoint is written, `<function>:<number of the call>`. There the process of rank PROBE_RANK (0) sends itself
    PROBE_SIGNAL (SIGKILL), makes the file `probe-reached` and rests for PROBE_PAUSE
    seconds (0).
    """

    def __init__(self) -> None:
        self.place, _, step = os.environ.get("PROBE", "").partition(":")
        self.step = int(step or -1)
        self.signal = int(os.environ.get("PROBE_SIGNAL", signal.SIGKILL))
        self.rank = int(os.environ.get("PROBE_RANK", 0))
        self._calls = 0

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._reach("fit_start", trainer)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._reach("train_start", trainer)
        package, _, name = self.place.partition(".")
        if package != "os" or trainer.global_rank != self.rank:
            return
        original = getattr(os, name)

        def call(*arguments: Any) -> Any:
            self._calls += 1
            if self._calls == self.step:
                os.kill(os.getpid(), self.signal)
            return original(*arguments)

        setattr(os, name, call)

    def _reach(self, place: str, trainer: L.Trainer) -> None:
        if (place, trainer.global_step, trainer.global_rank) == (self.place, self.step, self.rank):
            self.place = ""
            os.kill(os.getpid(), self.signal)
            Path("probe-reached").touch()
            time.sleep(float(os.environ.get("PROBE_PAUSE", 0)))

    def _write(self, trainer: L.Trainer, entry: Mapping[str, Any]) -> None:
        folder = Path(str(trainer.log_dir))
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"trace-{trainer.global_rank}.jsonl").open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, *_: Any) -> None:
        self._reach("train_batch_start", trainer)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        entry = {"step": trainer.global_step, "epoch": trainer.current_epoch, "batch": batch_idx}
        rows = {"task": batch.stream, "rows": batch.rows.tolist(), "weight": float(getattr(batch, "weight", 1.0))}
        self._write(trainer, {**entry, **rows, "loss": float(outputs["task_loss"]).hex()})
        self._reach("train_batch_end", trainer)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._reach("validation_start", trainer)

    def on_validation_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        self._reach("validation_batch_end", trainer)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._reach("validation_end", trainer)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._reach("train_epoch_end", trainer)

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._reach("train_epoch_start", trainer)

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._reach("fit_end", trainer)


@dataclass(frozen=True)
class Ended:
    """A process that ended: its exit status (negative: killed by that signal) and what it printed."""

    code: int
    output: str


class Running:
    """A process under way."""

    def __init__(self, process: Any, log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        return int(self._process.pid)

    @property
    def output(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def send(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait(self, seconds: float = WAIT) -> Ended:
        self._process.join(seconds)
        code = self._process.exitcode
        if code is None:
            self._process.kill()
            raise TimeoutError(f"still running after {seconds} s:\n{self.output}")
        return Ended(code, self.output)


@dataclass
class Project:
    """A folder to train in: a configuration, its data and its runs.

    Args:
        folder: The folder; processes work in it.
        config: The configuration, as YAML has it.
        script: The entry point.
        settings: Environment of the processes, beside this process's own.
    """

    folder: Path
    config: Mapping[str, Any]
    script: str = "train.py"
    settings: dict[str, str] = field(default_factory=dict)
    _started: int = 0

    def start(self, *arguments: str, command: str = "fit", stdin: Path | None = None, **settings: str) -> Running:
        """Start `<script> <command> -c tiny.yaml <arguments>`; `settings` go into its environment."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "tiny.yaml").write_text(yaml.safe_dump(dict(self.config), sort_keys=False))
        self._started += 1
        log = self.folder / f"output-{self._started}.txt"
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        argv = [str(ROOT / self.script), command, "-c", "tiny.yaml", *arguments]
        where = (str(self.folder), str(log), None if stdin is None else str(stdin))
        process = context.Process(target=_run_script, args=(argv, where, {**self.settings, **settings}))
        process.start()
        return Running(process, log)

    def start_ranks(self, count: int, *arguments: str, command: str = "fit", **settings: str) -> list[Running]:
        """Start `count` processes that work together, as torchrun does."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        together = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "NODE_RANK": "0", **settings}
        devices = ("--trainer.devices", str(count), *arguments)
        return [self.start(*devices, command=command, LOCAL_RANK=str(rank), **together) for rank in range(count)]

    def run_ranks(self, count: int, *arguments: str, command: str = "fit", **settings: str) -> list[Ended]:
        return [process.wait() for process in self.start_ranks(count, *arguments, command=command, **settings)]

    def run(self, *arguments: str, command: str = "fit", stdin: Path | None = None, **settings: str) -> Ended:
        return self.start(*arguments, command=command, stdin=stdin, **settings).wait()

    def compare_one_process_with_two(self) -> None:
        """Train in one process and then in two, and check that the weights are the same but for rounding."""
        assert self.run().code == 0
        ended = self.run_ranks(2)

        assert {process.code for process in ended} == {0}, ended
        one, two = self.weights(0), self.weights(1)
        assert len(one) > 10
        for name, tensor in one.items():
            torch.testing.assert_close(two[name], tensor, rtol=1e-3, atol=2e-5)

    def kill(self, place: str) -> None:
        """Continue the newest run that has a checkpoint, or start one, up to a place where it is killed."""
        ended = self.run("--ckpt_path", "auto", PROBE=place)
        assert ended.code == -signal.SIGKILL, ended.output

    def newest(self) -> int:
        return max(int(folder.name.removeprefix("version_")) for folder in self.version(0).parent.glob("version_*"))

    def version(self, number: int, kind: str = "version") -> Path:
        return self.folder / "runs" / "tiny" / f"{kind}_{number}"

    def report(self, number: int, kind: str = "version") -> dict[str, Any]:
        return dict(json.loads((self.version(number, kind) / "report.json").read_text()))

    def trace(self, number: int, rank: int = 0) -> list[dict[str, Any]]:
        """Return what each batch of a run was."""
        path = self.version(number) / f"trace-{rank}.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def scalars(self, number: int) -> set[tuple[str, int, float]]:
        """Return all points of a run's curves; an undefined value is infinite, since NaN differs from itself."""
        events = EventAccumulator(str(self.version(number)), size_guidance={"scalars": 0}).Reload()
        points = [(tag, point) for tag in events.Tags()["scalars"] for point in events.Scalars(tag)]
        return {(tag, point.step, math.inf if math.isnan(point.value) else point.value) for tag, point in points}

    def predictions(self, number: int, kind: str = "version") -> dict[str, str]:
        """Return the text of each prediction file of a run."""
        return {path.name: path.read_text() for path in (self.version(number, kind) / "predictions").glob("*.csv")}

    def resumed_step(self, number: int) -> int:
        """Return the optimiser steps that lay behind a run when it was continued."""
        path = self.folder / self.report(number)["resumed_from"]
        return int(torch.load(path, weights_only=True)["global_step"])

    def validations(self, number: int) -> list[int]:
        """Return the steps at which a run was validated."""
        return sorted({step + 1 for tag, step, _ in self.scalars(number) if tag.startswith("val/")})

    def weights(self, number: int) -> dict[str, torch.Tensor]:
        return dict(self.checkpoint(number)["state_dict"])

    def checkpoint(self, number: int, name: str = "last.ckpt") -> dict[str, Any]:
        return dict(torch.load(self.version(number) / "checkpoints" / name, weights_only=True))


def _run_script(argv: list[str], where: tuple[str, str, str | None], settings: Mapping[str, str]) -> None:
    """Be `python <argv>`: in the process that `Project.start` forks."""
    folder, log, stdin = where
    os.chdir(folder)
    for stream, path, flags in (
        (0, stdin or os.devnull, os.O_RDONLY),
        (1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND),
    ):
        os.dup2(os.open(path, flags, 0o644), stream)
    os.dup2(1, 2)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for as long as the process lives
    os.environ.update(settings)
    multiprocessing.set_start_method(
        "fork", force=True
    )  # of the loaders' workers, as where this process was not forked
    sys.argv = argv
    try:
        runpy.run_path(argv[0], run_name="__main__")
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception:
        traceback.print_exc()
        sys.exit(1)


def wait_for(happened: Any, seconds: float = WAIT) -> None:
    """Wait until a function gives something true."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"did not happen in {seconds} s")
        time.sleep(0.01)


def tiny_config(root: Path, backbone: Path, cache: Path, **changes: Any) -> dict[str, Any]:
    """Return a configuration of three tasks with a tiny backbone; `changes` replace values by dotted keys."""
    config: dict[str, Any] = {
        "tasks": {"sst": "Sst", "quora": "Quora", "sts": "Sts"},
        "model": {"backbone": str(backbone), "optimizer": {"lr": 1e-3, "warmup": 0.1}},
        "data": {"root": str(root), "batch_size": 5, "max_length": 64, "cache_dir": str(cache)},
        "fp32_matmul": "default",
        "checkpoint": {"every_n_train_steps": 2},
        "trainer": {
            "accelerator": "cpu",
            "max_epochs": 3,
            "log_every_n_steps": 2,
            "enable_progress_bar": False,
            "callbacks": [{"class_path": "tests.runs.Probe"}],
        },
    }
    for key, value in changes.items():
        set_dotted(config, key.replace("__", "."), value)
    return config


def set_dotted(config: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        config = config.setdefault(parent, {})
    config[last] = value


def read_csv(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))
