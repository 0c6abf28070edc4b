import re
from dataclasses import dataclass

import numpy as np
import pytest

from datamodules import Epoch, MultitaskSampler, Schedule


@dataclass(frozen=True)
class Given(Schedule):
    places: tuple[object, ...]

    def order(self, epoch: Epoch) -> np.ndarray:
        return list(self.places)  # type: ignore[return-value]


def sample(*places: object) -> MultitaskSampler:
    return MultitaskSampler({"sst": 4, "quora": 2}, {"sst": 2, "quora": 2}, schedule=Given(places), seed=0)


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ((0, 1, 7), "0, 1, 7 of type int64"),
        ((0, 1, -1), "0, 1, -1 of type int64"),
        ((0.0, 1.0, 0.0), "0.0, 1.0 of type float64"),
        (("sst", "sst", "quora"), "sst, quora of type <U5"),
    ],
)
def test_an_order_holds_places_of_tasks(places: tuple[object, ...], said: str) -> None:
    expected = f"the order of epoch 0 has {said} (expected places of tasks, integers from 0 to 1)"
    with pytest.raises(ValueError, match=re.escape(expected)):
        sample(*places)


def test_an_order_may_be_a_list() -> None:
    assert sample(0, 1, 0).plan(0) == ["sst", "quora", "sst"]
