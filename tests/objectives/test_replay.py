import pytest
import torch

from objectives import RandomState


def test_a_replay_repeats_the_draws_and_leaves_the_generator_where_it_was():
    torch.manual_seed(3)
    state = RandomState.take(torch.device("cpu"))
    first, second = torch.rand(4), torch.rand(4)
    torch.manual_seed(3)
    torch.rand(4)

    with state.replayed():
        repeated = torch.rand(4)

    assert torch.equal(repeated, first)
    assert torch.equal(torch.rand(4), second)


def test_another_kind_of_device_is_refused():
    state = RandomState.take(torch.device("meta"))
    with pytest.raises(ValueError, match="dropout masks cannot be repeated on meta"), state.replayed():
        pass
