"""Whether an encoder on packed tokens gives what it gives on each text alone: tried on a few sequences at load."""

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from backbones.families import Way, longest_sequence, reach_of_attention
from backbones.inputs import InputForm
from backbones.packing import pack
from backbones.ways import encode_packed, prepare
from runtime.errors import reason_of

LENGTHS = (9, 2, 12, 5)
LARGEST_DIFFERENCE = 1e-4  # of a state, as a share of the largest one; rounding is about 1e-6


def check_parity(model: PreTrainedModel) -> None:
    """Compare the states of a few random sequences with those of each sequence by itself.

    The padded model is no reference: in some families (ConvBERT, FNet) states depend on the padding behind a text, and
    so on the texts beside it. The random state and the modules' modes are left as they were.

    Args:
        model: The model, on a CPU in float32.

    Raises:
        ValueError: If the model does not run on token ids, its states differ or are not finite, or they depend on what
            stands before a token alone.
    """
    way = prepare(model)
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        with torch.no_grad(), torch.autocast("cpu", enabled=False):
            _compare(model, way)
    finally:
        for module in training:
            module.training = True


def _compare(model: PreTrainedModel, way: Way) -> None:
    family, sequences = model.config.model_type, _draw(model)
    first = sequences[0]
    other = next(token for token in sequences[2] if token != first[-1])
    try:
        alone = [_run_alone(model, ids) for ids in sequences]
        changed = _run_alone(model, np.append(first[:-1], other))
        found = _run_packed(model, way, sequences)
    except Exception as error:  # whatever a model raises that wants more than token ids
        raise ValueError(f"{family} models do not run on token ids alone ({reason_of(error)})") from error
    expected = torch.cat(alone)
    if not expected.isfinite().all():
        raise ValueError("its states are not finite (expected weights without NaN and infinity)")
    if torch.equal(changed[0], alone[0][0]):
        raise ValueError(f"{family} models read from left to right only (expected an encoder that reads both ways)")
    difference = float((found - expected).abs().max() / expected.abs().max())
    if not difference <= LARGEST_DIFFERENCE:
        raise ValueError(
            f"{family} without padding ({way}) differs from each text alone by {difference:.1e} of its largest state "
            f"(expected {LARGEST_DIFFERENCE:.0e} at most: the model reads padding, or this version of transformers "
            "computes it otherwise than the one that was tested)"
        )


def _draw(model: PreTrainedModel) -> list[np.ndarray]:
    """Return random sequences, the last one longer than what local attention sees where there is such."""
    reach, longest = reach_of_attention(model.config), longest_sequence(model.config)
    lengths = [*LENGTHS, *([] if reach is None else [reach + 8])]
    rng = np.random.default_rng(0)
    padding = model.config.pad_token_id
    usable = np.setdiff1d(np.arange(model.config.vocab_size), [] if padding is None else [padding])
    return [rng.choice(usable, size=min(length, longest or length)).astype(np.int64) for length in lengths]


def _run_alone(model: PreTrainedModel, ids: np.ndarray) -> Tensor:
    """Return the states of one sequence, (L, H)."""
    input_ids = torch.from_numpy(ids)[None]
    segments = InputForm.of(model).segment_ids(torch.zeros_like(input_ids))
    hidden: Tensor = model(input_ids=input_ids, attention_mask=torch.ones_like(input_ids), **segments)[0]
    return hidden[0]


def _run_packed(model: PreTrainedModel, way: Way, sequences: list[np.ndarray]) -> Tensor:
    """Return the states of all sequences, computed together, (T, H)."""
    flat = np.concatenate(sequences)
    tokens = pack(flat, np.zeros_like(flat), np.array([len(ids) for ids in sequences]), num_groups=2)
    return encode_packed(model, way, InputForm.of(model), tokens)
