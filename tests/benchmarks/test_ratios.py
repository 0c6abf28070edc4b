from dataclasses import replace

import pytest

from benchmarks.ratios import check_equal_work, measure_share, paired_ratios, summarise
from tests.benchmarks.rounds import make_round


def test_ratio_is_the_median_of_paired_ratios_not_the_ratio_of_medians() -> None:
    """Pairs 8/1, 9/4, 4/2 = 8, 2.25, 2: median 2.25, while the medians 8 and 2 would give 4."""
    own, reference = [1.0, 4.0, 2.0], [8.0, 9.0, 4.0]
    assert paired_ratios(own, reference) == [8.0, 2.25, 2.0]
    entry = summarise("ours", [make_round(s) for s in own], [make_round(s) for s in reference], clock="cpu")
    assert (entry.ratio_low, entry.ratio_to_hf_trainer, entry.ratio_high) == (2.0, 2.25, 8.0)


def test_rates_memory_and_padding_by_hand() -> None:
    entry = summarise("ours", [make_round(2.0, 4.0), make_round(2.0, 4.0)], None, clock="wall")
    assert entry.examples_per_s == 10 / 4
    assert (entry.examples_per_cpu_s, entry.examples_per_wall_s) == (10 / 2, 10 / 4)
    assert entry.tokens_per_s == 300 / 4
    assert entry.padding_share == 0.25
    assert (entry.peak_mib, entry.growth_mib) == (900.0, 300.0)


def test_the_share_of_bare_products_by_hand() -> None:
    """6 GFLOP in 2 and 3 seconds are 3 and 2 GFLOP/s; products reach 4 in both rounds, so 0.75 and 0.5."""
    own = [make_round(2.0), make_round(3.0)]
    own[-1] = replace(own[-1], operators={"products": 1.5, "softmax": 0.5})
    bare = [replace(done, work=replace(done.work, flops=4e9)) for done in (make_round(1.0), make_round(1.0))]
    entry = measure_share(summarise("ours", own, None, clock="cpu"), own, bare, flops=6e9, clock="cpu")
    assert (entry.gflops_per_s, entry.products_gflops_per_s, entry.share_of_products) == (2.5, 4.0, 0.625)
    assert entry.operators == pytest.approx({"products": 0.6, "softmax": 0.2, "Python and autograd": 0.2})


def test_without_products_there_is_a_rate_and_no_share() -> None:
    own = [make_round(2.0)]
    entry = measure_share(summarise("ours", own, None, clock="cpu"), own, None, flops=6e9, clock="cpu")
    assert (entry.gflops_per_s, entry.share_of_products, entry.operators) == (3.0, None, None)


def test_ratio_is_none_without_a_reference() -> None:
    entry = summarise("ours", [make_round(2.0)], None, clock="cpu")
    assert (entry.ratio_to_hf_trainer, entry.ratio_low, entry.ratio_high) == (None, None, None)


def test_unequal_rounds_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="argument 2 is longer"):
        paired_ratios([1.0], [1.0, 2.0])


def test_equal_work_passes_and_unequal_work_is_named() -> None:
    check_equal_work({"a": [make_round(1.0)], "b": [make_round(9.0)]})
    with pytest.raises(ValueError, match="b had 299 tokens, a 300"):
        check_equal_work({"a": [make_round(1.0)], "b": [make_round(1.0), make_round(1.0, tokens=299)]})
    with pytest.raises(ValueError, match=r"b scored 0\.7, a 0\.6"):
        check_equal_work({"a": [make_round(1.0, score=0.6)], "b": [make_round(1.0, score=0.7)]})
