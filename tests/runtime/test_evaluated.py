from typing import Any

from runtime.evaluated import describe_part, find_part

SIZES = {"sst": 5, "quora": 8, "sts": 3}


def test_a_part_of_the_examples_is_told_with_the_whole():
    assert find_part({"sst": 5, "quora": 4}, SIZES) == {"sst": [5, 5], "quora": [4, 8], "sts": [0, 3]}


def test_all_or_none_of_the_examples_are_no_part():
    assert find_part(SIZES, SIZES) == {}
    assert find_part({}, SIZES) == {}


def test_a_part_is_described_with_what_the_mean_is_over():
    evaluated: dict[str, Any] = {"sst": [93, 1101], "quora": [75, 20212], "sts": [0, 863]}
    assert describe_part(evaluated, "dev") == (
        "on a part of dev (--trainer.limit_val_batches): sst 93 of 1,101, quora 75 of 20,212, sts none; "
        "mean is over sst and quora"
    )
    assert describe_part({"sst": [9, 10], "sts": [3, 3]}, "test") == (
        "on a part of test (--trainer.limit_test_batches): sst 9 of 10, sts 3 of 3"
    )
