from itertools import pairwise

from tasks.sample import sample


def test_sample_of_a_sorted_file_holds_each_class_by_its_share() -> None:
    drawn = list(sample([label for label in range(5) for _ in range(2000)], 1000))
    assert drawn == sorted(drawn)
    assert len(drawn) == 1000
    # Hypergeometric, standard deviation 12: five of them on either side.
    assert all(140 < drawn.count(label) < 260 for label in range(5))


def test_larger_sample_holds_the_smaller_one_in_file_order() -> None:
    drawn = [list(sample(range(1000), size)) for size in (1, 30, 31, 999, 1000, 5000)]
    for smaller, larger in pairwise(drawn):
        assert set(smaller) <= set(larger)
        assert larger == sorted(larger)
    assert [len(numbers) for numbers in drawn] == [1, 30, 31, 999, 1000, 1000]
