"""Any encoder, through its own padded forward: once for each group of sequences of similar length."""

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from backbones.attention_groups import AttentionGroup, QueryRows, group_by_cost, plan_keys
from backbones.inputs import InputForm, adding_to_embeddings
from backbones.packing import PackedTokens

PASS_TOKENS = 64  # what a pass costs on a CPU beside its tokens, in tokens; between 16 and 128 the time changes by 6 %


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
    on a GPU, where each pass costs its launches, the few of the packed tokens. Words are looked up once for all groups:
    the gradient of a lookup is as large as the vocabulary. Padding has zeros in their place, which is what MobileBERT,
    whose embeddings read their neighbours, has behind the last token of a text.

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
    with adding_to_embeddings(model, perturbation):  # here where the embeddings are this table alone
        looked_up = model.get_input_embeddings()(tokens.input_ids)
    embedded = torch.cat([looked_up, looked_up.new_zeros(1, looked_up.shape[1])])  # (T + 1, E)
    states = torch.cat([_run_group(model, form, tokens, group, embedded, perturbation) for group in groups])
    return states.index_select(0, slots if wanted is None else slots.index_select(0, wanted.rows))


def _run_group(
    model: PreTrainedModel,
    form: InputForm,
    tokens: PackedTokens,
    group: AttentionGroup,
    embedded: Tensor,
    perturbation: Tensor | None,
) -> Tensor:
    """Return the states of a group's padded sequences, (n * L, H)."""
    rows = group.keys  # (n, L)
    segments, mask = tokens.token_type_ids[rows], torch.ones_like(rows)
    moved = None if perturbation is None else perturbation[rows]  # what moves padding is masked away
    if group.mask is not None:
        real = group.mask[:, 0, 0]
        segments, mask = segments.masked_fill(~real, 0), real.long()
        rows = rows.masked_fill(~real, embedded.shape[0] - 1)
    with adding_to_embeddings(model, moved):
        found = model(
            inputs_embeds=embedded.index_select(0, rows.flatten()).view(*rows.shape, -1),
            attention_mask=mask,
            **form.segment_ids(segments),
        )
    hidden: Tensor = found[0]
    return hidden.flatten(0, 1)
