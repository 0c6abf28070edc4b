import hashlib
import struct

import lightning.pytorch as L
import torch
from torch import nn
from torchmetrics import MeanMetric

from backbones.digest import digest_weights
from lightning_modules import MultitaskModule
from tests.tiny import build_module


class Small(L.LightningModule):
    """One matrix, one buffer and a metric."""

    def __init__(self) -> None:
        super().__init__()
        self.b_layer = nn.Linear(2, 1, bias=False)
        self.b_layer.weight.data = torch.tensor([[1.0, -2.5]])
        self.register_buffer("a_count", torch.tensor(7))
        self._metrics = nn.ModuleDict({"val": MeanMetric()})


def test_the_digest_is_that_of_names_types_shapes_and_bytes():
    expected = hashlib.sha256(
        b'["a_count", "torch.int64", []]'
        + struct.pack("<q", 7)
        + b'["b_layer.weight", "torch.float32", [1, 2]]'
        + struct.pack("<2f", 1.0, -2.5)
    ).hexdigest()
    assert digest_weights(Small()) == expected


def test_metrics_do_not_count():
    module = Small()
    before = digest_weights(module)
    module._metrics["val"].persistent(True)
    module._metrics["val"].update(3.0)
    assert len(module.state_dict()) > 2
    assert digest_weights(module) == before


def test_one_bit_name_type_or_shape_makes_another_digest():
    digests = {digest_weights(Small())}
    bit, shape, kind, name = Small(), Small(), Small(), Small()
    bit.b_layer.weight.data.view(torch.int32)[0, 0] ^= 1
    shape.b_layer.weight.data = shape.b_layer.weight.data.T
    kind.b_layer.weight.data = kind.b_layer.weight.data.double()
    name.c_layer = name.b_layer
    del name.b_layer
    digests |= {digest_weights(module) for module in (bit, shape, kind, name)}
    assert len(digests) == 5


def test_strides_and_bfloat16_and_empty_tensors_are_fine():
    first, second = Small(), Small()
    first.b_layer.weight.data = torch.arange(6.0).view(2, 3).bfloat16()
    second.b_layer.weight.data = torch.arange(6.0).view(2, 3).T.contiguous().T.bfloat16()
    assert second.b_layer.weight.stride() != first.b_layer.weight.stride()
    assert digest_weights(first) == digest_weights(second)
    first.register_buffer("empty", torch.empty(0))
    assert digest_weights(first) != digest_weights(second)


def test_equal_seeds_make_equal_digests(tiny_backbone):
    def build(seed: int) -> MultitaskModule:
        torch.manual_seed(seed)
        return build_module(tiny_backbone)

    assert digest_weights(build(1)) == digest_weights(build(1))
    assert digest_weights(build(1)) != digest_weights(build(2))
