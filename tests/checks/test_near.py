import numpy as np
import pytest

from checks.near import SIMILAR, compare, find_near_leaks, propose

WORDS = [f"word{number}" for number in range(400)]
TRAIN = [(f"t{start}", " ".join(WORDS[start : start + 20]), start % 2) for start in range(0, 300, 20)]


def test_a_text_with_one_word_changed_is_near_and_told_with_the_row_that_it_resembles(make_splits):
    near = " ".join([*WORDS[40:59], "else"])
    dev = [("near", near, 1), ("far", " ".join(WORDS[320:340]), 0)]
    splits = make_splits({"train": TRAIN, "dev": dev})
    (found,) = find_near_leaks(splits["dev"], splits["train"])
    assert (found.count, found.level) == (1, "warning")
    assert found.examples[0].where.endswith("dev.csv, line 2")
    assert "train.csv, line 4: word40 " in found.examples[0].remark


def test_an_equal_text_is_left_to_the_exact_check(make_splits):
    splits = make_splits({"train": TRAIN, "dev": [("same", TRAIN[0][1].upper(), 1)]})
    assert list(find_near_leaks(splits["dev"], splits["train"])) == []
    assert propose(splits["dev"], splits["train"]).shape == (0, 2)


def test_the_similarity_is_that_of_the_sets_of_words_and_neighbours(make_splits):
    pairs = [("t", "the cat sat", "a dog", 1)]
    splits = make_splits({"train": pairs, "dev": [("d", "a dog", "the cat ran", 0), ("e", "x", "y", 0)]})
    found = compare(splits["dev"], splits["train"], np.array([[0, 0], [1, 0]]))
    # the, cat, a, dog; the-cat, a-dog, dog-end are shared of them and sat, cat-sat, sat-end and ran, cat-ran, ran-end
    assert found.tolist() == pytest.approx([7 / 13, 0])


def test_nearly_all_changed_rows_are_found_and_none_of_the_others(make_splits):
    rng = np.random.default_rng(0)
    train = [(f"t{n}", " ".join(WORDS[word] for word in rng.integers(0, 400, 25)), 1) for n in range(200)]
    changed = [(f"d{n}", f"{text} more", 1) for n, (_, text, _) in enumerate(train[:100])]
    others = [(f"e{n}", " ".join(WORDS[word] for word in rng.integers(0, 400, 25)), 1) for n in range(100)]
    splits = make_splits({"train": train, "dev": changed + others})
    (found,) = find_near_leaks(splits["dev"], splits["train"])
    assert 97 <= found.count <= 100  # their similarity is 0.94: 1 in 10^5 is missed
    assert SIMILAR == 0.8


def test_rows_of_one_template_cost_no_more_than_a_few_comparisons_each(make_splits):
    train = [(f"t{n}", f"what is the best film of the year {n} in the whole wide world", 1) for n in range(60)]
    dev = [(f"d{n}", f"what is the best film of the year {n} in the whole wide world", 1) for n in range(100, 130)]
    splits = make_splits({"train": train, "dev": dev})
    assert len(propose(splits["dev"], splits["train"])) <= 30 * 8 * 4
