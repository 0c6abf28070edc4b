"""Settles, once the device is known, how the backbone computes there."""

from typing import Any, Literal

import lightning.pytorch as L
import torch

from backbones import AttentionChoice, Backbone, CompileMode, WeightCasts
from datamodules.streams import Streams, by_encoding
from runtime.allocation import keep_freed_memory
from tasks import InputError

CompileChoice = Literal["none", "default", "reduce-overhead"]
# The type of products, by precision. Weights in half precision would round labels and small steps off.
DTYPES = {
    "bf16-mixed": torch.bfloat16,
    "16-mixed": torch.float16,
    "32-true": torch.float32,
    "64-true": torch.float64,
}


def accelerate(
    backbone: Backbone,
    trainer: L.Trainer,
    *,
    attention: AttentionChoice,
    weight_casts: WeightCasts = "each",
    compiling: CompileChoice = "none",
    passes_again: bool = False,
    repeats_masks: bool = False,
) -> None:
    """Choose the attention for the trainer's device and precision, keep freed memory, compile the encoder if asked to.

    Args:
        backbone: What is trained.
        trainer: Its trainer.
        attention: See `choose_attention`.
        weight_casts: See `Backbone`.
        compiling: See `Backbone.compile_training`.
        passes_again: Whether a training step may pass its batch through the backbone several times.
        repeats_masks: Whether a perturbed pass must have the dropout masks of the clean one.

    Raises:
        InputError: If the precision is none of ours, the backbone has an attention of its own, if compiling is asked
            for without static shapes, with weights cast together, where masks must repeat or of a backbone that is not
            computed by our own forward, or CUDA graphs with gradient accumulation or several passes, of tasks of two
            encodings too.
    """
    if trainer.precision not in DTYPES:
        raise InputError(f"trainer.precision is {trainer.precision} (expected {', '.join(DTYPES)})")
    if trainer.strategy.root_device.type == "cpu":
        keep_freed_memory()
    is_compiled = compiling != "none" and trainer.training and not backbone.frozen
    if is_compiled and (backbone.way != "own" or backbone.has_own_attention):
        raise InputError(f"model.compile is {compiling}, but {backbone.family} models are not compiled (expected none)")
    if backbone.has_own_attention and attention in ("masked", "varlen"):
        raise InputError(f"model.attention is {attention}, but {backbone.family} models have their own (expected auto)")
    backbone.choose_attention(
        attention, trainer.strategy.root_device, dtype=DTYPES[trainer.precision], needs_static_shapes=is_compiled
    )
    backbone.weight_casts = weight_casts
    if is_compiled:
        if weight_casts == "together":
            raise InputError(
                "model.weight_casts is together with model.compile (expected each: what is compiled reads the weights)"
            )
        if repeats_masks:
            raise InputError(
                f"model.compile is {compiling} with Smart, whose perturbed pass is never compiled and would have other "
                "dropout masks than the clean one (expected model.compile none)"
            )
        check_compiling(trainer, compiling, passes_again=passes_again)
        mode: CompileMode = "default" if compiling == "default" else "reduce-overhead"
        backbone.compile_training(mode)


def check_compiling(trainer: L.Trainer, compiling: CompileChoice, *, passes_again: bool) -> None:
    """Refuse what a compiled encoder does not fit."""
    data: Any = trainer.datamodule  # type: ignore[attr-defined]
    if getattr(data, "round_tokens", 0) == 0:
        raise InputError(
            f"model.compile is {compiling} without static shapes: every batch would be compiled anew "
            "(expected data.round_tokens, for example 128)"
        )
    if compiling == "reduce-overhead" and trainer.accumulate_grad_batches > 1:
        raise InputError(
            "model.compile is reduce-overhead with trainer.accumulate_grad_batches above 1: a graph writes each "
            "batch's gradients to the same place (expected model.compile default)"
        )
    if compiling == "reduce-overhead" and passes_again:
        raise InputError(
            "model.compile is reduce-overhead with a regulariser or SimCse, which passes a batch again: a graph writes "
            "each pass to the same place (expected model.compile default)"
        )
    streams: Streams = getattr(data, "streams", {})
    if compiling == "reduce-overhead" and any(len(by_encoding(names, data.tasks)) > 1 for names in streams.values()):
        raise InputError(
            "model.compile is reduce-overhead with tasks of two encodings that share their rows: a graph writes both "
            "passes to the same place (expected model.compile default or --data.share_rows false)"
        )
