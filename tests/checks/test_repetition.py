"""What a check has said, of a row or of what to do, it does not say again."""

from pathlib import Path

from rich.console import Console

from checks.finding import Finding, Instance, say_once
from checks.printing import print_checked
from checks.running import Checked, check_overlaps, look
from tasks import Classification, Source
from tests.tiny import open_data

ROWS = [("a", "one song", 1), ("b", "two films", 0)]


def finding(
    task: str, *, where: str | None = "dev.csv, line 2", remark: str = "", advice: str = "remove it"
) -> Finding:
    examples = [] if where is None else [Instance(where, ("one song",), remark)]
    about = {"check": "leak", "level": "note", "split": "dev", "what": "are known", "advice": advice}
    return Finding(task=task, count=len(examples), total=9 * len(examples), examples=examples, **about)


def test_tasks_that_read_the_same_file_in_other_ways_say_it_once():
    streams = {"one": ("one",), "two": ("two",)}
    (joined,) = say_once([finding("one", remark="0"), finding("two", remark="yes")], streams)
    assert (joined.task, joined.examples[0].remark) == ("one+two", "0; yes")
    apart = [finding("one"), finding("two", where="other.csv, line 2")]
    assert say_once(apart, streams) == apart


def test_what_is_about_no_rows_is_joined_for_tasks_that_share_theirs_alone():
    found = [finding("one", where=None), finding("two", where=None)]
    assert say_once(found, {"one": ("one",), "two": ("two",)}) == found
    assert [each.task for each in say_once(found, {"one+two": ("one", "two")})] == ["one+two"]


def test_what_is_said_of_a_file_is_said_once_for_all_tasks_and_splits_that_read_it(word_backbone, tmp_path):
    cells = [f'"film {number}\nis good","song {number}",{number % 2}' for number in range(8)]
    (tmp_path / "own.csv").write_text("\n".join(["a,b,y", *cells]) + "\n")
    source = Source(all="own.csv", dev_share=0.5)
    options = {"source": source, "label": "y", "num_classes": 2}
    tasks = {name: Classification(texts=(column,), **options) for name, column in (("one", "a"), ("two", "b"))}
    data = open_data(word_backbone, tmp_path, tmp_path / "cache", tasks=tasks, max_length=32)
    assert len(data.streams) == 2
    found = [str(each) for each in look(data, None).findings if each.check == "file"]
    spanning = [line for line in found if "over several lines" in line]
    said = "8 rows over several lines, the first at line 2 (quotes: false if quotes are text)"
    assert spanning == [f"one+two train+dev: {tmp_path}/own.csv: {said}"]
    assert len(found) == len(set(found)) == 2  # the other one tells the size of the dev split


def test_the_same_advice_is_printed_once():
    found = [finding("one"), finding("two"), finding("two", advice="look at it")]
    console = Console(record=True, width=200)
    print_checked(Checked(found, {}, {}), Path(), console)
    printed = console.export_text()
    assert (printed.count("→ remove"), printed.count("→ look at it"), printed.count("dev.csv, line 2")) == (1, 1, 3)


def test_a_leak_to_another_task_with_the_same_train_texts_is_that_of_the_own_one(make_splits):
    leaking = {"train": ROWS, "dev": [("d", "One song!", 1)]}
    splits = {name: make_splits(leaking, name=name) for name in ("one", "two")}
    splits["three"] = make_splits({"train": [*ROWS, ("c", "three", 1)], "dev": [("d", "new", 1)]}, name="three")
    found = check_overlaps(splits, {name: (name,) for name in splits})
    assert [(each.check, each.task, each.what.removeprefix("are in the train split")) for each in found] == [
        ("leak", "one", " too"),
        ("leak-of-other-task", "one", " of three too"),
        ("leak", "two", " too"),
        ("leak-of-other-task", "two", " of three too"),
    ]
