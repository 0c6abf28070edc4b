import pytest

from experiments.budget import Budget, find_step_size, parse_budget
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
    assert parse_budget(text).flags(step_size=32) == flags


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
    third.write_text("# nothing but a comment\n")
    assert find_step_size([first, second, third], [], ["sst"]) == 16
    assert find_step_size([first, second], ["--data.batch_size", "32", "--trainer.max_epochs", "1"], ["sst"]) == 32
    assert find_step_size([first, second], ["--data.batch_size=64"], ["sst"]) == 64
    with pytest.raises(InputError, match=r"no data\.batch_size in .*c\.yaml"):
        find_step_size([third], [], ["sst"])


@pytest.mark.parametrize(
    ("flags", "size"),
    [
        ("", 8),
        ("--trainer.accumulate_grad_batches 3", 24),
        ("--tasks.sst.batch_size 4 --tasks.sts.init_args.batch_size=4", 4),
        ("--data.schedule Joint", 16),  # a batch of each task
        ("--data.schedule.class_path=datamodules.Joint --data.schedule.stop longest", 16),
        ("--data.schedule Joint --trainer.accumulate_grad_batches 4", 32),
        ("--data.schedule Joint --tasks.sst.batch_size 24", 32),
    ],
)
def test_a_step_holds_all_batches_whose_gradients_it_sums(flags, size, tmp_path):
    config = tmp_path / "two.yaml"
    config.write_text("tasks: {sst: Sst, sts: {class_path: Sts, init_args: {encoding: bi}}}\ndata: {batch_size: 8}\n")
    assert find_step_size([config], flags.split(), ["sst", "sts"]) == size


def test_a_budget_in_examples_is_refused_where_steps_differ(tmp_path):
    config = tmp_path / "two.yaml"
    config.write_text("tasks: {sst: Sst, sts: Sts}\ndata: {batch_size: 8, schedule: Shuffled}\n")
    with pytest.raises(InputError, match=r"batches differ in size \(sst 4, sts 8; expected one batch_size"):
        find_step_size([config], ["--tasks.sst.batch_size", "4"], ["sst", "sts"])
    assert find_step_size([config], ["--tasks.sst.batch_size", "4"], ["sst"]) == 4
