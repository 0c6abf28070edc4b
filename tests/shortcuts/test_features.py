from math import log

import numpy as np
import pytest

from shortcuts.features import Rarity, bag_of_words, overlap_features


def test_rarity_is_the_inverse_document_frequency():
    rarity = Rarity(["a b a", "A c", "a"])
    assert rarity("a") == 0.0
    assert rarity("b") == pytest.approx(log(4 / 2))
    assert rarity("never seen") == pytest.approx(log(4))


def test_overlap_features_of_a_pair_by_hand():
    rarity = Rarity(["a b", "a c", "a"])
    (found,) = overlap_features([("a b c", "A b d e")], rarity)
    weight = {"a": 0.0, "b": log(2), "c": log(2), "d": log(4), "e": log(4)}
    expected = [2 / 5, 2 / 3, 2 / 4, weight["b"] / sum(weight.values()), log(2), log(5 / 4)]
    assert found == pytest.approx(expected)


def test_texts_without_words_and_no_pairs_have_finite_features():
    rarity = Rarity([])
    assert np.isfinite(overlap_features([("?", "!"), ("?", "a")], rarity)).all()
    assert overlap_features([], rarity).shape == (0, 6)


def test_the_order_of_words_changes_no_feature():
    rarity = Rarity(["who beat whom", "the dog bit the man"])
    pairs = [("the dog bit the man", "the man bit the dog"), ("the dog bit the man", "the dog bit the man")]
    swapped, same = overlap_features(pairs, rarity)
    assert swapped.tolist() == same.tolist()
    first, second = bag_of_words(["the dog bit the man", "the man bit the dog"]).toarray()
    assert first.tolist() == second.tolist()


def test_a_bag_counts_each_word_once():
    assert bag_of_words(["to be or not to be"]).sum() == 4
