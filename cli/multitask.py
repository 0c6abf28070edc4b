"""The command line of multitask training: train.py."""

import sys
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, ClassVar

import lightning.pytorch as L
from lightning.pytorch.cli import LightningArgumentParser

from callbacks import (
    Averaging,
    BestCheckpoint,
    BestTaskCheckpoint,
    ConflictMonitor,
    DryRun,
    FirstLook,
    Int8Prediction,
    PredictionWriter,
    ReduceShareOnPlateau,
    RunReport,
    SplitFiles,
    TaskLosses,
    ValidationFigures,
)
from callbacks.run_folder import RunTrainer
from checks.command import check
from cli.tandem import TandemCLI
from command_line.best_options import check_best_options
from command_line.help import describe_checkpoint
from command_line.looks import AGAINST, DRY_RUN, add_switch, allow_bare_switches, shorten_to_trial, with_configs
from command_line.trainer_options import check_trainer
from planning.command import Candidate, plan
from runtime.run_folders import run_name
from tasks import InputError, Task

BEST_NAME = "best-epoch={{epoch}}-step={{step}}-{name}={{{monitor}:.4f}}"


class LookingTrainer(RunTrainer):
    """Lightning's Trainer, with the commands that look before a training.

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
        """Refuse a score that there is not, and weights under the score of others.

        The file of the best checkpoint is named after what it is the best of.
        """
        config = self.config[self.config.subcommand]
        if config.get("dry_run"):
            shorten_to_trial(config)
        super().before_instantiate_classes()
        best = config.best_checkpoint
        check_best_options(best)
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
