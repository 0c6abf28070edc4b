"""Every family against its own padded Hugging Face model: one table, tests/backbones/families.py."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from backbones import Backbone, PackedTokens, build_encoder, pack
from backbones.attention_groups import group_by_length, plan_queries
from backbones.attention_interface import use_packed_attention
from backbones.families import Pooling, pooler_reads
from backbones.parity_probe import _compare, check_parity
from tests.backbones.families import FAMILIES, LONGEST, QUICK, VOCABULARY, every_family, tiny_model

LENGTHS = [12, LONGEST, 3, 19, LONGEST, 8, 27, 5, 1]  # short ones, and some beyond the reach of local attention
POOLINGS: list[Pooling] = ["pooler", "cls", "mean"]


def draw(lengths: list[int], *, segments: bool) -> tuple[list[np.ndarray], list[np.ndarray]]:
    rng = np.random.default_rng(3)
    ids = [rng.integers(4, VOCABULARY, size=length) for length in lengths]
    types = [(np.arange(length) >= rng.integers(1, length + 1)) * int(segments) for length in lengths]
    return ids, types


def pack_all(ids: list[np.ndarray], types: list[np.ndarray], *, num_groups: int = 4) -> PackedTokens:
    lengths = np.array([len(row) for row in ids])
    return pack(np.concatenate(ids), np.concatenate(types).astype(np.int64), lengths, num_groups=num_groups)


def padded_states(model: PreTrainedModel, ids: list[np.ndarray], types: list[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Return the padded model's states (N, L, H) and the mask (N, L), as transformers' own tokenizers would ask."""
    padding = int(model.config.pad_token_id or 0)
    rows = [torch.from_numpy(row) for row in ids]
    input_ids = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=padding)
    mask = nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
    arguments = {"input_ids": input_ids, "attention_mask": mask}
    if getattr(model.config, "type_vocab_size", 0) > 1:
        segments = [torch.from_numpy(row.astype(np.int64)) for row in types]
        arguments["token_type_ids"] = nn.utils.rnn.pad_sequence(segments, batch_first=True)
    return model(**arguments)[0], mask


def padded_pooled(model: PreTrainedModel, states: Tensor, mask: Tensor, pooling: Pooling) -> Tensor:
    reads = pooler_reads(model.config) if pooling == "pooler" else pooling
    mean = (states * mask[:, :, None]).sum(1) / mask.sum(1)[:, None]
    vectors = mean if reads == "mean" else states[:, 0]
    if pooling != "pooler":
        return vectors
    if model.config.model_type == "albert":
        return torch.tanh(model.pooler(vectors))
    return model.pooler(vectors) if model.config.model_type == "modernbert" else model.pooler(vectors[:, None])


def gradients(model: PreTrainedModel, pooled: Tensor) -> dict[str, Tensor | None]:
    model.zero_grad()
    target = torch.linspace(-1, 1, pooled.numel()).view_as(pooled)
    nn.functional.mse_loss(pooled.float(), target).backward()
    return {name: parameter.grad for name, parameter in model.named_parameters()}


def fitting_poolings(family: str) -> list[Pooling]:
    has_pooler = getattr(tiny_model(family), "pooler", None) is not None
    return POOLINGS if has_pooler else POOLINGS[1:]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_way_is_the_one_that_the_architecture_allows(family: str) -> None:
    model = tiny_model(family)

    assert Backbone(model, pooling="mean").way == FAMILIES[family][0]
    check_parity(model)
    assert all(module.training for module in model.modules())


@pytest.mark.parametrize("segments", [False, True], ids=["single", "cross"])
@pytest.mark.parametrize("family", every_family(*QUICK))
def test_pooled_vectors_and_gradients_equal_the_padded_model(family: str, segments: bool) -> None:
    for pooling in fitting_poolings(family):
        model = tiny_model(family)
        ids, types = draw(LENGTHS, segments=segments)
        backbone = Backbone(model, pooling=pooling)

        expected = padded_pooled(model, *padded_states(model, ids, types), pooling)
        expected_gradients = gradients(model, expected)
        pooled = backbone(pack_all(ids, types))
        found = gradients(model, pooled)

        scale = float(expected.detach().abs().max())
        torch.testing.assert_close(pooled, expected, rtol=0, atol=1e-5 * scale)
        largest = max(float(gradient.abs().max()) for gradient in expected_gradients.values() if gradient is not None)
        for name, gradient in expected_gradients.items():
            other = found[name]
            if gradient is None or other is None:
                assert other is None or not other.any(), name
                assert gradient is None or not gradient.any(), name
            else:
                torch.testing.assert_close(other, gradient, rtol=0, atol=2e-5 * largest, msg=name)


@pytest.mark.parametrize("family", every_family(*QUICK))
def test_under_bfloat16_the_difference_to_the_padded_model_is_its_rounding(family: str) -> None:
    model = tiny_model(family)
    ids, types = draw(LENGTHS, segments=True)
    backbone, tokens = Backbone(model, pooling="mean"), pack_all(ids, types)
    if family == "deberta":
        with (
            torch.autocast("cpu", dtype=torch.bfloat16),
            pytest.raises(RuntimeError, match="to type c10::BFloat16 without overflow"),
        ):
            padded_states(model, ids, types)  # transformers 5.23 cannot do it either
        return

    exact = backbone(tokens).detach()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        expected = padded_pooled(model, *padded_states(model, ids, types), "mean").float()
        pooled = backbone(tokens).float()
        found = gradients(model, pooled)

    rounding = float((expected.detach() - exact).abs().max())
    assert float((pooled - expected).detach().abs().max()) < 3 * rounding
    assert all(gradient.isfinite().all() for gradient in found.values() if gradient is not None)


def test_a_model_that_reads_its_neighbours_is_found_out_by_the_probe() -> None:
    model = tiny_model("mobilebert")
    use_packed_attention(model)
    with pytest.raises(ValueError, match=r"^mobilebert without padding \(interface\) differs from each text alone by"):
        _compare(model.eval(), "interface")


@pytest.mark.parametrize("family", ["mpnet", "roformer", "deberta-v2"])
def test_an_attention_that_is_written_out_is_found_out_by_the_probe(family: str) -> None:
    with pytest.raises(ValueError, match=rf"^{family} without padding \(interface\) differs"):
        _compare(tiny_model(family).eval(), "interface")


def test_a_model_that_looks_back_only_is_refused() -> None:
    shape = {"model_type": "gpt2", "vocab_size": VOCABULARY, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64}
    with pytest.raises(ValueError, match=r"^gpt2 models read from left to right only"):
        check_parity(build_encoder(shape))


@pytest.mark.parametrize("kind", [["p2c"], ["c2p"], []], ids=str)
@pytest.mark.parametrize(
    "own", [{}, {"position_buckets": -1}, {"position_buckets": 64}, {"share_att_key": False}], ids=str
)
def test_every_form_of_disentangled_attention_is_that_of_the_padded_model(kind: list[str], own: dict[str, Any]) -> None:
    model = tiny_model("deberta-v2", pos_att_type=kind, **own)
    ids, types = draw(LENGTHS, segments=False)
    expected = padded_pooled(model, *padded_states(model, ids, types), "cls")
    found = Backbone(model, pooling="cls")(pack_all(ids, types))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5 * float(expected.detach().abs().max()))


def test_a_deberta_with_a_convolution_or_without_distances_is_computed_in_length_groups() -> None:
    for own in ({"conv_kernel_size": 3}, {"relative_attention": False}):
        model = tiny_model("deberta-v2", **own)
        assert Backbone(model, pooling="cls").way == "length-groups"
        check_parity(model)


@pytest.mark.parametrize("family", ["mpnet", "deberta-v2"])
def test_any_tokens_may_be_wanted_where_scores_depend_on_distances(family: str) -> None:
    backbone = Backbone(tiny_model(family), pooling="cls").eval()
    ids, types = draw(LENGTHS, segments=False)
    tokens = pack_all(ids, types)
    lengths = np.array([len(row) for row in ids])
    counts = np.minimum(lengths, 1 + np.arange(len(ids)) % 3)
    stops = np.cumsum(lengths)
    rows = np.concatenate([np.arange(stop - count, stop) for stop, count in zip(stops, counts, strict=True)])
    wanted = plan_queries(rows, counts, group_by_length(lengths, 4))
    with torch.no_grad():
        every, some = backbone.encode(tokens), backbone.encode(tokens, wanted)
    torch.testing.assert_close(some, every[rows], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("family", "rate"),
    [
        ("roberta", "attention_probs_dropout_prob"),
        ("modernbert", "attention_dropout"),
        ("distilbert", "attention_dropout"),
        ("gte", "attention_probs_dropout_prob"),
        ("deberta-v2", "attention_probs_dropout_prob"),
        ("mpnet", "attention_probs_dropout_prob"),
    ],
)
def test_attention_dropout_is_on_in_training_and_off_in_evaluation(family: str, rate: str) -> None:
    backbone = Backbone(tiny_model(family, **{rate: 0.5}), pooling="cls")
    tokens = pack_all(*draw([3, 9, 6], segments=False))

    assert not torch.equal(backbone(tokens), backbone(tokens))
    backbone.eval()
    assert torch.equal(backbone(tokens), backbone(tokens))
