from collections import Counter

import pytest

from augmentation.neighbours import draw_neighbours

ANIMALS = ("cat", "dog", "horse", "cow")
PAIRS = [
    (f"a {animal} sleeps in bed b{number}", f"the {animal} eats from bowl c{number}")
    for animal in ANIMALS
    for number in range(5)
]


def test_near_texts_share_words_and_are_no_pair_yet():
    found = draw_neighbours(PAIRS, 30, seed=0)
    assert len(found) == 30
    for first, second in found:
        assert first.split()[1] == second.split()[1]
        assert (first, second) not in PAIRS
    assert max(Counter(first for first, _ in found).values()) == 2  # each comes once before one comes again


def test_no_pair_comes_twice_in_either_order_or_has_equal_texts():
    texts = [f"the {animal} is big" for animal in ANIMALS]
    pairs = [(first, second) for first in texts for second in texts[:1]]
    pairs += [(texts[0], text.upper()) for text in texts]
    found = draw_neighbours(pairs, 100, seed=0)
    keys = [tuple(sorted(text.casefold() for text in pair)) for pair in found]
    assert all(first != second for first, second in keys)
    assert len({*keys}) == len(keys) > 0
    assert not {*keys} & {tuple(sorted(text.casefold() for text in pair)) for pair in pairs}


def test_fewer_come_where_the_texts_do_not_give_as_many():
    assert draw_neighbours([("a b c", "d e f")], 5, seed=0) == []
    assert 0 < len(draw_neighbours(PAIRS, 10_000, seed=0)) <= 20 * 5


def test_the_draw_depends_on_the_seed_alone():
    assert draw_neighbours(PAIRS, 7, seed=1) == draw_neighbours(PAIRS, 7, seed=1)
    assert draw_neighbours(PAIRS, 7, seed=1) != draw_neighbours(PAIRS, 7, seed=2)


@pytest.mark.parametrize("text", ["? !", ""])
def test_texts_without_words_are_near_nothing(text):
    assert draw_neighbours([(text, text)], 5, seed=0) == []


def test_words_of_most_texts_tell_nothing():
    assert draw_neighbours([("what is it", f"what is it {'?' * number}") for number in range(60)], 5, seed=0) == []
