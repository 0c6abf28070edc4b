"""Does a run that was killed and continued end as the one that nothing interrupted?"""

from pathlib import Path
from typing import Any

import torch

from tests.runs import Project

WEIGHTS = ("state_dict", "current_model_state", "averaging_state", "averaging")


def resume_after_kill(project: Project, *places: str) -> int:
    """Kill a run at each place in turn, continue it to the end, and give the version of the last part."""
    for place in places:
        project.kill(place)
    ended = project.run("--ckpt_path", "last")
    assert ended.code == 0, ended.output
    return project.newest()


def assert_same_end(whole: Project, project: Project, version: int) -> None:
    """Compare a continued run with the whole one: steps, curves, metrics, predictions and all that is saved."""
    trace, expected = project.trace(version), whole.trace(0)
    assert trace == expected[len(expected) - len(trace) :]
    assert project.scalars(version) == {point for point in whole.scalars(0) if comes_after(point, version, project)}
    report, expected_report = project.report(version), whole.report(0)
    for key in ("weights_sha256", "metrics", "steps"):
        assert report[key] == expected_report[key]
    assert project.predictions(version) == whole.predictions(0)
    assert_same(_without_paths(project.checkpoint(version)), _without_paths(whole.checkpoint(0)))


def comes_after(point: tuple[str, int, float], version: int, project: Project) -> bool:
    """Whether a point of a curve lies after the step that a run was continued from."""
    tag, step, _ = point
    start = project.resumed_step(version)
    is_of_a_step = tag.startswith(("train/", "conflicts/"))  # others count Lightning's way, from 0
    return step > start or (step == start and not is_of_a_step)


def _without_paths(checkpoint: dict[str, Any]) -> dict[str, Any]:
    kept = (*WEIGHTS, "epoch", "global_step", "optimizer_states", "lr_schedulers", "loops", "MultitaskDataModule")
    best = next((state for name, state in checkpoint["callbacks"].items() if name.startswith("BestCheckpoint")), None)
    scores = best and [Path(best["best_model_path"]).name, float(best["best_model_score"])]
    return {**{key: value for key, value in checkpoint.items() if key in kept}, "best": scores}


def assert_same(found: Any, expected: Any, where: str = "") -> None:
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for key in expected:
            assert_same(found[key], expected[key], f"{where}/{key}")
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected), where
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_same(one, other, f"{where}/{number}")
    elif isinstance(expected, torch.Tensor):
        assert torch.equal(found, expected), where
    else:
        assert found == expected or (found != found and expected != expected), f"{where}: {found} != {expected}"
