"""Any encoder, through its own padded forward: once for each group of sequences of similar length."""

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from backbones.inputs import InputForm, adding_to_embeddings
from backbones.packing import AttentionGroup, PackedTokens, QueryRows, group_by_cost, plan_keys
from backbones.relative_positions import sharing_relative_positions

PASS_TOKENS = 16  # what a pass costs on a CPU beside its tokens, in tokens


def encode(
    model: PreTrainedModel,
    form: InputForm,
    tokens: PackedTokens,
    wanted: QueryRows | None,
    *,
    perturbation: Tensor | None,
) -> Tensor:
    """Return last hidden states, (T, H), or (R, H) of the wanted tokens.

    For architectures whose attention takes no function of ours, or which read across the border of two sequences.
    Lengths inside a group are similar, so that little of the work is padding: on a CPU the groups with the least of it,
    on a GPU, where each pass costs its launches, the few of the packed tokens.

    Args:
        model: The model.
        form: What it wants to know of each token.
        tokens: The packed sequences, with groups.
        wanted: The tokens whose states are returned; None for all.
        perturbation: Added to the embedding output, (T, E); None for nothing.
    """
    groups, slots = tokens.groups, tokens.slots
    if tokens.input_ids.device.type == "cpu":
        starts = tokens.cu_seqlens.numpy()
        groups, slots = plan_keys(starts, group_by_cost(np.diff(starts), cost_of_group=PASS_TOKENS))
    with sharing_relative_positions(model):
        states = torch.cat([_run_group(model, form, tokens, group, perturbation) for group in groups])
    return states.index_select(0, slots if wanted is None else slots.index_select(0, wanted.rows))


def _run_group(
    model: PreTrainedModel, form: InputForm, tokens: PackedTokens, group: AttentionGroup, perturbation: Tensor | None
) -> Tensor:
    """Return the states of a group's padded sequences, (n * L, H)."""
    keys = group.keys  # (n, L)
    input_ids, segments = tokens.input_ids[keys], tokens.token_type_ids[keys]
    mask = None
    if group.mask is not None:
        mask = group.mask[:, 0, 0]
        input_ids, segments = input_ids.masked_fill(~mask, form.padding_id), segments.masked_fill(~mask, 0)
    moved = None if perturbation is None else perturbation[keys]  # what moves padding is masked away
    with adding_to_embeddings(model, moved):
        found = model(
            input_ids=input_ids,
            attention_mask=torch.ones_like(input_ids) if mask is None else mask.long(),
            **form.segment_ids(segments),
        )
    hidden: Tensor = found[0]
    return hidden.flatten(0, 1)
