import numpy as np
import pytest

from checks.lengths import at_share, find_cut_rows, measure_lengths


def words(count: int) -> str:
    return " ".join(["film"] * count)


def test_lengths_are_those_before_the_cut(make_splits, tokenizer):
    table = [(f"r{count}", words(count), count % 2) for count in (3, 5, 8, 18)]
    rows = make_splits({"train": table}, max_length=10)["train"]
    lengths, cut = measure_lengths(rows, tokenizer, 10)
    assert (lengths.median, lengths.longest, lengths.tokens) == (7, 20, 5 + 7 + 10 + 20)
    assert (lengths.cut, lengths.lost, cut.tolist()) == (1, 10, [3])
    (found,) = find_cut_rows(rows, lengths, cut, 10, most=512)
    assert (found.count, found.level) == (1, "warning")
    assert found.what == "are cut to 10 tokens, 10 of 42 tokens are lost"
    assert "--data.max_length 20 cuts 0.1 %" in found.advice


@pytest.mark.parametrize(
    ("most", "advice"),
    [
        (20, "--data.max_length 20 cuts 0.1 % of the rows, 8 cuts 1 %"),
        (19, "--data.max_length 8 cuts 1 % of the rows; this backbone reads 19 tokens at most"),
        (7, "--data.max_length 7 is all that this backbone reads: shorten the texts, or take a backbone with more "),
        (6, "this backbone reads no more: shorten the texts"),
    ],
)
def test_no_length_is_advised_that_the_backbone_cannot_read(most, advice, make_splits, tokenizer):
    table = [(f"r{n}", words(18 if n == 0 else 6), n % 2) for n in range(200)]
    rows = make_splits({"train": table}, max_length=6)["train"]
    lengths, cut = measure_lengths(rows, tokenizer, 6)
    (found,) = find_cut_rows(rows, lengths, cut, 6, most=most)
    assert found.advice.startswith(advice)


@pytest.mark.parametrize(("encoding", "longest", "cut"), [("cross", 3 + 3 + 12, [1]), ("bi", 2 + 12, [1])])
def test_a_pair_counts_as_it_is_encoded(encoding, longest, cut, make_splits, tokenizer):
    table = [("a", words(2), words(3), 1), ("b", words(3), words(12), 0)]
    rows = make_splits({"train": table}, max_length=10, encoding=encoding)["train"]
    lengths, found = measure_lengths(rows, tokenizer, 10)
    assert (lengths.longest, found.tolist()) == (longest, cut)
    assert lengths.lost == lengths.tokens - int(rows.store.lengths.sum())


def test_nothing_is_cut_where_all_fit(make_splits, tokenizer):
    rows = make_splits({"train": [("a", words(8), 1)]}, max_length=10)["train"]  # fills it and loses nothing
    lengths, cut = measure_lengths(rows, tokenizer, 10)
    assert (lengths.longest, lengths.cut, lengths.lost) == (10, 0, 0)
    assert list(find_cut_rows(rows, lengths, cut, 10, most=512)) == []


@pytest.mark.parametrize("count", [1, 7, 99, 100, 1000, 1001])
def test_no_larger_share_is_longer_than_what_a_share_asks_for(count):
    ordered = np.sort(np.random.default_rng(count).integers(1, 10**6, count))
    for share in (0.5, 0.95, 0.99, 0.999):
        value = at_share(ordered, share)
        assert (ordered > value).mean() <= 1 - share + 1e-9
        assert value == ordered[0] or (ordered >= value).mean() > 1 - share - 1e-9
