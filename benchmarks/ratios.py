"""Rounds become one entry: rates, and the ratio to a reference from pairs of neighbouring rounds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal

from benchmarks.meter import Round
from benchmarks.operators import with_python

Clock = Literal["cpu", "wall"]
SCORE_TOLERANCE = 1e-4


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One program's result.

    Args:
        name: The program.
        examples_per_s: Median over the rounds, by the suite's clock.
        ratio_to_hf_trainer: Median over the rounds of this program's speed by the reference's in the same round; None
            if the reference did not run.
        ratio_low: Smallest of these ratios.
        ratio_high: Largest of these ratios.
        examples_per_cpu_s: Median, by CPU time of all threads.
        examples_per_wall_s: Median, by the clock on the wall.
        tokens_per_s: Real tokens, by the suite's clock, median.
        padding_share: Share of the computed tokens that are padding, in [0, 1].
        peak_mib: Peak resident memory, MiB.
        growth_mib: Peak less what was resident before the first epoch, MiB.
        rounds: CPU and wall seconds of each round.
        gflops_per_s: What real tokens need, GFLOP per second; None where it is not counted.
        products_gflops_per_s: What the bare products of the same shapes and precision reach; None if they did not run.
        share_of_products: Median over the rounds of the former by the latter in the same round.
        operators: Shares of the CPU time by group of operators; None where they were not timed.
    """

    name: str
    examples_per_s: float
    ratio_to_hf_trainer: float | None
    ratio_low: float | None
    ratio_high: float | None
    examples_per_cpu_s: float
    examples_per_wall_s: float
    tokens_per_s: float
    padding_share: float
    peak_mib: float
    growth_mib: float
    rounds: list[dict[str, float]]
    gflops_per_s: float | None = None
    products_gflops_per_s: float | None = None
    share_of_products: float | None = None
    operators: dict[str, float] | None = None


def paired_ratios(seconds: Sequence[float], reference: Sequence[float]) -> list[float]:
    """How many times as fast as the reference each round was.

    Example:
        >>> paired_ratios([2.0, 4.0], [6.0, 10.0])
        [3.0, 2.5]
    """
    return [theirs / own for own, theirs in zip(seconds, reference, strict=True)]


def summarise(name: str, rounds: Sequence[Round], reference: Sequence[Round] | None, *, clock: Clock) -> Entry:
    """Make an entry of a program's rounds.

    Args:
        name: The program.
        rounds: Its rounds, in order.
        reference: The rounds of the reference, in the same order; None if it did not run.
        clock: What `examples_per_s` and the ratio go by.
    """
    seconds = seconds_of(rounds, clock)
    ratios = paired_ratios(seconds, seconds_of(reference, clock)) if reference is not None else []
    work = rounds[0].work
    return Entry(
        name=name,
        examples_per_s=work.examples / median(seconds),
        ratio_to_hf_trainer=median(ratios) if ratios else None,
        ratio_low=min(ratios, default=None),
        ratio_high=max(ratios, default=None),
        examples_per_cpu_s=work.examples / median(seconds_of(rounds, "cpu")),
        examples_per_wall_s=work.examples / median(seconds_of(rounds, "wall")),
        tokens_per_s=work.tokens / median(seconds),
        padding_share=1 - work.tokens / work.slots,
        peak_mib=rounds[-1].peak_mib,
        growth_mib=rounds[-1].peak_mib - rounds[-1].start_mib,
        rounds=[{"cpu_s": done.cpu_s, "wall_s": done.wall_s} for done in rounds],
    )


def measure_share(
    entry: Entry, rounds: Sequence[Round], products: Sequence[Round] | None, *, flops: float, clock: Clock
) -> Entry:
    """Add to an entry how fast it computes what real tokens need, and what share of bare products' speed that is.

    Args:
        entry: The entry.
        rounds: Its rounds.
        products: The rounds of bare products in the same precision; None if they did not run.
        flops: What an epoch's real tokens need.
        clock: What the rates go by.
    """
    own = [
        (done.work.flops or flops) / seconds for done, seconds in zip(rounds, seconds_of(rounds, clock), strict=True)
    ]
    operators, entry = rounds[-1].operators, replace(entry, gflops_per_s=median(own) / 1e9)
    if operators is not None:
        shares = with_python(operators, total=median(seconds_of(rounds, "cpu")))
        entry = replace(entry, operators=shares)
    if products is None:
        return entry
    bare = [done.work.flops / seconds for done, seconds in zip(products, seconds_of(products, clock), strict=True)]  # type: ignore[operator]
    return replace(
        entry,
        products_gflops_per_s=median(bare) / 1e9,
        share_of_products=median(rate / limit for rate, limit in zip(own, bare, strict=True)),
    )


def check_equal_work(rounds: dict[str, list[Round]]) -> None:
    """Check that all programs did the same work in every round.

    Args:
        rounds: Rounds by program.

    Raises:
        ValueError: If examples or real tokens differ, or the scores of programs that have one.
    """
    (expected_name, expected), *others = all_rounds = [(name, done) for name, all_ in rounds.items() for done in all_]
    for name, done in others:
        for quantity in ("examples", "tokens"):
            found, wanted = getattr(done.work, quantity), getattr(expected.work, quantity)
            if found != wanted:
                raise ValueError(f"unequal work: {name} had {found} {quantity}, {expected_name} {wanted}")
    scores = [(name, done.work.score) for name, done in all_rounds if done.work.score is not None]
    for name, score in scores:
        if abs(score - scores[0][1]) > SCORE_TOLERANCE:
            raise ValueError(f"unequal work: {name} scored {score}, {scores[0][0]} {scores[0][1]}")


def seconds_of(rounds: Sequence[Round], clock: Clock) -> list[float]:
    """Return the seconds of each round by a clock."""
    return [done.cpu_s if clock == "cpu" else done.wall_s for done in rounds]
