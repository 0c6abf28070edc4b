from checks.contradictions import find_contradictions
from checks.overlaps import find_duplicates, find_equal_sides, find_leaks, find_repeated_ids, find_shared_sides

TRAIN = [("t1", "A good film.", 1), ("t2", "A bad film.", 0), ("t3", "Very dull", 0), ("t4", "a bad film", 0)]
PAIRS = [("t1", "the cat", "a dog", 1), ("t2", "one song", "two songs", 0), ("t3", "old", "new", 1)]


def test_a_dev_row_that_is_trained_on_is_an_error_with_both_places(make_splits):
    splits = make_splits({"train": TRAIN, "dev": [("d1", "new here", 1), ("d2", "a GOOD film", 0)]})
    (found,) = find_leaks(splits["dev"], splits["train"])
    assert (found.check, found.level, found.count, found.total) == ("leak", "error", 1, 2)
    assert str(found) == "films dev: 1 of 2 rows (50.0%) are in the train split too, 1 with another label"
    (example,) = found.examples
    assert example.where.endswith("dev.csv, line 3")
    assert example.remark.endswith("train.csv, line 2: 1, here 0")


def test_a_swapped_pair_is_a_leak_and_said_to_be_swapped(make_splits):
    dev = [("d1", "a dog!", "The cat", 1), ("d2", "the cat", "new", 0), ("d3", "one song", "two songs", 0)]
    splits = make_splits({"train": PAIRS, "dev": dev})
    (found,) = find_leaks(splits["dev"], splits["train"])
    assert found.count == 2
    assert found.what == "are in the train split too, 1 with the sides swapped"


def test_a_leak_from_another_task_is_a_warning(make_splits):
    first = make_splits({"train": TRAIN, "dev": [("d", "x y", 1)]})
    other = make_splits({"train": [("t", "z", 1)], "dev": [("d", "very dull", 1)]}, name="reviews")
    (found,) = find_leaks(other["dev"], first["train"])
    assert (found.check, found.level) == ("leak-of-other-task", "warning")
    assert found.what == "are in the train split of films too"
    assert list(find_leaks(first["dev"], other["train"])) == []


def test_few_leaks_among_many_rows_are_a_warning(make_splits):
    dev = [("leaked", "very dull", 0), *((f"d{number}", f"text {number}", 1) for number in range(150))]
    splits = make_splits({"train": TRAIN, "dev": dev})
    (found,) = find_leaks(splits["dev"], splits["train"])
    assert (found.level, found.count) == ("warning", 1)


def test_a_test_split_needs_no_labels(make_splits):
    splits = make_splits({"train": TRAIN, "test": [("e1", "very dull", ""), ("e2", "fresh", "")]})
    (found,) = find_leaks(splits["test"], splits["train"])
    assert found.count == 1
    assert found.examples[0].remark.endswith("train.csv, line 4")


def test_a_shared_side_is_counted_where_the_pair_is_not_a_leak(make_splits):
    dev = [
        ("d1", "the cat", "another", 1),
        ("d2", "a dog", "old", 0),
        ("d3", "the cat", "a dog", 1),
        ("d4", "x", "y", 1),
    ]
    splits = make_splits({"train": PAIRS, "dev": dev})
    (found,) = find_shared_sides(splits["dev"], splits["train"])
    assert (found.count, found.level) == (2, "note")
    assert found.what.endswith("has too, both sides of 1")


def test_a_pair_task_shares_a_side_with_a_task_of_single_texts(make_splits):
    single = make_splits({"train": TRAIN, "dev": [("d", "two songs", 1)]})
    pairs = make_splits({"train": PAIRS, "dev": [("d", "very dull", "y", 1)]}, name="pairs")
    assert [found.count for found in find_shared_sides(pairs["dev"], single["train"])] == [1]
    assert [found.count for found in find_shared_sides(single["dev"], pairs["train"])] == [1]
    assert list(find_leaks(pairs["dev"], single["train"])) == []


def test_duplicates_name_the_earlier_row(make_splits):
    splits = make_splits({"train": TRAIN})
    (found,) = find_duplicates(splits["train"])
    assert (found.count, found.level) == (1, "warning")
    assert (found.examples[0].where.rpartition(", ")[2], found.examples[0].remark) == ("line 5", "as line 3")


def test_equal_texts_with_different_labels_are_a_contradiction_and_no_duplicate(make_splits):
    rows = [("a", "one song", 1), ("b", "One song", 0), ("c", "one song!", 0), ("d", "x", 1)]
    (train,) = make_splits({"train": rows}).values()
    (found,) = find_duplicates(train)
    assert [example.remark for example in found.examples] == ["as line 3"]
    assert [each.count for each in find_contradictions(train)] == [3]


def test_pairs_of_a_text_with_itself_are_told_with_their_labels(make_splits):
    splits = make_splits({"train": [("a", "Same text", "same text?", 1), ("b", "x", "X", 0), ("c", "x", "y", 0)]})
    (found,) = find_equal_sides(splits["train"])
    assert found.count == 2
    assert found.what == "are pairs of a text with itself (labels: 1 x 0, 1 x 1)"
    scores = make_splits({"train": [("a", "x", "x", 4.5), ("b", "x", "X", 5)]}, classes=0, name="scores")
    assert next(iter(find_equal_sides(scores["train"]))).what.endswith("(labels from 4.5 to 5)")


def test_an_id_of_another_split_is_found(make_splits):
    splits = make_splits({"train": TRAIN, "dev": [("t2", "x", 1), ("d", "y", 0)]})
    (found,) = find_repeated_ids([*splits.values()])
    assert (found.count, found.what) == (1, "have the id of a row of the train split")
    assert found.examples[0].remark.startswith("id t2, also ")


def test_nothing_is_found_where_nothing_is_wrong(make_splits):
    splits = make_splits({"train": TRAIN[:3], "dev": [("d", "something else", 1)]})
    train, dev = splits["train"], splits["dev"]
    assert [*find_leaks(dev, train), *find_duplicates(train), *find_repeated_ids([train, dev])] == []
    assert [*find_shared_sides(dev, train), *find_equal_sides(train)] == []
