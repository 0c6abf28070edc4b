import numpy as np

from datamodules import MultitaskSampler, RoundRobin
from datamodules.row_orders import SomeRows
from planning.draws import draw


def test_rows_without_a_label_are_no_part_of_the_plan():
    rows = np.array([1, 2, 4])
    sampler = MultitaskSampler({"own": 3}, {"own": 2}, RoundRobin(), orders={"own": SomeRows(rows)}, seed=0)
    found = draw(sampler, {"own": [np.full((5, 1), 7)]}, [2, 1], {}, {"own": rows})
    assert found.sizes == {"own": 3}
    assert found.unseen == {"own": 0}
    assert found.examples.tolist() == [2, 1, 2]
