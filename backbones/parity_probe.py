"""Whether an encoder on packed tokens gives what it gives on padded ones: tried on a few sequences at load."""

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from backbones.families import Way, longest_sequence, reach_of_attention
from backbones.inputs import InputForm
from backbones.packing import pack
from backbones.ways import encode_packed, prepare

LENGTHS = (9, 2, 12, 5)
LARGEST_DIFFERENCE = 1e-4  # of a state, as a share of the largest one; rounding is about 1e-6


def check_parity(model: PreTrainedModel) -> None:
    """Compare the states of a few random sequences with those of the padded model.

    The random state and the modules' modes are left as they were.

    Args:
        model: The model, on a CPU in float32.

    Raises:
        ValueError: If the states differ, or depend on what stands before a token alone.
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
    padded = _run_padded(model, sequences)
    first = sequences[0]
    other = next(token for token in sequences[2] if token != first[-1])
    if torch.equal(_run_padded(model, [np.append(first[:-1], other), *sequences[1:]])[0, 0], padded[0, 0]):
        raise ValueError(f"{family} models read from left to right only (expected an encoder that reads both ways)")
    lengths = np.array([len(ids) for ids in sequences])
    flat = np.concatenate(sequences)
    tokens = pack(flat, np.zeros_like(flat), lengths, num_groups=2)
    found = encode_packed(model, way, InputForm.of(model), tokens)
    expected = torch.cat([states[:length] for states, length in zip(padded, lengths, strict=True)])
    difference = float((found - expected).abs().max() / expected.abs().max())
    if not difference <= LARGEST_DIFFERENCE:
        raise ValueError(
            f"{family} without padding ({way}) differs from the padded model by {difference:.1e} of its largest state "
            f"(expected {LARGEST_DIFFERENCE:.0e} at most; this version of transformers may compute it otherwise than "
            "the one that was tested)"
        )


def _draw(model: PreTrainedModel) -> list[np.ndarray]:
    """Return random sequences, the last one longer than what local attention sees where there is such."""
    reach, longest = reach_of_attention(model.config), longest_sequence(model.config)
    lengths = [*LENGTHS, *([] if reach is None else [reach + 8])]
    rng = np.random.default_rng(0)
    padding = model.config.pad_token_id
    usable = np.setdiff1d(np.arange(model.config.vocab_size), [] if padding is None else [padding])
    return [rng.choice(usable, size=min(length, longest or length)).astype(np.int64) for length in lengths]


def _run_padded(model: PreTrainedModel, sequences: list[np.ndarray]) -> Tensor:
    """Return the states of the padded model, (N, L, H)."""
    form = InputForm.of(model)
    rows = [torch.from_numpy(ids) for ids in sequences]
    input_ids = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=form.padding_id)
    mask = nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
    segments = form.segment_ids(torch.zeros_like(input_ids))
    hidden: Tensor = model(input_ids=input_ids, attention_mask=mask, **segments)[0]
    return hidden
