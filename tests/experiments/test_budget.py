import pytest

from experiments.budget import parse_budget
from tasks import InputError


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("steps=300", ("--trainer.max_epochs", "-1", "--trainer.max_steps", "300")),
        ("minutes=1505", ("--trainer.max_time", "01:01:05:00")),
    ],
)
def test_a_budget_becomes_flags(text, flags):
    assert parse_budget(text).flags() == flags


@pytest.mark.parametrize("text", ["300", "steps=", "steps=0", "hours=3", "steps=-1", "steps=1.5", "examples=100"])
def test_what_is_no_budget_is_refused(text):
    with pytest.raises(InputError, match=f"--budget {text}: expected steps=N or minutes=N"):
        parse_budget(text)
