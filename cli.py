"""What train.py and pretrain.py share: LightningCLI with run folders, resuming and clear errors."""

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import lightning.pytorch as L
import torch
from jsonargparse import Namespace
from lightning.pytorch.callbacks import LearningRateMonitor, ProgressBar
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.strategies import DDPStrategy

from callbacks import (
    AtomicCheckpointIO,
    Averaging,
    BatchLimits,
    BestCheckpoint,
    BestTaskCheckpoint,
    ConflictMonitor,
    DryRun,
    ExportBackbone,
    FinalValidation,
    FirstLook,
    LossGuard,
    PredictionWriter,
    ProgressLines,
    ReduceShareOnPlateau,
    ResumableCheckpoint,
    RunReport,
    RunStopped,
    StepSeed,
    StopOnSignal,
    TaskLosses,
    TaskProgressBar,
    ValidationFigures,
    check_monitors,
    prints_lines,
)
from callbacks.averaging import refuse_changed_weights
from callbacks.run_folder import RunTrainer, claimed_run
from checks.command import check
from command_line.help import describe_checkpoint
from command_line.loggers import LOGGER, complete_loggers
from command_line.looks import add_switch, allow_bare_switches, defer, shorten_to_trial, with_configs
from command_line.parser import Parser, failing_task, name_task
from command_line.trainer_options import check_trainer, refusing_misconfiguration
from lightning_modules import MultitaskModule
from planning.command import Candidate, plan
from runtime.file_errors import naming_refusals
from runtime.matmul import choose_matmul, set_onednn
from runtime.messages import StderrLines, silence_lightning
from runtime.run_folders import find_checkpoint, find_in_run, run_name, saved_run
from runtime.version import VERSION
from tasks import InputError, Task

OUR_PACKAGES = ("backbones", "callbacks", "checks", "cli", "datamodules", "lightning_modules", "runtime")
LOOKS = {  # commands that train nothing, and what each is given beside its options
    "check": {"data", "build_model"},
    "plan": {"candidates"},
}
AGAINST = (
    "Another configuration to plan beside this one with the same flags, in the place of all -c: a file, or several "
    "joined by commas; may be given several times."
)
DRY_RUN = (
    "Build everything, try the largest train batch and a dev batch of each task, say what memory it takes, and end; no "
    "run folder."
)
BEST_NAME = "best-epoch={{epoch}}-step={{step}}-{name}={{{monitor}:.4f}}"


class TandemCLI(LightningCLI):
    """LightningCLI whose runs lie in `runs/<config name>/version_N/` and never overwrite each other."""

    runner: ClassVar[type[RunTrainer]] = RunTrainer

    def __init__(self, model_class: type[L.LightningModule], datamodule_class: type[L.LightningDataModule]) -> None:
        super().__init__(
            model_class,
            datamodule_class,
            trainer_class=self.runner,
            seed_everything_default=42,
            auto_configure_optimizers=False,
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

    def _prepare_subcommand_parser(self, klass: type, subcommand: str, **kwargs: Any) -> LightningArgumentParser:
        """Leave Lightning's box of scores out unless `--verbose true` asks for it: RunReport shows them."""
        parser: LightningArgumentParser = super()._prepare_subcommand_parser(klass, subcommand, **kwargs)
        parser.add_argument(
            "--help_all", action="help", help="Show all options, Lightning's seldom ones too, and exit."
        )
        describe_checkpoint(parser._actions, subcommand)
        if "verbose" in self._subcommand_method_arguments[subcommand]:
            parser.set_defaults(verbose=False)
        return parser

    def before_instantiate_classes(self) -> None:
        """Name the run after its configuration, and find the checkpoint that `last`, `best` or `auto` means."""
        config = self.config[self.config.subcommand]
        check_trainer(config.trainer)
        if self.config.subcommand in LOOKS:
            return
        if config.fp32_matmul == "auto":
            choose_matmul(Path(config.data.cache_dir).expanduser() / "matmul.json")
        else:
            set_onednn(on=False)  # an earlier training of this process may have switched it on
        configs = [str(path) for path in config.get("config") or []]
        self._runs = complete_loggers(config.trainer, run_name(configs))
        which = config.get("ckpt_path")
        if which is None and self.config.subcommand != "fit":
            raise InputError(f"{self.config.subcommand} needs trained weights: --ckpt_path best, last or a file")
        tasks = list(config.get("tasks") or {})
        if which in ("last", "best", "auto", *(f"best-{task}" for task in tasks)):
            found = choose_checkpoint(which, own=saved_run(configs), runs=self._runs.folder, tasks=tasks)
            config["ckpt_path"] = str(found) if found else None

    def _run_subcommand(self, subcommand: str) -> None:
        """Run the command in a folder of its own; one that is refused leaves none."""
        assert isinstance(self.trainer, RunTrainer)
        kind = "version" if subcommand == "fit" else subcommand
        with (
            claimed_run(self.trainer, self._runs.folder, kind, version=self._runs.version),
            refusing_misconfiguration(),
        ):
            super()._run_subcommand(subcommand)

    def _parse_ckpt_path(self) -> None:
        """Leave the command line as it is; Lightning would replace it by the checkpoint's hyperparameters unasked."""

    def instantiate_classes(self) -> None:
        """Build everything; what the user got wrong becomes an InputError."""
        with self.refusing_settings():
            super().instantiate_classes()
        if self.config.subcommand == "fit":
            callbacks: list[L.Callback] = self.trainer.callbacks  # type: ignore[attr-defined]
            check_monitors(callbacks, self.model.validation_scores())

    @contextmanager
    def refusing_settings(self) -> Iterator[None]:
        """Turn what a class refuses into an InputError, with the name of the task where it is one's."""
        try:
            with refusing_misconfiguration():
                yield
        except (ValueError, OSError) as error:
            reason, task = str(find_reason(error)), failing_task(self._get(self.config, "tasks") or {})
            raise InputError(reason if task is None else name_task(task, reason)) from error

    def instantiate_trainer(self, **kwargs: Any) -> L.Trainer:
        """Build the trainer with our callbacks, atomic checkpoints and a strategy for idle heads."""
        config = self._get(self.config_init, "trainer")
        kwargs["plugins"] = [*_as_list(config.get("plugins")), AtomicCheckpointIO()]
        kwargs["callbacks"] = [BatchLimits(), *_as_list(config.get("callbacks")), *self.own_callbacks()]
        if prints_lines() and not has_bar(kwargs["callbacks"]):
            kwargs["callbacks"].append(ProgressLines())
            kwargs["enable_progress_bar"] = False  # Lightning would add its own
        if config["strategy"] in ("auto", "ddp") and count_processes(config) > 1:
            kwargs["strategy"] = DDPStrategy(find_unused_parameters=True)  # one head is idle at each step
        with refusing_misconfiguration(ValueError, TypeError, ImportError):
            trainer: L.Trainer = super().instantiate_trainer(**kwargs)
        callbacks: list[L.Callback] = trainer.callbacks  # type: ignore[attr-defined]
        refuse_changed_weights(callbacks, has_averaging="averaging" in self.config_init[self.config.subcommand])
        callbacks.sort(key=lambda callback: isinstance(callback, ResumableCheckpoint | StopOnSignal))  # the last to act
        return trainer

    def own_callbacks(self) -> list[L.Callback]:
        """Return the callbacks of every run."""
        config = self._get(self.config_init, "trainer")
        own: list[L.Callback] = [StepSeed(self._get(self.config_init, "data").seed), FinalValidation(), StopOnSignal()]
        if config.get("logger"):
            own.append(LearningRateMonitor(logging_interval="step"))
        wants_bar = config.get("enable_progress_bar") is not False and not prints_lines()
        if wants_bar and not has_bar(_as_list(config.get("callbacks"))):
            own.append(TaskProgressBar())
        return own


class LookingTrainer(RunTrainer):
    """RunTrainer with the commands that look before a training.

    Lightning makes a command of a method, and its help and options of the method's docstring and parameters.
    """

    check = staticmethod(check)
    plan = staticmethod(plan)


class MultitaskCLI(TandemCLI):
    """Multitask training of one BERT backbone on several sentence tasks."""

    runner: ClassVar[type[RunTrainer]] = LookingTrainer

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        """Return the commands, and the parameters of each that are no options."""
        return {**LightningCLI.subcommands(), **LOOKS}

    def _prepare_subcommand_parser(self, klass: type, subcommand: str, **kwargs: Any) -> LightningArgumentParser:
        """Let the commands that look take all that `fit` takes, so that they read any configuration of a training."""
        parser = super()._prepare_subcommand_parser(klass, subcommand, **kwargs)
        if subcommand in LOOKS:
            allow_bare_switches(parser._actions, self._subcommand_method_arguments[subcommand])
            parser.add_method_arguments(RunTrainer, "fit", skip={*LightningCLI.subcommands()["fit"]})
            describe_checkpoint(parser._actions, "fit")
        if subcommand == "plan":
            parser.add_argument("--against", action="append", metavar="FILE", help=AGAINST)
        if subcommand == "fit":
            add_switch(parser, "--dry_run", DRY_RUN)
        return parser

    def instantiate_classes(self) -> None:
        """Build everything; for a look the data, and the model once it asks for it."""
        if self.subcommand not in LOOKS:
            super().instantiate_classes()
            return
        self.config_init = self._instantiate_deferred(self.config)
        self.datamodule = self._get(self.config_init, "data")

    def _instantiate_deferred(self, config: Namespace) -> Namespace:
        """Build everything but the model, in whose place is a function that builds it."""
        with self.refusing_settings():
            deferred = [(defer, self._model_class, False)]
            built: Namespace = self.parser.instantiate(config, instantiators=deferred)
        return built

    def _open_candidates(self) -> list[Candidate]:
        """Return the configuration that is planned, and each that `--against` names, with the same flags."""
        opened = [self.config_init]
        for paths in self._get(self.config, "against") or []:
            config = self.parser.parse_args(with_configs(sys.argv[1:], paths.split(",")))
            check_trainer(config[config.subcommand].trainer)
            opened.append(self._instantiate_deferred(config))
        found = [each[each.subcommand] for each in opened]
        names = [run_name([str(path) for path in each.get("config") or []]) for each in found]
        return [
            Candidate(name, each.data, partial(self._build_model, each.model), each)
            for name, each in zip(names, found, strict=True)
        ]

    def _run_subcommand(self, subcommand: str) -> None:
        """Run the command; a look has no run folder, and its status is that of the process."""
        if subcommand not in LOOKS:
            super()._run_subcommand(subcommand)
            return
        settings = self.config_init[subcommand]
        given = {"data": self.datamodule, "build_model": partial(self._build_model, settings.model)}
        if subcommand == "plan":
            given["candidates"] = self._open_candidates()
        options = {name: settings[name] for name in self._subcommand_method_arguments[subcommand]}
        look = getattr(self.runner, subcommand)
        with refusing_misconfiguration():
            status = look(**{name: given[name] for name in LOOKS[subcommand]}, **options)
        if status:
            sys.exit(status)

    def _build_model(self, build: Callable[[], MultitaskModule]) -> MultitaskModule:
        """Build a model that was deferred."""
        with self.refusing_settings():
            return build()

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add `--tasks`, which data and model share, and the best checkpoint."""
        super().add_arguments_to_parser(parser)
        parser.add_argument("--tasks", type=dict[str, Task], required=True, help="The tasks by name.")
        for target in ("data.tasks", "model.tasks"):
            parser.link_arguments("tasks", target)
        parser.link_arguments("seed_everything", "model.seed")
        parser.link_arguments("model.backbone", "data.tokenizer")
        parser.link_arguments("trainer.max_epochs", "data.max_epochs")
        parser.add_lightning_class_args(ConflictMonitor, "conflicts")
        parser.add_lightning_class_args(BestCheckpoint, "best_checkpoint")
        parser.add_lightning_class_args(ValidationFigures, "figures")
        parser.add_class_arguments(PredictionWriter, "predictions")
        parser.set_defaults(
            {
                "best_checkpoint.monitor": "val/mean",
                "best_checkpoint.mode": "max",
                "best_checkpoint.filename": BEST_NAME.format(name="mean", monitor="val/mean"),
                "best_checkpoint.auto_insert_metric_name": False,
                "best_checkpoint.save_weights_only": True,
                "best_checkpoint.save_on_train_epoch_end": False,  # but after each validation, before last.ckpt
            }
        )
        parser.add_lightning_class_args(ReduceShareOnPlateau, "plateau")
        parser.add_argument(
            "--best_checkpoint_per_task",
            type=bool,
            default=False,
            help="Whether to keep each task's best weights too, by its first metric: best-<task>-....ckpt.",
        )
        parser.add_argument(
            "--averaging",
            type=Averaging | None,
            default=None,
            help="Average the weights over the training (Ema or Swa); the average is evaluated, kept and reported.",
        )

    def before_instantiate_classes(self) -> None:
        """Refuse a score that there is not.

        The file of the best checkpoint is named after what it is the best of.
        """
        config = self.config[self.config.subcommand]
        if config.get("dry_run"):
            shorten_to_trial(config)
        super().before_instantiate_classes()
        best = config.best_checkpoint
        if best.monitor == "val/score" and not config.model.score:
            raise InputError(
                "best_checkpoint.monitor is val/score, but model.score is not given (expected weights of metrics)"
            )
        if best.monitor and best.filename == BEST_NAME.format(name="mean", monitor="val/mean"):
            name = best.monitor.removeprefix("val/").replace("/", "-")
            best.filename = BEST_NAME.format(name=name, monitor=best.monitor)

    def instantiate_trainer(self, **kwargs: Any) -> L.Trainer:
        """Build the trainer; an optimiser step has as many batches as the schedule says, unless a number is given."""
        data, config = self._get(self.config_init, "data"), self.config[self.config.subcommand]
        if config.trainer.accumulate_grad_batches == 1:
            window = data.choose_window(config.trainer.accumulate_grad_batches)
            config.trainer.accumulate_grad_batches = kwargs["accumulate_grad_batches"] = window  # saved, and used
        return super().instantiate_trainer(**kwargs)

    def own_callbacks(self) -> list[L.Callback]:
        """Return the callbacks of every multitask run."""
        own = [
            *super().own_callbacks(),
            FirstLook(),
            TaskLosses(),
            self._get(self.config_init, "predictions"),
            RunReport(),
        ]
        if self._get(self.config_init, "best_checkpoint_per_task"):
            tasks: dict[str, Task] = self._get(self.config_init, "tasks")
            own += [BestTaskCheckpoint(name, task.metric_names[0]) for name, task in tasks.items()]
        if self._get(self.config_init, "dry_run"):
            own.append(DryRun())
        averaging: Averaging | None = self._get(self.config_init, "averaging")
        return own if averaging is None else [averaging, *own]


class PretrainCLI(TandemCLI):
    """Further masked-LM pre-training of a BERT backbone."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add `--tasks`, whose train texts are read, and `--export_dir`."""
        super().add_arguments_to_parser(parser)
        parser.add_argument("--tasks", type=dict[str, Task] | None, help="The tasks whose train texts are read.")
        parser.link_arguments("tasks", "data.tasks")
        parser.link_arguments("model.backbone", "data.tokenizer")
        parser.add_argument(
            "--export_dir", type=str | None, help="Folder for the result; `backbone` in the run's folder."
        )

    def own_callbacks(self) -> list[L.Callback]:
        """Return the callbacks of every pre-training run."""
        own = [*super().own_callbacks(), TaskLosses(), RunReport()]
        if self.subcommand != "fit":
            return own
        return [*own, ExportBackbone(self._get(self.config_init, "export_dir"))]


def run(cli: type[TandemCLI], model: type[L.LightningModule], data: type[L.LightningDataModule]) -> None:
    """Run an entry point; what the user or the file system got wrong ends it with one sentence and exit status 2."""
    silence_lightning()
    logging.basicConfig(format="%(message)s", handlers=[StderrLines()])
    for package in OUR_PACKAGES:
        logging.getLogger(package).setLevel(logging.INFO)
    try:
        with naming_refusals(InputError):
            cli(model, data)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except RunStopped as stopped:
        sys.exit(128 + stopped.number)


def find_reason(error: BaseException) -> BaseException:
    """Return the error that a class raised, where jsonargparse wrapped it because the class is optional."""
    while str(error).startswith("Does not validate against any of the Union subtypes") and error.__cause__:
        error = error.__cause__
    return error


def choose_checkpoint(which: str, *, own: Path | None, runs: Path, tasks: Sequence[str]) -> Path | None:
    """Find the checkpoint that a word of `--ckpt_path` means.

    Args:
        which: `last`, `best`, `best-<task>` or `auto`.
        own: Folder of the run whose saved configuration is given, if one is; `auto` does not look at it.
        runs: Folder of the configuration's runs.
        tasks: Names of the tasks.

    Returns:
        The checkpoint; None where `auto` finds none.

    Raises:
        InputError: If there is none.
    """
    if own is not None and which != "auto":
        found = find_in_run(own, which, tasks)
        if found is None:
            raise InputError(f"--ckpt_path {which}: {own}, whose config.yaml is given, has no such checkpoint")
        return found
    found = find_checkpoint(runs, "last" if which == "auto" else which, tasks)
    if found is None and which != "auto":
        raise InputError(f"--ckpt_path {which}: no run in {runs} has such a checkpoint")
    return found


def count_processes(trainer: Any) -> int:
    """Count the processes that a trainer configuration asks for."""
    devices = trainer["devices"]
    if devices in ("auto", -1, "-1"):
        per_node = torch.cuda.device_count() if trainer["accelerator"] in ("auto", "gpu", "cuda") else 1
    elif isinstance(devices, list):
        per_node = len(devices)
    elif isinstance(devices, str) and "," in devices:
        per_node = len([device for device in devices.split(",") if device.strip()])
    else:
        per_node = int(devices)
    return per_node * int(trainer["num_nodes"])


def has_bar(callbacks: Sequence[L.Callback]) -> bool:
    """Whether there is a progress bar among some callbacks."""
    return any(isinstance(callback, ProgressBar) for callback in callbacks)


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
