"""What train.py and pretrain.py share: LightningCLI with run folders, resuming and clear errors."""

import logging
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import lightning.pytorch as L
from jsonargparse import Namespace
from lightning.pytorch.callbacks import LearningRateMonitor, ProgressBar
from lightning.pytorch.cli import LightningArgumentParser
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
    Int8Prediction,
    KeepPrecision,
    LossGuard,
    PredictionWriter,
    ProgressLines,
    ReduceShareOnPlateau,
    ResumableCheckpoint,
    RunReport,
    RunStopped,
    SplitFiles,
    StepSeed,
    StopOnSignal,
    TaskLosses,
    TaskProgressBar,
    ValidationFigures,
    WholeSteps,
    check_monitors,
    prints_lines,
)
from callbacks.averaging import refuse_changed_weights
from callbacks.precision import find_device, find_resumed_precision
from callbacks.run_folder import RunTrainer, claimed_run
from checks.command import check
from command_line.checkpoints import choose_checkpoint
from command_line.help import describe_checkpoint
from command_line.loggers import LOGGER, complete_loggers
from command_line.looking import LookingCLI
from command_line.looks import AGAINST, DRY_RUN, add_switch, allow_bare_switches, shorten_to_trial, with_configs
from command_line.parser import Parser
from command_line.trainer_options import check_trainer, count_processes, refusing_misconfiguration
from planning.command import Candidate, plan
from runtime.file_errors import naming_refusals
from runtime.matmul import choose_matmul, set_onednn
from runtime.messages import StderrLines, silence_lightning
from runtime.precision import settle_precision
from runtime.run_folders import run_name, saved_run
from runtime.version import VERSION
from tasks import InputError, Task

OUR_PACKAGES = ("backbones", "callbacks", "checks", "cli", "datamodules", "lightning_modules", "planning", "runtime")
BEST_NAME = "best-epoch={{epoch}}-step={{step}}-{name}={{{monitor}:.4f}}"


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
            raise InputError(f"{self.config.subcommand} needs trained weights: --ckpt_path best, last or a file")
        tasks = list(config.get("tasks") or {})
        if which in ("last", "best", "auto", *(f"best-{task}" for task in tasks)):
            found = choose_checkpoint(which, own=saved_run(configs), runs=self._runs.folder)
            config["ckpt_path"] = str(found) if found else None
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


class LookingTrainer(RunTrainer):
    """RunTrainer with the commands that look before a training.

    Lightning makes a command of a method, and its help and options of the method's docstring and parameters.
    """

    check = staticmethod(check)
    plan = staticmethod(plan)


class MultitaskCLI(TandemCLI):
    """Multitask training of one BERT backbone on several sentence tasks."""

    runner: ClassVar[type[RunTrainer]] = LookingTrainer
    looks: ClassVar[Mapping[str, set[str]]] = {"check": {"data", "build_model"}, "plan": {"candidates"}}

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        """Return the commands, and the parameters of each that are no options."""
        return {**TandemCLI.subcommands(), **MultitaskCLI.looks}

    def add_command_arguments(self, parser: LightningArgumentParser, command: str, *, own: Collection[str]) -> None:
        """Let the commands that look take all that `fit` takes, so that they read any configuration of a training."""
        super().add_command_arguments(parser, command, own=own)
        if command in self.looks:
            allow_bare_switches(parser._actions, own)
            parser.add_method_arguments(RunTrainer, "fit", skip={*TandemCLI.subcommands()["fit"]})
            describe_checkpoint(parser._actions, "fit")
        if command == "plan":
            parser.add_argument("--against", action="append", metavar="FILE", help=AGAINST)
        if command == "fit":
            add_switch(parser, "--dry_run", DRY_RUN)

    def given_to_look(self) -> Mapping[str, Callable[[], Any]]:
        """Return what makes the parameters of looks that are no options."""
        return {**super().given_to_look(), "candidates": self._open_candidates}

    def _open_candidates(self) -> list[Candidate]:
        """Return the configuration that is planned, and each that `--against` names, with the same flags."""
        opened = [self.config_init]
        for paths in self.built["against"] or []:
            config = self.parser.parse_args(with_configs(sys.argv[1:], paths.split(",")))
            check_trainer(config[config.subcommand].trainer)
            if config[config.subcommand].time:
                self._settle_precision(config[config.subcommand])
            opened.append(self.instantiate_deferred(config))
        found = [each[each.subcommand] for each in opened]
        names = [run_name([str(path) for path in each.get("config") or []]) for each in found]
        return [
            Candidate(name, each.data, partial(self.build_model, each.model), each)
            for name, each in zip(names, found, strict=True)
        ]

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

    def _prepare_subcommand_parser(self, klass: type, subcommand: str, **kwargs: Any) -> LightningArgumentParser:
        """Add what only predict has."""
        parser: LightningArgumentParser = super()._prepare_subcommand_parser(klass, subcommand, **kwargs)
        if subcommand == "predict":
            parser.add_argument(
                "--int8",
                type=bool,
                default=False,
                help="Whether the encoder multiplies in int8: about twice as fast on a CPU, with slightly other "
                "numbers; python -m inference.int8 checks them.",
            )
        return parser

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
        data, config = self.built["data"], self.config[self.config.subcommand]
        if config.trainer.accumulate_grad_batches == 1:
            window = data.choose_window(config.trainer.accumulate_grad_batches)
            config.trainer.accumulate_grad_batches = kwargs["accumulate_grad_batches"] = window  # saved, and used
        return super().instantiate_trainer(**kwargs)

    def own_callbacks(self) -> list[L.Callback]:
        """Return the callbacks of every multitask run."""
        tasks: dict[str, Task] = self.built["tasks"]
        self.built["predictions"].check(tasks)
        own = [
            *super().own_callbacks(),
            FirstLook(),
            SplitFiles(),
            TaskLosses(),
            self.built["predictions"],
            RunReport(),
        ]
        if self.built["best_checkpoint_per_task"]:
            own += [BestTaskCheckpoint(name, task.metric_names[0]) for name, task in tasks.items()]
        if self.built.get("dry_run"):
            own.append(DryRun())
        if self.built.get("int8"):
            own.append(Int8Prediction())
        averaging: Averaging | None = self.built["averaging"]
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
        return [*own, ExportBackbone(self.built["export_dir"])]


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
