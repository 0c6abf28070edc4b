"""Rounds of a benchmark, without running one."""

from benchmarks.meter import Round, Work


def make_round(cpu_s: float, wall_s: float = 1.0, *, tokens: int = 300, score: float | None = None) -> Round:
    work = Work(examples=10, tokens=tokens, slots=400, score=score)
    return Round(work=work, cpu_s=cpu_s, wall_s=wall_s, peak_mib=900.0, start_mib=600.0)
