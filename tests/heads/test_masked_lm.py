import pytest
import torch
from transformers import BertConfig, BertForMaskedLM

from heads.masked_lm import MaskedLMHead

H, V = 16, 23


@pytest.fixture
def config() -> BertConfig:
    return BertConfig(
        vocab_size=V, hidden_size=H, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, hidden_act="gelu"
    )


@pytest.fixture
def reference(config: BertConfig) -> BertForMaskedLM:
    """transformers' model with random weights everywhere, its zero biases and unit scales too."""
    torch.manual_seed(0)
    model = BertForMaskedLM(config)
    for parameter in model.cls.parameters():
        torch.nn.init.normal_(parameter)
    return model


def test_the_logits_equal_those_of_transformers_with_its_weights(
    config: BertConfig, reference: BertForMaskedLM
) -> None:
    head = MaskedLMHead(config)
    head.load_predictions(reference.cls.predictions.state_dict())
    hidden = torch.randn(5, H)

    logits = head(hidden, reference.bert.embeddings.word_embeddings.weight)

    assert logits.shape == (5, V)
    torch.testing.assert_close(logits, reference.cls(hidden), rtol=0, atol=1e-6)


def test_the_head_owns_all_of_transformers_parameters_but_the_tied_decoder(
    config: BertConfig, reference: BertForMaskedLM
) -> None:
    own = {name: weight.shape for name, weight in MaskedLMHead(config).state_dict().items()}

    assert own == {
        name: weight.shape
        for name, weight in reference.cls.predictions.state_dict().items()
        if not name.startswith("decoder.")
    }


def test_a_fresh_head_starts_like_berts_layers(config: BertConfig) -> None:
    torch.manual_seed(0)
    head = MaskedLMHead(BertConfig(**{**config.to_dict(), "hidden_size": 128, "initializer_range": 0.02}))

    assert head.transform.dense.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert not head.transform.dense.bias.any()
    assert not head.bias.any()
    assert torch.equal(head.transform.LayerNorm.weight, torch.ones(128))


def test_no_token_to_guess_gives_no_logits(config: BertConfig) -> None:
    assert MaskedLMHead(config)(torch.empty(0, H), torch.randn(V, H)).shape == (0, V)


def test_weights_that_lack_a_part_are_refused(config: BertConfig, reference: BertForMaskedLM) -> None:
    weights = reference.cls.predictions.state_dict()
    del weights["transform.LayerNorm.bias"]

    with pytest.raises(RuntimeError, match=r"transform\.LayerNorm\.bias"):
        MaskedLMHead(config).load_predictions(weights)
