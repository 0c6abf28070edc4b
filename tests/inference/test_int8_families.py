import pytest
import torch

from backbones import Backbone
from inference.int8_choice import plain_encoder
from inference.int8_linear import check_int8, use_int8
from tasks import InputError
from tests.backbones.families import every_family, tiny_model
from tests.backbones.test_families import draw, pack_all
from transformers_internals import encoder_of


@pytest.mark.parametrize("family", every_family("modernbert", "distilbert", "mpnet"))
def test_every_layer_of_a_family_multiplies_in_int8(family: str) -> None:
    try:
        check_int8(torch.device("cpu"))
    except InputError as error:
        pytest.skip(str(error))
    model = tiny_model(family)
    linears = sum(isinstance(module, torch.nn.Linear) for module in encoder_of(model).modules())
    backbone = Backbone(model, pooling="mean").eval()
    tokens = pack_all(*draw([5, 9, 3], segments=False))
    with torch.inference_mode():
        expected = backbone(tokens)
        assert use_int8(plain_encoder(backbone)) == linears > 0
        found = backbone(tokens)
    assert 0 < (found - expected).abs().max() < 0.05 * expected.abs().max()
