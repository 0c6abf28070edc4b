"""Names of tasks."""

import pytest

from tasks import InputError
from tasks.names import check_names


@pytest.mark.parametrize("name", ["sst", "ticket_category", "é", "class", "score", "_x1"])
def test_letters_digits_and_underscores_make_a_name(name):
    check_names([name])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ticket category", "expected letters, digits and _, such as ticket_category"),
        ("1st", "such as task_1st"),
        ("", "such as task_1"),
        ("mean", "val/mean is the mean of all tasks (expected another, such as mean_task)"),
        ("training", "each PyTorch module has an attribute training"),
        ("items", "PyTorch's ModuleDict has a method items"),
    ],
)
def test_what_cannot_be_a_name_is_refused_with_one_that_can(name, reason):
    with pytest.raises(InputError) as refused:
        check_names(["sst", name])
    assert f"task name {name!r} cannot be used" in str(refused.value)
    assert reason in str(refused.value)
