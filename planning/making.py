"""From the settings of a configuration to its plan."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lightning.pytorch.callbacks import EarlyStopping

from datamodules import MultitaskDataModule
from datamodules.generated_rows import describe_generated
from datamodules.limits import limit_batches
from datamodules.streams import describe_streams, join_rows
from lightning_modules import MultitaskModule, OptimizerSettings
from planning.concerns import find_concerns
from planning.disk import Kept, expect_disk
from planning.draws import Draws
from planning.length import Length
from planning.moments import ValidationRule, find_checkpoints, find_stages, find_validations
from planning.plan import Plan
from planning.rates import end_of_warmup, mark_rates
from planning.task_plan import draw_training, plan_tasks, share_saved
from planning.timing import Expected, expect, time_steps
from runtime.processes import count_processes
from tasks import InputError


def make_plan(
    name: str,
    data: MultitaskDataModule,
    build_model: Callable[[], MultitaskModule],
    settings: Mapping[str, Any],
    *,
    time: int,
    passes: float,
) -> tuple[Plan, Draws]:
    """Make the plan of a configuration, and return what it is drawn from too.

    Args:
        name: Name of the configuration.
        data: Its data.
        build_model: Builds its model.
        settings: Its settings by name, as objects: `trainer`, `checkpoint` and so on.
        time: Steps to time; 0 for none.
        passes: Passes over a task's rows that are usual.

    Raises:
        InputError: If the data is wrong, or the training has no end.
    """
    trainer = settings["trainer"]
    _check_trainer(trainer, time=time)
    data.prepare_data()
    data.setup("fit")
    module = build_model()
    length = measure_length(data, trainer)
    draws = draw_training(data, length)
    tasks = plan_tasks(data, draws)
    probe_steps = module.linear_probe_epochs * length.epoch_steps
    validations = find_validations(length, read_rule(trainer))
    tokens = int(draws.tokens.sum())
    plan = Plan(
        name=name,
        schedule=repr(data.schedule),
        length=length,
        tasks=tasks,
        tokens=tokens,
        padding_saved=share_saved(tokens, int(draws.padded.sum())),
        filled=int(draws.filled.sum()) / max(tokens, 1) - 1,
        stages=find_stages(
            draws,
            length,
            probe_epochs=module.linear_probe_epochs,
            head_only_from={name: task.head_only_from for name, task in data.tasks.items()},
        ),
        rates=mark_rates(module.optimizer, length.steps, probe_steps),
        validations=validations,
        checkpoints=find_checkpoints(length, settings["checkpoint"].every_n_train_steps),
        disk=expect_disk(module, read_kept(settings, len(data.tasks)), validations=len(validations)),
        expected=_time(data, module, trainer, draws, len(validations), steps=time) if time else None,
        notes=[*describe_streams(data.tasks, data.streams), *_find_notes(settings), *_note_generated(data)],
        concerns=list(
            find_concerns(
                tasks, length, warmup_end=_warmup_end(module.optimizer, length, probe_steps), most_passes=passes
            )
        ),
    )
    return plan, draws


def _check_trainer(trainer: Mapping[str, Any], *, time: int) -> None:
    if trainer["fast_dev_run"]:
        raise InputError("trainer.fast_dev_run leaves no training to plan (expected false)")
    if time and (processes := count_processes(trainer)) != 1:
        given = f"trainer.devices {trainer['devices']} and trainer.num_nodes {trainer['num_nodes']}"
        raise InputError(f"--time measures one process ({given} are {processes}; expected 1 and 1)")


def measure_length(data: MultitaskDataModule, trainer: Mapping[str, Any]) -> Length:
    """Return the length of a training.

    Args:
        data: Its data, set up for `fit`.
        trainer: The options of the trainer.
    """
    window = data.choose_window(trainer["accumulate_grad_batches"])
    data.check_window(window)
    return Length(
        epoch_batches=limit_batches(len(data.make_sampler()), trainer["limit_train_batches"]),
        window=window,
        max_epochs=trainer["max_epochs"],
        max_steps=trainer["max_steps"],
    )


def read_rule(trainer: Mapping[str, Any]) -> ValidationRule:
    """Return when validations come, from the options of the trainer."""
    interval = trainer["val_check_interval"]
    return ValidationRule(
        interval=1.0 if interval is None else interval if isinstance(interval, int | float) else None,
        every_epochs=trainer["check_val_every_n_epoch"],
        enabled=trainer["limit_val_batches"] != 0,
    )


def read_kept(settings: Mapping[str, Any], num_tasks: int) -> Kept:
    """Return which checkpoints are kept, from the settings of a configuration."""
    best = settings["best_checkpoint"]
    return Kept(
        best=best.save_top_k,
        whole_best=not best.save_weights_only,
        per_task=num_tasks if settings["best_checkpoint_per_task"] else 0,
        averages=settings["averaging"] is not None,
    )


def _warmup_end(optimizer: OptimizerSettings, length: Length, probe_steps: int) -> int:
    return end_of_warmup(optimizer, length.steps, probe_steps) if optimizer.warmup else 0


def _time(
    data: MultitaskDataModule,
    module: MultitaskModule,
    trainer: Mapping[str, Any],
    draws: Draws,
    validations: int,
    *,
    steps: int,
) -> Expected:
    stopwatch = time_steps(data, module, trainer, steps=steps)
    train_tokens = {name: int(draws.tokens[draws.of(name)].sum()) for name in draws.tasks}
    dev = join_rows(data.streams, data.stores["dev"])
    dev_tokens = {name: sum(int(each.sum()) for each in rows.sequence_lengths) for name, rows in dev.items()}
    return expect(stopwatch, train_tokens, dev_tokens, validations)


def _find_notes(settings: Mapping[str, Any]) -> Iterator[str]:
    trainer = settings["trainer"]
    if trainer["max_time"]:
        yield f"trainer.max_time {trainer['max_time']} may end the training sooner"
    if any(isinstance(each, EarlyStopping) for each in _as_list(trainer["callbacks"])):
        yield "EarlyStopping may end the training sooner"
    if settings["plateau"].patience:
        yield "plateau.patience may give tasks other shares of the steps"
    if not isinstance(trainer["val_check_interval"], int | float | None):
        yield f"validations come by the clock, every {trainer['val_check_interval']}, and at the end"


def _note_generated(data: MultitaskDataModule) -> Iterator[str]:
    for name, store in data.stores["train"].items():
        found = describe_generated(store).get("generated")
        if found is not None:
            yield f"{found['rows']:,} of the {len(store):,} training rows of {name} are pairs made by rule"


def _as_list(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]
