"""The reference everywhere is the Hugging Face model on padded input. One long file: all tests share that reference."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from backbones import Backbone, Pals, Pooling, build_encoder
from backbones.attention_groups import group_by_length, plan_queries
from tests.backbones.families import FAMILIES, tiny_model
from tests.backbones.tiny import (
    BATCHES,
    MAX_LENGTH,
    POOLINGS,
    Sequences,
    assert_same,
    draw,
    loss_and_gradients,
    padded_hidden,
    padded_pooled,
    tiny_bert,
)


@pytest.mark.parametrize("num_groups", [1, 2, 4, 8])
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("lengths", BATCHES.values(), ids=BATCHES.keys())
def test_pooled_loss_and_gradients_equal_the_padded_model(
    lengths: list[int], pooling: Pooling, num_groups: int
) -> None:
    bert, sequences = tiny_bert(), draw(lengths)

    expected = padded_pooled(bert, sequences, pooling)
    expected_loss, expected_gradients = loss_and_gradients(bert, expected)
    pooled = Backbone(bert, pooling=pooling)(sequences.pack(num_groups))
    loss, gradients = loss_and_gradients(bert, pooled)

    assert_same(pooled, expected)
    assert_same(loss, expected_loss)
    assert len(gradients) == 39
    assert sum(gradient is not None for gradient in gradients.values()) == (39 if pooling == "pooler" else 37)
    assert_same(gradients, expected_gradients)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooled_and_gradients_equal_the_padded_model_to_float64_precision(pooling: Pooling) -> None:
    bert, sequences = tiny_bert(num_layers=4).double(), draw(BATCHES["mixed, some at the longest length"])

    expected = padded_pooled(bert, sequences, pooling)
    _, expected_gradients = loss_and_gradients(bert, expected)
    pooled = Backbone(bert, pooling=pooling)(sequences.pack())
    _, gradients = loss_and_gradients(bert, pooled)

    assert_same(pooled, expected, 1e-12)
    assert_same(gradients, expected_gradients, 1e-12)


@pytest.mark.parametrize("lengths", BATCHES.values(), ids=BATCHES.keys())
def test_hidden_states_equal_the_padded_model(lengths: list[int]) -> None:
    bert, sequences = tiny_bert(num_layers=3), draw(lengths)

    assert_same(Backbone(bert).encode(sequences.pack()), padded_hidden(bert, sequences))


def test_a_model_of_one_layer_equals_the_padded_model() -> None:
    bert, sequences = tiny_bert(num_layers=1), draw([4, 9, 2])

    assert_same(Backbone(bert)(sequences.pack()), padded_pooled(bert, sequences, "pooler"))


def test_both_sides_of_pairs_as_2b_sequences_equal_two_padded_forwards() -> None:
    bert, left, right = tiny_bert(), draw([4, 11, 3], seed=1), draw([9, 2, 7], seed=2)
    both = Sequences(
        [ids for pair in zip(left.ids, right.ids, strict=True) for ids in pair],
        [types for pair in zip(left.types, right.types, strict=True) for types in pair],
    )

    pooled = Backbone(bert)(both.pack()).view(3, 2, 16)

    assert_same(pooled[:, 0], padded_pooled(bert, left, "pooler"))
    assert_same(pooled[:, 1], padded_pooled(bert, right, "pooler"))


@pytest.mark.parametrize("num_groups", [1, 4])
@pytest.mark.parametrize("changed", [0, 3, 8])
def test_changing_one_sequence_leaves_the_others_bit_equal(changed: int, num_groups: int) -> None:
    lengths = BATCHES["mixed, some at the longest length"]
    backbone, before, after = Backbone(tiny_bert()), draw(lengths), draw(lengths)
    after.ids[changed] = 1 + (before.ids[changed] + 40) % 98

    tokens = before.pack(num_groups)
    hidden, hidden_after = backbone.encode(tokens), backbone.encode(after.pack(num_groups))

    own = tokens.sequence_ids == changed
    assert torch.equal(hidden[~own], hidden_after[~own])
    assert (hidden[own] - hidden_after[own]).abs().max() > 0.1


def test_a_longer_neighbour_and_another_order_change_nothing() -> None:
    backbone, short = Backbone(tiny_bert()), draw([6, 3, 9, 4])
    expected = backbone(short.pack())
    neighbour = draw([MAX_LENGTH], seed=5)

    order = [2, 0, 3, 1]
    joined = Sequences(
        [short.ids[i] for i in order] + neighbour.ids, [short.types[i] for i in order] + neighbour.types
    ).pack(num_groups=2)

    assert_same(backbone(joined)[:4], expected[order], 1e-6)


@settings(max_examples=40, deadline=None)
@given(
    data=st.data(), num_groups=st.integers(1, 5), lengths=st.lists(st.integers(1, MAX_LENGTH), min_size=1, max_size=7)
)
def test_wanted_rows_equal_the_rows_of_the_full_last_layer(
    data: st.DataObject, lengths: list[int], num_groups: int
) -> None:
    backbone, tokens = Backbone(tiny_bert()), draw(lengths).pack(num_groups)
    rows = np.array(sorted(data.draw(st.sets(st.integers(0, sum(lengths) - 1)))), dtype=np.int64)
    counts = np.bincount(tokens.sequence_ids.numpy()[rows], minlength=len(lengths))
    wanted = plan_queries(rows, counts, group_by_length(np.array(lengths), num_groups))

    with torch.no_grad():
        assert_same(backbone.encode(tokens, wanted), backbone.encode(tokens)[rows], 2e-6)


@pytest.mark.parametrize("counts", [[2, 0, 3, 0], [0, 0, 0, 5], [5, 0, 0, 0]])
def test_gradients_of_wanted_rows_equal_the_padded_model(counts: list[int]) -> None:
    bert, lengths = tiny_bert(), [6, 4, 9, 5]
    sequences, starts = draw(lengths), np.cumsum([0, *lengths[:-1]])
    rows = np.concatenate([start + np.arange(count) for start, count in zip(starts, counts, strict=True)])
    wanted = plan_queries(rows, np.array(counts), group_by_length(np.array(lengths), 2))

    _, expected = loss_and_gradients(bert, padded_hidden(bert, sequences)[rows])
    _, found = loss_and_gradients(bert, Backbone(bert).encode(sequences.pack(2), wanted))

    assert_same(found, expected)


def test_a_batch_without_wanted_rows_gives_no_states_but_a_gradient_for_every_parameter() -> None:
    bert, lengths = tiny_bert(attention_dropout=0.1), [6, 4, 9]
    wanted = plan_queries(
        np.zeros(0, dtype=np.int64), np.zeros(3, dtype=np.int64), group_by_length(np.array(lengths), 2)
    )

    hidden = Backbone(bert).encode(draw(lengths).pack(2), wanted)
    hidden.sum().backward()

    assert hidden.shape == (0, 16)
    used = {name: weight for name, weight in bert.named_parameters() if not name.startswith("pooler.")}
    assert len(used) == 37
    assert all(weight.grad is not None and not weight.grad.any() for weight in used.values())


def test_first_tokens_are_the_rows_of_the_full_last_layer() -> None:
    backbone, tokens = Backbone(tiny_bert()), draw([5, 30, 2, 2, 13]).pack()

    assert_same(backbone.encode(tokens, tokens.firsts), backbone.encode(tokens)[tokens.cu_seqlens[:-1]], 2e-6)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize(
    "rates", [{"hidden_dropout": 0.3}, {"attention_dropout": 0.3}], ids=lambda rates: next(iter(rates))
)
def test_dropout_follows_the_law_of_the_padded_model(rates: dict[str, float], pooling: Pooling) -> None:
    bert, draws = tiny_bert(**rates), 2000
    once = draw([3, 9])
    sequences = Sequences(once.ids * draws, once.types * draws)
    backbone = Backbone(bert, pooling=pooling)

    torch.manual_seed(0)
    with torch.no_grad():
        found = backbone(sequences.pack(num_groups=1)).view(draws, 2, 16)
        expected = padded_pooled(bert, sequences, pooling).view(draws, 2, 16)
        undropped = backbone.eval()(once.pack())

    assert (found.std(0) > 0.01).all()  # no dropout would give 0
    ratio = found.std(0) / expected.std(0)
    assert ((ratio > 0.85) & (ratio < 1.15)).all()
    error = (expected.var(0) + found.var(0)).div(draws).sqrt()
    assert ((found.mean(0) - expected.mean(0)).abs() < 5 * error).all()
    assert_same(undropped, padded_pooled(bert, once, pooling))


@pytest.mark.parametrize(
    "rates", [{"hidden_dropout": 0.1}, {"attention_dropout": 0.1}], ids=lambda rates: next(iter(rates))
)
def test_dropout_is_on_in_training_and_off_in_evaluation(rates: dict[str, float]) -> None:
    backbone, tokens = Backbone(tiny_bert(**rates)), draw([3, 9, 6]).pack()

    assert not torch.equal(backbone(tokens), backbone(tokens))
    backbone.eval()
    assert torch.equal(backbone(tokens), backbone(tokens))
    backbone.train()
    assert not torch.equal(backbone(tokens), backbone(tokens))


def test_attention_dropout_is_also_on_in_the_last_layer() -> None:
    backbone, tokens = Backbone(tiny_bert(attention_dropout=0.5, num_layers=1)), draw([8, 9]).pack()

    assert not torch.equal(backbone(tokens), backbone(tokens))


def test_a_frozen_backbone_has_no_dropout_no_gradient_and_no_graph() -> None:
    bert = tiny_bert(hidden_dropout=0.5)
    backbone, tokens = Backbone(bert, frozen=True), draw([3, 9, 6]).pack()
    nn.ModuleList([backbone]).train()

    pooled = backbone(tokens)

    assert not any(module.training for module in backbone.modules())
    assert not any(parameter.requires_grad for parameter in backbone.parameters())
    assert not pooled.requires_grad
    assert torch.equal(pooled, backbone(tokens))


def test_a_backbone_trains_also_if_the_model_comes_in_evaluation_mode_and_frozen() -> None:
    bert = tiny_bert().eval().requires_grad_(False)
    backbone = Backbone(bert)

    assert all(module.training for module in backbone.modules())
    assert all(parameter.requires_grad for parameter in backbone.parameters())


def test_thirty_steps_of_adamw_stay_with_the_padded_model() -> None:
    batches = [draw(lengths) for lengths in BATCHES.values()]
    losses: dict[str, list[float]] = {}
    for kind in ("packed", "padded"):
        bert, head = tiny_bert(), nn.Linear(16, 3)
        nn.init.eye_(head.weight)
        nn.init.zeros_(head.bias)
        optimizer = torch.optim.AdamW([*bert.parameters(), *head.parameters()], lr=3e-3)
        backbone = Backbone(bert)
        losses[kind] = []
        for step in range(30):
            sequences = batches[step % len(batches)]
            pooled = backbone(sequences.pack()) if kind == "packed" else padded_pooled(bert, sequences, "pooler")
            labels = torch.tensor([int(ids[0]) % 3 for ids in sequences.ids])
            loss = nn.functional.cross_entropy(head(pooled), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[kind].append(loss.item())

    assert losses["packed"] == pytest.approx(losses["padded"], rel=0, abs=1e-5)
    assert sum(losses["packed"][-5:]) < 0.5 * sum(losses["packed"][:5])


@pytest.mark.parametrize("pooling", POOLINGS)
def test_bfloat16_autocast_stays_near_float32_and_gives_every_gradient(pooling: Pooling) -> None:
    bert, sequences = tiny_bert(), draw(BATCHES["mixed, some at the longest length"])
    backbone = Backbone(bert, pooling=pooling)
    expected = backbone(sequences.pack())

    with torch.autocast("cpu", dtype=torch.bfloat16):
        pooled = backbone(sequences.pack())
    _, gradients = loss_and_gradients(bert, pooled.float())

    assert_same(pooled.float(), expected, 0.1)
    assert sum(gradient is not None for gradient in gradients.values()) == (39 if pooling == "pooler" else 37)
    assert all(gradient.isfinite().all() for gradient in gradients.values() if gradient is not None)


def test_the_pooled_size_is_the_hidden_size_of_the_model() -> None:
    backbone = Backbone(tiny_bert())

    assert backbone.hidden_size == 16
    assert backbone(draw([3, 4]).pack()).shape == (2, 16)


def test_a_model_without_pooler_is_refused_for_pooling_pooler_only() -> None:
    bert = build_encoder(tiny_bert().config.to_dict(), with_pooler=False)

    with pytest.raises(
        ValueError, match=r"the backbone has no pooler \(choose pooling cls or mean, or fresh_layers: true\)"
    ):
        Backbone(bert, pooling="pooler")
    assert Backbone(bert, pooling="mean")(draw([3, 4]).pack()).shape == (2, 16)


def test_a_depth_counts_the_layers_from_the_embeddings():
    backbone = Backbone(tiny_bert())
    depths = {name: backbone.depth_of(name) for name, _ in backbone.named_parameters()}
    num_layers = len(backbone.bert.encoder.layer)
    assert set(depths.values()) == {0, *range(1, num_layers + 1), None}
    assert {name for name, depth in depths.items() if depth is None} == {
        "bert.pooler.dense.weight",
        "bert.pooler.dense.bias",
    }
    for number, layer in enumerate(backbone.bert.encoder.layer):
        found = {name for name, depth in depths.items() if depth == number + 1}
        assert found == {f"bert.encoder.layer.{number}.{name}" for name, _ in layer.named_parameters()}


@pytest.mark.parametrize("family", FAMILIES)
def test_only_what_stands_above_the_layers_has_no_depth(family: str) -> None:
    backbone = Backbone(tiny_model(family), pooling="cls")
    depths = {name.removeprefix("bert."): backbone.depth_of(name) for name, _ in backbone.named_parameters()}
    above = {name for name, depth in depths.items() if depth is None}
    norms = {"modernbert": "final_norm.", "eurobert": "norm.", "xlm-roberta-xl": "encoder.LayerNorm."}
    norms["deberta-v2"] = norms["xlm-roberta-xl"]  # that of the distances has the name of one behind the layers
    assert not [name for name in above if not name.startswith(("pooler.", norms.get(family, "pooler.")))]
    num_layers = 1 if family == "albert" else FAMILIES[family][1]  # whose layers are one
    assert set(depths.values()) - {None} == set(range(num_layers + 1))
    assert depths[next(name for name in depths if "word_embeddings" in name or "tok" in name)] == 0


def test_shared_parameters_are_those_that_train_but_for_a_tasks_own():
    assert Backbone(tiny_bert(), frozen=True).shared_parameters() == {}
    own = Pals(size=8, num_heads=2)
    backbone = Backbone(tiny_bert(), adapter=own, tasks=["sst", "sts"])
    assert set(backbone.shared_parameters()) == {f"bert.{name}" for name, _ in backbone.bert.named_parameters()}
    backbone.bert.embeddings.requires_grad_(False)
    assert not any("embeddings" in name for name in backbone.shared_parameters())
