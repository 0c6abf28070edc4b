"""The parts of a MultitaskModule, built from its settings, and what refuses settings that exclude each other."""

import logging
from collections.abc import Mapping
from typing import Any

from lightning.pytorch.utilities import rank_zero_only

from backbones import Adapter, Backbone, PoolingChoice, build_encoder, load_encoder
from backbones.families import Way, default_pooling
from backbones.sentence_transformers_files import trained_pooling
from heads import Head, TrunkSettings, check_trunk
from lightning_modules.acceleration import CompileChoice
from lightning_modules.score import Score
from tasks import InputError, Task
from tasks.names import check_names

log = logging.getLogger(__name__)

WAYS: Mapping[Way, str] = {
    "own": "a forward of our own",
    "interface": "its own forward with our attention",
    "length-groups": "its padded forward on groups of similar length",
}


def build_backbone(
    weights: str,
    tasks: Mapping[str, Task],
    *,
    pooling: PoolingChoice,
    frozen: bool,
    adapter: Adapter | None,
    fresh_layers: bool,
    dropout: float | None,
    config: dict[str, Any] | None,
) -> Backbone:
    """Build the backbone.

    Args:
        weights: Where its weights are, see `load_encoder`.
        tasks: The tasks by name.
        pooling: See `Backbone`; `auto` for the model's own pooler where its weights have one, else by its family.
        frozen: Whether it is frozen for the whole training.
        adapter: See `Backbone`.
        fresh_layers: See `load_encoder`.
        dropout: See `load_encoder`.
        config: Its shape, for weights that start at random; None to load them.

    Raises:
        InputError: If it is frozen in spite of an adapter, dropout or an objective that trains it, or lacks the
            segments of a joined pair.
        ValueError: If it cannot be loaded, or does not fit pooling or adapter.
    """
    if frozen and adapter is not None:
        raise InputError("model.adapter and model.freeze_backbone exclude each other (the adapter has its own options)")
    if dropout is not None and (frozen or not 0 <= dropout < 1):
        expected = "a frozen backbone has none" if frozen else "expected 0 to less than 1"
        raise InputError(f"model.backbone_dropout is {dropout:g} ({expected})")
    for name, task in tasks.items():
        if frozen and task.auxiliary:
            raise InputError(f"task {name}: auxiliary objectives train the backbone, but model.freeze_backbone is true")
    if config is not None:
        model = build_encoder(config, with_pooler=pooling in ("auto", "pooler"), dropout=dropout)
    else:
        model = load_encoder(weights, fresh_layers=fresh_layers, dropout=dropout)
    chosen = pooling
    if chosen == "auto":
        chosen = default_pooling(model.config, has_pooler=getattr(model, "pooler", None) is not None)
    for name, task in tasks.items():
        needs_segments = task.encoding == "cross" and model.config.model_type == "bert"
        if needs_segments and model.config.type_vocab_size < 2:
            raise InputError(
                f"task {name}: encoding {task.encoding} needs two segments, but the backbone has "
                f"type_vocab_size {model.config.type_vocab_size} (expected encoding: bi, or a backbone with 2)"
            )
    if chosen != "pooler" and getattr(model, "pooler", None) is not None:
        model.pooler = None  # type: ignore[assignment]  # it would get no gradient
    backbone = Backbone(model, pooling=chosen, frozen=frozen, adapter=adapter, tasks=list(tasks))
    rank_zero_only(log.info)(
        "backbone %s: %s, computed without padding by %s; pooling %s",
        weights,
        backbone.family,
        WAYS[backbone.way],
        _explain_pooling(chosen, trained_pooling(weights) if config is None else None) if pooling == "auto" else chosen,
    )
    return backbone


def _explain_pooling(chosen: str, trained: str | None) -> str:
    """Add to a pooling that nobody chose where it comes from, or how the weights were pooled in their training."""
    if trained is not None and trained != chosen:
        return (
            f"{chosen} (the weights were trained with {trained}: try --model.pooling {trained}, see docs/backbones.md)"
        )
    return chosen if chosen == "pooler" else f"{chosen} (its family's default)"


def check_probe(epochs: int, *, is_frozen: bool) -> None:
    """Check the length of a linear probe.

    Args:
        epochs: Its epochs.
        is_frozen: Whether the backbone is frozen for the whole training, so that there is nothing to train afterwards.

    Raises:
        InputError: If there are fewer than 0, or some although the backbone is frozen.
    """
    if epochs < 0 or (epochs and is_frozen):
        raise InputError(f"model.linear_probe_epochs is {epochs} (expected 0 or more, and 0 with freeze_backbone)")


def check_saving(backbone: Backbone, *, has_own_weights: bool) -> None:
    """Refuse to leave weights out of checkpoints that cannot be filled in, or where there are none to leave out.

    Args:
        backbone: The backbone.
        has_own_weights: Whether some of its weights come from elsewhere than its files.

    Raises:
        InputError: If so.
    """
    if has_own_weights:
        raise InputError("model.save_trainable_only needs weights that come from the backbone's files alone")
    if all(weight.requires_grad for weight in backbone.parameters()):
        raise InputError("model.save_trainable_only: all weights train (expected an adapter or freeze_backbone)")


def check_compile(choice: CompileChoice, backbone: Backbone, adapter: Adapter | None) -> None:
    """Refuse to compile a backbone that computes with other weights for each task.

    Raises:
        InputError: If it does.
    """
    if choice != "none" and backbone.task_layers is not None:
        raise InputError(f"model.compile is {choice}, but {type(adapter).__name__} has other weights for each task")


def build_heads(tasks: Mapping[str, Task], hidden_size: int, trunk: TrunkSettings | None) -> dict[str, Head]:
    """Build the head of each task.

    Args:
        tasks: The tasks by name.
        hidden_size: Size of the backbone's vectors.
        trunk: Layers between backbone and heads; None for none.

    Raises:
        InputError: If there is no task, or none that enters the mean, or a name or head is unfit.
    """
    if not tasks:
        raise InputError("tasks is empty (expected at least one task)")
    if not any(task.in_mean for task in tasks.values()):
        raise InputError("every task has in_mean: false (expected at least one whose first metric is the mean)")
    check_names(tasks)
    heads = {}
    for name, task in tasks.items():
        try:
            heads[name] = task.build_head(hidden_size + (0 if trunk is None else trunk.size))
            check_trunk(heads[name], None if trunk is None else trunk.size)
        except ValueError as error:
            raise InputError(f"task {name}: {error}") from None
        if task.head_only_from is not None and not list(heads[name].parameters()):
            raise InputError(f"task {name}: head_only_from is set, but its {type(heads[name]).__name__} has no weights")
    return heads


def build_score(weights: Mapping[str, float] | None, tasks: Mapping[str, Task]) -> Score | None:
    """Build the weighted sum of the tasks' metrics; None without weights.

    Raises:
        InputError: If a task is called `score`, or the weights do not fit the tasks.
    """
    if weights is None:
        return None
    if "score" in tasks:
        raise InputError("task name 'score' cannot be used beside model.score (both would log val/score)")
    return Score(weights, {name: (*task.metric_names, "loss") for name, task in tasks.items()})
