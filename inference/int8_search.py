"""Which layers stay in fp32 where int8 would hurt."""

import math
from collections.abc import Callable, Mapping

from torch import Tensor, nn

from inference.int8_choice import Int8Choice, digest_layers, plain_encoder
from inference.int8_linear import Int8Linear, linear_layers
from inference.parity import DevSplit, Parity, answer_dev, compare
from inference.predictor import Predictor
from tasks import InputError
from transformers_internals import encoder_of

ROWS_FOR_ERRORS = 64  # of each task


def choose_layers(predictor: Predictor, splits: Mapping[str, DevSplit], *, max_loss: float) -> Int8Choice:
    """Choose the layers that stay in fp32: none, or the 1, 2, 4, 8, … whose outputs int8 changes most.

    The error of a layer is measured in one fp32 pass over some dev rows: the mean square of the difference that int8
    makes in its output, relative to that of the output. The first choice with which no task loses more than
    `max_loss` is taken.

    Args:
        predictor: The trained model in fp32; afterwards it computes as chosen.
        splits: The dev split of each task.
        max_loss: What the first metric of each task may lose.

    Raises:
        InputError: If the tasks lose more even with half of the layers in fp32.
    """
    encoder = plain_encoder(predictor.model.backbone)
    digest, references = digest_layers(encoder), answer_dev(predictor, splits)
    some = {name: DevSplit(split.texts[:ROWS_FOR_ERRORS], split.labels, split.size) for name, split in splits.items()}
    layers = {name: (parent, child, linear) for name, parent, child, linear in linear_layers(encoder)}
    errors = measure_errors(predictor, some)
    order = sorted(errors, key=lambda name: errors[name], reverse=True)
    number = 0
    while number <= len(order) // 2:
        kept = order[:number]
        for name, (parent, child, linear) in layers.items():
            setattr(parent, child, linear if name in kept else Int8Linear(linear))
        print(f"fp32: {', '.join(f'{name} (error {errors[name]:.3f})' for name in kept) or 'no layer'}")
        parities = compare_answers(predictor, splits, references)
        if all(parity.loss <= max_loss for parity in parities):
            return Int8Choice(digest, kept, max_loss, {parity.name: _as_plain(parity) for parity in parities})
        number = max(1, 2 * number)
    worst = max(parities, key=lambda parity: parity.loss)
    raise InputError(
        f"{worst.describe()} (expected a loss of {max_loss:g} at most, with half of the layers in fp32; see --max_loss)"
    )


def measure_errors(predictor: Predictor, splits: Mapping[str, DevSplit]) -> dict[str, float]:
    """Return how much int8 changes the output of each linear layer of the encoder, as a share of the output."""
    squares: dict[str, list[float]] = {}
    hooks = []
    for name, _, _, linear in linear_layers(encoder_of(predictor.model.backbone.bert)):
        squares[name] = [0.0, 0.0]
        hooks.append(linear.register_forward_hook(_error_hook(Int8Linear(linear), squares[name])))
    try:
        answer_dev(predictor, splits)
    finally:
        for hook in hooks:
            hook.remove()
    return {name: (error / max(size, 1e-30)) ** 0.5 for name, (error, size) in squares.items()}


def _error_hook(int8: Int8Linear, squares: list[float]) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    def add(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        squares[0] += float((int8(inputs[0]) - output).square().sum())
        squares[1] += float(output.square().sum())

    return add


def compare_answers(
    predictor: Predictor, splits: Mapping[str, DevSplit], references: Mapping[str, Tensor]
) -> list[Parity]:
    """Compare the answers of now with those of the checkpoint, and print a line for each."""
    found = answer_dev(predictor, splits)
    parities = []
    for name, answers in found.items():
        parities.append(compare(name, predictor.tasks[name], splits[name], references[name], answers))
        print(parities[-1].describe().replace("(exported)", "(int8)"))
    return parities


def _as_plain(parity: Parity) -> dict[str, str | float | int | None]:
    """Return what was measured; None for an undefined score, which JSON has no number for."""
    assert parity.metric is not None
    scores = {"checkpoint": parity.checkpoint, "int8": parity.exported}
    known = {key: None if value is None or math.isnan(value) else value for key, value in scores.items()}
    return {"metric": parity.metric, **known, "rows": parity.rows}
