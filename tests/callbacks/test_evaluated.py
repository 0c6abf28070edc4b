from typing import Any

import torch

from callbacks.evaluated import EvaluatedExamples, describe_part
from tests.tiny import batch_of


def count(*batches: tuple[str, int], weight: float = 1.0) -> EvaluatedExamples:
    evaluated = EvaluatedExamples()
    for task, rows in batches:
        evaluated.add(batch_of(task, range(rows), weight))
    return evaluated


def alone(counts: torch.Tensor) -> torch.Tensor:
    return counts


SIZES = {"sst": 5, "quora": 8, "sts": 3}


def test_a_part_of_the_examples_is_told_with_the_whole():
    assert count(("sst", 2), ("sst", 3), ("quora", 4)).find_part(SIZES, alone) == {
        "sst": [5, 5],
        "quora": [4, 8],
        "sts": [0, 3],
    }


def test_all_or_none_of_the_examples_are_no_part():
    assert count(("sst", 5), ("quora", 8), ("sts", 3)).find_part(SIZES, alone) == {}
    assert count().find_part(SIZES, alone) == {}


def test_other_processes_count_and_rows_of_weight_zero_do_not():
    evaluated = count(("sst", 2), ("quora", 4))
    evaluated.add(batch_of("sts", [0], 0.0))
    others = torch.tensor([3, 4, 2])
    assert evaluated.find_part(SIZES, lambda counts: counts + others) == {"sst": [5, 5], "quora": [8, 8], "sts": [2, 3]}


def test_each_evaluation_is_counted_by_itself():
    evaluated = count(("sst", 5))
    evaluated.clear()
    evaluated.add(batch_of("quora", [1], 1.0))
    assert evaluated.find_part(SIZES, alone)["sst"] == [0, 5]


def test_a_part_is_described_with_what_the_mean_is_over():
    evaluated: dict[str, Any] = {"sst": [93, 1101], "quora": [75, 20212], "sts": [0, 863]}
    assert describe_part(evaluated, "dev") == (
        "on a part of dev (--trainer.limit_val_batches): sst 93 of 1,101, quora 75 of 20,212, sts none; "
        "mean is over sst and quora"
    )
    assert describe_part({"sst": [9, 10], "sts": [3, 3]}, "test") == (
        "on a part of test (--trainer.limit_test_batches): sst 9 of 10, sts 3 of 3"
    )
