import pytest

from analysis.budget import Budget, find_batch_size, parse_budget
from tasks import InputError


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("steps=300", ("--trainer.max_epochs", "-1", "--trainer.max_steps", "300")),
        ("examples=100", ("--trainer.max_epochs", "-1", "--trainer.max_steps", "4")),  # three batches of 32 hold 96
        ("examples=96", ("--trainer.max_epochs", "-1", "--trainer.max_steps", "3")),
        ("minutes=1505", ("--trainer.max_time", "01:01:05:00")),
    ],
)
def test_a_budget_becomes_flags(text, flags):
    assert parse_budget(text).flags(batch_size=32) == flags


@pytest.mark.parametrize("text", ["300", "steps=", "steps=0", "hours=3", "steps=-1", "steps=1.5"])
def test_what_is_no_budget_is_refused(text):
    with pytest.raises(InputError, match=f"--budget {text}: expected steps=N, examples=N or minutes=N"):
        parse_budget(text)


def test_a_budget_reads_well():
    assert str(Budget("examples", 12000)) == "12,000 examples"


def test_the_last_batch_size_counts(tmp_path):
    first, second, third = (tmp_path / f"{name}.yaml" for name in "abc")
    first.write_text("data: {batch_size: 8}\n")
    second.write_text("data: {batch_size: 16}\n")
    third.write_text("model: {pooling: cls}\n")
    assert find_batch_size([first, second, third], []) == 16
    assert find_batch_size([first, second], ["--data.batch_size", "32", "--trainer.max_epochs", "1"]) == 32
    assert find_batch_size([first, second], ["--data.batch_size=64"]) == 64
    with pytest.raises(InputError, match=r"no data\.batch_size in .*c\.yaml"):
        find_batch_size([third], [])
