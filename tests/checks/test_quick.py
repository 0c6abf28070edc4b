import numpy as np

from checks.quick import describe_problems, key_tokens

TRAIN = [("a", "A good film", 1), ("b", "dull", 0), ("c", "a GOOD film", 0), ("d", "film good a", 1)]


def test_rows_have_equal_keys_where_their_tokens_are_equal(make_splits):
    keys = key_tokens(make_splits({"train": TRAIN})["train"].store)
    assert keys[0] == keys[2]
    assert len(np.unique(keys)) == 3  # another order is another text


def test_the_line_counts_leaks_and_contradictions_by_task(make_splits):
    films = make_splits({"train": TRAIN, "dev": [("x", "Dull", 0), ("y", "new", 1), ("z", "a good film", 1)]})
    other = make_splits({"train": [("a", "x", 1), ("b", "y", 0)], "dev": [("c", "y", 0)]}, name="other")
    train, dev = ({"films": films[split].store, "other": other[split].store} for split in ("train", "dev"))
    assert describe_problems(train, dev) == (
        "data: 3 dev rows among the train rows too (films 2, other 1), "
        "2 train rows with the text of another label (films 2); train.py check shows them"
    )


def test_there_is_no_line_where_nothing_is_wrong(make_splits):
    splits = make_splits({"train": TRAIN[:2], "dev": [("x", "new", 1)]})
    assert describe_problems({"films": splits["train"].store}, {"films": splits["dev"].store}) == ""
