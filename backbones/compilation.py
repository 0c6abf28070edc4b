"""Compiling the encoder, with a way back where that fails."""

import importlib
import logging
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor

from backbones.packing import PackedTokens
from runtime.errors import reason_of

log = logging.getLogger(__name__)

MOST_SHAPES = 64  # beyond its limit of 8 the compiler leaves new shapes uncompiled

CompileMode = Literal["default", "reduce-overhead"]
Encoder = Callable[[PackedTokens], Tensor]


def compile_or_fall_back(encoder: Encoder, mode: CompileMode) -> Encoder:
    """Compile an encoder for static shapes; where the compiler fails, say so once and run it as it is from then on.

    Each shape is compiled at its first batch, in tens of seconds for a large model. The compiler's limit of shapes
    stays raised for the whole process.

    Args:
        encoder: What to compile.
        mode: `default`, or `reduce-overhead` for CUDA graphs.
    """
    dynamo: Any = importlib.import_module("torch._dynamo.config")
    dynamo.recompile_limit = max(dynamo.recompile_limit, MOST_SHAPES)
    compiled: Encoder = torch.compile(encoder, dynamic=False, mode=mode)
    failed = False

    def run(tokens: PackedTokens) -> Tensor:
        nonlocal failed
        if failed:
            return encoder(tokens)
        try:
            if mode == "reduce-overhead":
                # what the last step's graph gave is not needed any more
                torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
            return compiled(_without_count(tokens))
        except _compiler_errors() as error:
            failed = True
            log.warning("the encoder is not compiled: %s", reason_of(error))
            return encoder(tokens)

    return run


def _without_count(tokens: PackedTokens) -> PackedTokens:
    """Hide the number of real sequences, which changes without changing any shape, from the compiler."""
    return tokens._replace(num_sequences=-1)


def _compiler_errors() -> tuple[type[Exception], ...]:
    """Return what TorchDynamo and its backends raise; imported late, since that takes seconds."""
    from torch._dynamo.exc import TorchDynamoException

    return (TorchDynamoException,)
