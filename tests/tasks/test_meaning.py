import json
from functools import partial

import pytest

from heads import ContinuationRatio, CosineHead, Head, LinearHead, OneVsAll, OrdinalLogLoss
from lightning_modules import MultitaskModule
from lightning_modules.meaning import model_meaning
from tasks import Classification, InputError, PairClassification, PairRegression, Quora, Source, Sst, Sts, Task
from tasks.meaning import compare_meaning
from tests.tiny import build_module

SOURCE = Source(train="a.csv", dev="b.csv")


def meaning_of(task: Task) -> dict[str, object]:
    head = task.build_head(16)
    assert isinstance(head, Head)
    return {**task.meaning(), "head": head.meaning()}


def mood(*classes: str, **changes: object) -> Classification:
    return Classification(**{"source": SOURCE, "texts": ("text",), "label": "y", "classes": classes, **changes})


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (mood("neg", "pos"), mood("pos", "neg"), "classes.0 was 'neg', is 'pos'; classes.1 was 'pos', is 'neg'"),
        (mood("a", "b"), mood("a", "b", "c"), r"classes was \['a', 'b'\], is \['a', 'b', 'c'\]"),
        (Sst(), Sst(head=partial(LinearHead, loss=OneVsAll())), "head.output.class was 'ClassOutput', is 'OneVsAll"),
        (Sst(), Sst(head=partial(LinearHead, loss=OrdinalLogLoss())), "head.output.alpha was None, is 1.5"),
        (Sst(), Sst(head=partial(LinearHead, loss=ContinuationRatio())), "is 'ContinuationRatioOutput'"),
        (Sts(), Sts(low=1), "head.output.low was 0.0, is 1"),
        (Sts(encoding="bi"), Sts(), "encoding was 'bi', is 'cross'; head.class was 'CosineHead', is 'LinearHead'"),
        (Quora(), Quora(texts=("sentence2", "sentence1")), "texts.sentence1 was 'first', is 'second'"),
        (
            Sst(num_classes=None, classes=tuple("abcdefg")),
            Sst(num_classes=None, classes=tuple("gfedcba")),
            "; and 2 more",
        ),
    ],
)
def test_what_changes_the_meaning_of_a_task_is_refused(before: Task, after: Task, message: str):
    found = json.loads(json.dumps(meaning_of(before)))
    assert compare_meaning(found, meaning_of(before)) == ""
    with pytest.raises(InputError, match=f"the checkpoint's numbers have another meaning: .*{message}"):
        compare_meaning(found, meaning_of(after))


def test_options_of_training_reading_and_scoring_are_no_part_of_the_meaning():
    before = Sts(encoding="bi")
    after = Sts(
        encoding="bi",
        head=partial(CosineHead, dropout=0.7),
        weight=0.1,
        metrics=("spearman",),
        swap=True,
        batch_size=3,
        train_limit=2,
        source=SOURCE,
        label="other",
        delimiter=",",
        broken_rows="error",
        prediction_header="P",
        low=0,
        high=5,
    )
    assert compare_meaning(meaning_of(before), meaning_of(after)) == ""


def test_classes_by_number_and_by_the_same_names_are_the_same():
    by_name = mood("0", "1", "2")
    assert compare_meaning(meaning_of(by_name), meaning_of(mood(num_classes=3, classes=None))) == ""  # type: ignore[arg-type]


def test_columns_of_other_names_and_averaged_orders_are_told():
    pair = {"source": SOURCE, "label": "y", "num_classes": 3}
    before, after = PairClassification(texts=("a", "b"), **pair), PairClassification(texts=("c", "d"), **pair)
    assert compare_meaning(before.meaning(), after.meaning()) == "not as in training: texts was 'a, b', is 'c, d'"
    scores = {"source": SOURCE, "label": "y", "texts": ("a", "b"), "low": 0, "high": 1}
    one, both = PairRegression(**scores), PairRegression(average_orders=True, **scores)
    assert compare_meaning(one.meaning(), both.meaning()) == "not as in training: average_orders was False, is True"


def test_a_module_is_plain_data_and_tasks_of_one_side_alone_are_not_compared(tiny_backbone):
    module = build_module(tiny_backbone, tasks={"sst": Sst(), "sts": Sts()})
    fewer = build_module(tiny_backbone, tasks={"sts": Sts()}, pooling="mean")

    def meaning(of: MultitaskModule) -> dict[str, object]:
        return model_meaning(of.backbone, of.tasks, of.heads)

    assert json.loads(json.dumps(meaning(module))) == meaning(module)
    with pytest.raises(InputError) as caught:
        compare_meaning(meaning(module), meaning(fewer))
    assert str(caught.value) == (
        "the checkpoint's numbers have another meaning: backbone.pooling was 'pooler', is 'mean' (expected the "
        "settings of its training)"
    )
