"""What train.py and pretrain.py share: LightningCLI with run folders, resuming and the callbacks of every run."""

import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, ClassVar, Literal

import lightning.pytorch as L
from jsonargparse import Namespace
from lightning.pytorch.callbacks import LearningRateMonitor, ProgressBar
from lightning.pytorch.cli import LightningArgumentParser
from lightning.pytorch.strategies import DDPStrategy

from callbacks import (
    AtomicCheckpointIO,
    BatchLimits,
    FinalValidation,
    KeepPrecision,
    LossGuard,
    ProgressLines,
    ResumableCheckpoint,
    StepSeed,
    StopOnSignal,
    TaskProgressBar,
    WholeSteps,
    check_monitors,
    prints_lines,
    refuse_other_last,
)
from callbacks.averaging import refuse_changed_weights
from callbacks.precision import find_device, find_resumed_precision
from callbacks.run_folder import RunTrainer, claimed_run
from callbacks.saved_config import SavedConfig
from command_line.checkpoints import choose_checkpoint, choose_in_run
from command_line.help import describe_checkpoint
from command_line.loggers import LOGGER, complete_loggers
from command_line.looking import LookingCLI
from command_line.parser import Parser
from command_line.trainer_options import check_trainer, refusing_misconfiguration
from runtime.matmul import choose_matmul, set_onednn
from runtime.precision import settle_precision
from runtime.processes import count_processes
from runtime.run_folders import run_name, saved_run
from runtime.version import VERSION
from tasks import InputError


class TandemCLI(LookingCLI):
    """LightningCLI whose runs lie in `runs/<config name>/version_N/` and never overwrite each other."""

    runner: ClassVar[type[RunTrainer]] = RunTrainer

    def __init__(self, model_class: type[L.LightningModule], datamodule_class: type[L.LightningDataModule]) -> None:
        super().__init__(
            model_class,
            datamodule_class,
            trainer_class=self.runner,
            seed_everything_default=42,
            auto_configure_optimizers=False,
            save_config_callback=SavedConfig,
            parser_class=Parser,
            parser_kwargs={"description": type(self).__doc__, "version": VERSION},
            trainer_defaults={
                "logger": LOGGER,
                "max_epochs": 3,
                "num_sanity_val_steps": 0,
                "use_distributed_sampler": False,
                "enable_model_summary": False,
            },
        )

    def setup_parser(self, *args: Any, **kwargs: Any) -> None:
        """Build the parsers; where a command is given, its own alone: each takes a twentieth of a second."""
        commands = self.subcommands()
        given = {name: commands[name] for name in sys.argv[1:2] if name in commands}
        if given:
            self.subcommands = lambda: given  # type: ignore[method-assign]
        super().setup_parser(*args, **kwargs)

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Read the command line; a seed out of range is refused before it is used."""
        super().parse_arguments(parser, args)
        seed = self.config[self.config["subcommand"]].seed_everything
        if not 0 <= seed < 2**32:
            raise InputError(f"seed_everything is {seed} (expected a whole number from 0 to {2**32 - 1})")

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add what every run has beside the model, the data and the trainer."""
        parser.add_lightning_class_args(ResumableCheckpoint, "checkpoint")
        parser.add_lightning_class_args(LossGuard, "guard")
        parser.link_arguments("seed_everything", "data.seed")
        parser.add_argument(
            "--fp32_matmul",
            type=Literal["auto", "default"],
            default="auto",
            help="Whether oneDNN may compute fp32 matrix products on a CPU where it is as accurate and faster.",
        )

    def add_command_arguments(self, parser: LightningArgumentParser, command: str, *, own: Collection[str]) -> None:
        """Leave Lightning's box of scores out unless `--verbose true` asks for it: RunReport shows them."""
        parser.add_argument(
            "--help_all", action="help", help="Show all options, Lightning's seldom ones too, and exit."
        )
        describe_checkpoint(parser._actions, command)
        if "verbose" in own:
            parser.set_defaults(verbose=False)

    def before_instantiate_classes(self) -> None:
        """Name the run after its configuration, and find the checkpoint that `last`, `best` or `auto` means."""
        config = self.config[self.config.subcommand]
        check_trainer(config.trainer)
        if self.config.subcommand in self.looks:
            if config.get("time"):  # the steps that `plan` times are to be those of `fit`
                _settle_matmul(config)
                self._settle_precision(config)
            return
        _settle_matmul(config)
        configs = [str(path) for path in config.get("config") or []]
        self._runs = complete_loggers(config.trainer, run_name(configs))
        which = config.get("ckpt_path")
        if which is None and self.config.subcommand != "fit":
            raise InputError(f"{self.config.subcommand} needs trained weights: --ckpt_path best, last, a run or a file")
        if which == "":
            raise InputError("--ckpt_path is empty (expected last, best, auto, a run or a file)")
        tasks = list(config.get("tasks") or {})
        if which in ("last", "best", "auto", *(f"best-{task}" for task in tasks)):
            found = choose_checkpoint(which, own=saved_run(configs), runs=self._runs.folder)
            config["ckpt_path"] = str(found) if found else None
        elif which is not None and Path(which).expanduser().is_dir():
            run = Path(which).expanduser()
            config["ckpt_path"] = str(choose_in_run(run, is_resumed=self.config.subcommand == "fit"))
        self._settle_precision(config)

    def _settle_precision(self, config: Namespace) -> None:
        """Put what `--trainer.precision auto` means into the configuration, and say where fp32 would be faster."""
        asked = config.trainer.precision
        if asked == "auto" and self.config.subcommand == "fit" and config.ckpt_path:
            asked = find_resumed_precision(Path(config.ckpt_path)) or asked
        memory = Path(config.data.cache_dir).expanduser() / "precision.json"
        config.trainer.precision = settle_precision(asked, find_device(config.trainer.accelerator), memory)

    def running(self, command: str) -> AbstractContextManager[None]:
        """Run the command in a folder of its own; one that is refused leaves none, and a look has none."""
        return nullcontext() if command in self.looks else self._in_own_folder(command)

    @contextmanager
    def _in_own_folder(self, command: str) -> Iterator[None]:
        assert isinstance(self.trainer, RunTrainer)
        kind = "version" if command == "fit" else command
        with (
            claimed_run(self.trainer, self._runs.folder, kind, version=self._runs.version),
            refusing_misconfiguration(),
        ):
            yield

    def instantiate_classes(self) -> None:
        """Build everything, and check what the callbacks watch."""
        super().instantiate_classes()
        if self.config.subcommand == "fit":
            callbacks: list[L.Callback] = self.trainer.callbacks  # type: ignore[attr-defined]
            refuse_other_last(callbacks)
            check_monitors(callbacks, self.model.validation_scores())

    def instantiate_trainer(self, **kwargs: Any) -> L.Trainer:
        """Build the trainer with our callbacks, atomic checkpoints and a strategy for idle heads."""
        config = self.built["trainer"]
        kwargs["plugins"] = [*_as_list(config.get("plugins")), AtomicCheckpointIO()]
        kwargs["callbacks"] = [BatchLimits(), *_as_list(config.get("callbacks")), *self.own_callbacks()]
        if prints_lines() and not has_bar(kwargs["callbacks"]):
            kwargs["callbacks"].append(ProgressLines())
            kwargs["enable_progress_bar"] = False  # Lightning would add its own
        if config["strategy"] == "ddp" or (config["strategy"] == "auto" and count_processes(config) > 1):
            kwargs["strategy"] = DDPStrategy(find_unused_parameters=True)  # one head is idle at each step
        with refusing_misconfiguration(ValueError, TypeError, ImportError):
            trainer: L.Trainer = super().instantiate_trainer(**kwargs)
        callbacks: list[L.Callback] = trainer.callbacks  # type: ignore[attr-defined]
        refuse_changed_weights(callbacks, has_averaging="averaging" in self.built)
        last = (WholeSteps, ResumableCheckpoint, StopOnSignal)
        callbacks.sort(key=lambda callback: isinstance(callback, last) + isinstance(callback, last[1:]))
        return trainer

    def own_callbacks(self) -> list[L.Callback]:
        """Return the callbacks of every run."""
        config = self.built["trainer"]
        seed = StepSeed(self.built["data"].seed)
        own: list[L.Callback] = [seed, FinalValidation(), KeepPrecision(), WholeSteps(), StopOnSignal()]
        if config.get("logger"):
            own.append(LearningRateMonitor(logging_interval="step"))
        wants_bar = config.get("enable_progress_bar") is not False and not prints_lines()
        if wants_bar and not has_bar(_as_list(config.get("callbacks"))):
            own.append(TaskProgressBar())
        return own


def _settle_matmul(config: Namespace) -> None:
    """Let oneDNN compute matrix products in another way where that is as accurate and faster, unless it is not to."""
    if config.fp32_matmul == "auto":
        choose_matmul(Path(config.data.cache_dir).expanduser() / "matmul.json")
    else:
        set_onednn(on=False)  # an earlier training of this process may have switched it on


def has_bar(callbacks: Sequence[L.Callback]) -> bool:
    """Whether there is a progress bar among some callbacks."""
    return any(isinstance(callback, ProgressBar) for callback in callbacks)


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
