"""Rounds of the inference suite become entries, and pairs of programs become bars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from benchmarks.meter import Round
from benchmarks.ratios import Clock, paired_ratios, seconds_of
from benchmarks.suites import INT8, ONE_TASK, ORT_INT8_SORTED, PLAIN, SORTED_PEERS, THREE_TASKS


@dataclass(frozen=True, kw_only=True)
class ServingEntry:
    """One program's result.

    Args:
        name: The program.
        examples_per_s: Median over the rounds, by the suite's clock.
        ratio_to_plain_pytorch: Median over the rounds of its speed by plain PyTorch's in file order; None without it.
        ratio_low: Smallest of these ratios.
        ratio_high: Largest of these ratios.
        single_ms: CPU milliseconds of a single request, median.
        single_ms_p95: The same, 95th percentile.
        load_s: CPU seconds of loading, with the libraries imported.
        disk_mib: Size of what is loaded, MiB.
        peak_mib: Peak resident memory of the batches, MiB.
        padding_share: Share of the computed tokens that are padding, in [0, 1].
        loss: Cross-entropy of its answers.
        rounds: CPU and wall seconds of each round.
    """

    name: str
    examples_per_s: float
    ratio_to_plain_pytorch: float | None
    ratio_low: float | None
    ratio_high: float | None
    single_ms: float
    single_ms_p95: float
    load_s: float
    disk_mib: float
    peak_mib: float
    padding_share: float
    loss: float
    rounds: list[dict[str, float]]


@dataclass(frozen=True, kw_only=True)
class Bar:
    """How many times as fast one program is as another, and how many times it should be.

    Args:
        name: Which programs.
        ratio: Median over the rounds.
        ratio_low: Smallest.
        ratio_high: Largest.
        least: What the median should be at least.
    """

    name: str
    ratio: float
    ratio_low: float
    ratio_high: float
    least: float


def summarise_serving(rounds: Mapping[str, Sequence[Round]], *, clock: Clock) -> list[ServingEntry]:
    """Make the entries of all programs.

    Args:
        rounds: Rounds by program.
        clock: What rates and ratios go by.
    """
    return [_summarise(name, done, rounds.get(PLAIN), clock) for name, done in rounds.items()]


def _summarise(name: str, rounds: Sequence[Round], reference: Sequence[Round] | None, clock: Clock) -> ServingEntry:
    seconds = seconds_of(rounds, clock)
    ratios = paired_ratios(seconds, seconds_of(reference, clock)) if reference is not None else []
    servings = [done.serving for done in rounds if done.serving is not None]
    singles = [milliseconds for serving in servings for milliseconds in serving.single_ms]
    work = rounds[0].work
    return ServingEntry(
        name=name,
        examples_per_s=work.examples / median(seconds),
        ratio_to_plain_pytorch=median(ratios) if ratios else None,
        ratio_low=min(ratios, default=None),
        ratio_high=max(ratios, default=None),
        single_ms=median(singles),
        single_ms_p95=quantiles(singles, n=20)[-1],
        load_s=servings[0].load_s,
        disk_mib=servings[0].disk_mib,
        peak_mib=rounds[-1].peak_mib,
        padding_share=1 - work.tokens / work.slots,
        loss=servings[0].loss,
        rounds=[{"cpu_s": done.cpu_s, "wall_s": done.wall_s} for done in rounds],
    )


def measure_bars(rounds: Mapping[str, Sequence[Round]], *, clock: Clock) -> list[Bar]:
    """Return the bars whose programs ran; the arguments are those of `summarise_serving`."""
    fp32 = {name: seconds_of(rounds[name], clock) for name in SORTED_PEERS if name in rounds}
    fastest = min(fp32, key=lambda name: median(fp32[name]), default="")
    pairs = ((ONE_TASK, PLAIN, 2.2), (ONE_TASK, fastest, 1.15), (INT8, ORT_INT8_SORTED, 1.2))
    return [
        measure_bar(name, other, rounds, clock, least)
        for name, other, least in (*pairs, (THREE_TASKS, ONE_TASK, 1 / 1.1))
        if name in rounds and other in rounds
    ]


def measure_bar(name: str, other: str, rounds: Mapping[str, Sequence[Round]], clock: Clock, least: float) -> Bar:
    """Compare two programs round by round.

    Args:
        name: The program that is to be fast.
        other: The one that it is compared with.
        rounds: Rounds by program.
        clock: What the ratio goes by.
        least: What it should be at least.
    """
    ratios = paired_ratios(seconds_of(rounds[name], clock), seconds_of(rounds[other], clock))
    return Bar(
        name=f"{name} / {other}", ratio=median(ratios), ratio_low=min(ratios), ratio_high=max(ratios), least=least
    )
