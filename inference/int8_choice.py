"""Which layers of a checkpoint compute in int8: all of its encoder's, or what `python -m inference.int8` chose."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import nn

from backbones import Backbone
from backbones.digest import digest_tensors
from backbones.lora import merge_lora
from inference.int8_linear import check_int8, linear_layers, use_int8
from runtime.whole_files import replacing
from tasks import InputError
from transformers_internals import encoder_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Int8Choice:
    """What a file beside a checkpoint says.

    Args:
        weights_sha256: Digest of the layers that it was chosen for.
        fp32: Names of the layers that stay in fp32.
        max_loss: What each task's first metric may lose on the dev split.
        dev: By answer, what was measured: metric, checkpoint, int8, rows; None for an undefined score.
    """

    weights_sha256: str
    fp32: Sequence[str]
    max_loss: float
    dev: Mapping[str, Mapping[str, str | float | int | None]] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write the file."""
        with replacing(path) as file:
            file.write(f"{json.dumps(asdict(self), indent=2)}\n".encode())


def choice_file(checkpoint: Path) -> Path:
    """Return where the choice for a checkpoint is kept: `best-….int8.json` beside `best-….ckpt`."""
    return checkpoint.with_name(f"{checkpoint.stem}.int8.json")


def quantize(backbone: Backbone, checkpoint: Path, device: torch.device) -> None:
    """Make the encoder of a trained backbone compute in int8, but for the layers that were chosen to stay in fp32.

    Embeddings, the pooler, adapters' own layers and the heads stay in fp32: they are hardly any of the work.

    Args:
        backbone: With the checkpoint's weights; changed in place, for prediction alone.
        checkpoint: The checkpoint.
        device: Where it computes.

    Raises:
        InputError: If int8 cannot be had here, or the choice was made for other weights or cannot be read.
    """
    check_int8(device)
    encoder = plain_encoder(backbone)
    path = choice_file(checkpoint)
    if not path.is_file():
        count = use_int8(encoder)
        log.warning("int8: %s layers, not checked on a dev split (python -m inference.int8 does it)", count)
        return
    choice = read_choice(path)
    if choice.weights_sha256 != digest_layers(encoder):
        raise InputError(f"{path}: was chosen for other weights than those of {checkpoint.name} (expected its own)")
    count = use_int8(encoder, but=choice.fp32)
    log.info("int8: %s layers, %s in fp32 as %s says", count, len(choice.fp32), path.name)


def plain_encoder(backbone: Backbone) -> nn.Module:
    """Return a backbone's encoder, with LoRA's updates added to its matrices."""
    if backbone.meaning()["adapter"] is not None:
        merge_lora(backbone.bert)
    return encoder_of(backbone.bert)


def digest_layers(encoder: nn.Module) -> str:
    """Return the SHA-256 of an encoder's linear layers."""
    return digest_tensors({name: linear.weight for name, _, _, linear in linear_layers(encoder)})


def read_choice(path: Path) -> Int8Choice:
    """Read a choice.

    Raises:
        InputError: If the file is none.
    """
    try:
        choice = Int8Choice(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: cannot be read ({error}; expected what python -m inference.int8 writes)") from None
    return choice
