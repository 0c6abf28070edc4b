from collections.abc import Callable
from functools import partial

from torch import nn

from heads import CosineHead, Head, LabelSpace, LinearHead
from heads.losses import AbsoluteError
from lightning_modules.wide_scores import describe_wide_scores
from tasks import Classification, PairRegression, Source, Task

SOURCE = Source(train="a.csv")
MOOD = Classification(source=SOURCE, texts=("a",), label="y", num_classes=3)


def rating(high: float, weight: float = 1.0) -> PairRegression:
    return PairRegression(source=SOURCE, texts=("a", "b"), label="y", low=0, high=high, weight=weight)


def describe(*tasks: Task, head: Callable[[int, LabelSpace], Head] = LinearHead) -> list[str]:
    named = {f"task{number}": task for number, task in enumerate(tasks)}
    heads: dict[str, nn.Module] = {
        name: head(8, task.labels) if isinstance(task, PairRegression) else LinearHead(8, task.labels)
        for name, task in named.items()
    }
    return list(describe_wide_scores(named, nn.ModuleDict(heads)))


def test_a_wide_range_is_told_with_the_weight_that_mends_it() -> None:
    assert describe(MOOD, rating(100)) == [
        "task task1: the squared error of scores from 0 to 100 outweighs the other tasks' losses (--tasks.task1.weight "
        "0.0025 makes it that of scores from 0 to 5)"
    ]
    assert len(describe(MOOD, rating(10), head=CosineHead)) == 1


def test_nothing_is_said_where_squares_are_small_alone_or_not_the_loss() -> None:
    assert describe(MOOD, rating(5)) == []
    assert describe(MOOD, rating(10, weight=0.25)) == []
    assert describe(rating(100)) == []
    assert describe(MOOD, rating(100), head=partial(LinearHead, loss=AbsoluteError())) == []
