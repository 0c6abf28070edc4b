import pytest
import torch

from lightning_modules import OptimizerSettings
from lightning_modules.optim import build_scheduler
from planning.rates import build_factor, end_of_warmup, mark_rates


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
@pytest.mark.parametrize(("warmup", "probe_steps"), [(0.0, 0), (0.25, 0), (0.25, 4), (1.0, 3)])
def test_the_rate_of_each_step_is_the_optimisers(schedule, warmup, probe_steps):
    settings = OptimizerSettings(lr=0.5, schedule=schedule, warmup=warmup)
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
    scheduler = build_scheduler(settings, optimizer, 20, probe_steps=probe_steps)
    used = []
    for _ in range(20):
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    factor = build_factor(settings, 20, probe_steps)
    assert [0.5 * factor(step) for step in range(1, 21)] == pytest.approx(used)


def test_the_rate_is_told_where_it_turns():
    settings = OptimizerSettings(lr=1.0, schedule="linear", warmup=0.1)
    marks = [(each.what, each.step, round(each.rate, 3)) for each in mark_rates(settings, 100, 0)]
    assert marks == [
        ("first step", 1, 0),
        ("after the warm-up", 11, 1),
        ("half-way", 50, 0.567),
        ("last step", 100, 0.011),
    ]
    assert end_of_warmup(settings, 100, 0) == 10
    assert end_of_warmup(settings, 100, 40) == 46


def test_without_a_warmup_the_first_step_has_the_full_rate():
    settings = OptimizerSettings(lr=1.0, schedule="constant", warmup=0.0)
    assert [(each.step, each.rate) for each in mark_rates(settings, 1, 0)] == [(1, 1.0)]
    assert mark_rates(settings, 0, 0) == []
