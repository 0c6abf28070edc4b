"""Learning curves of a run, from its TensorBoard events."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from figures import Curve

MOST_POINTS = 400  # of a curve; a longer one is thinned out evenly


def read_curves(folder: Path) -> Mapping[str, Curve]:
    """Read the scalars of a run by their tags, such as `train/sst/loss`; nothing where there are no events."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    if not any(folder.glob("events.out.tfevents.*")):
        return {}
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 1}).Reload()
    curves = {}
    for tag in events.Tags()["scalars"]:
        points = events.Scalars(tag)
        rows = np.unique(np.linspace(0, len(points) - 1, min(len(points), MOST_POINTS)).round().astype(int))
        kept = [points[row] for row in rows]
        curves[tag] = Curve(tag, [point.step for point in kept], [point.value for point in kept])
    return curves


def task_panels(curves: Mapping[str, Curve], task: str) -> list[tuple[str, list[Curve]]]:
    """Return the panels of a task's figure: its losses, and its dev metrics; empty where nothing was logged."""
    losses = [
        Curve(name, curve.steps, curve.values)
        for name, curve in (("train", curves.get(f"train/{task}/loss")), ("dev", curves.get(f"val/{task}/loss")))
        if curve is not None
    ]
    prefix = f"val/{task}/"
    metrics = [
        Curve(tag.removeprefix(prefix), curve.steps, curve.values)
        for tag, curve in curves.items()
        if tag.startswith(prefix) and tag != f"{prefix}loss"
    ]
    return [panel for panel in (("loss", losses), ("dev metric", metrics)) if panel[1]]


def run_panels(curves: Mapping[str, Curve]) -> list[tuple[str, list[Curve]]]:
    """Return the panels of the run: the dev mean and the learning rates."""
    mean = [Curve("mean", curve.steps, curve.values) for tag, curve in curves.items() if tag == "val/mean"]
    rates = [
        Curve(tag.removeprefix("lr-"), curve.steps, curve.values)
        for tag, curve in curves.items()
        if tag.startswith("lr-")
    ]
    distinct = {(tuple(rate.steps), tuple(rate.values)): rate for rate in reversed(rates)}
    return [panel for panel in (("dev mean", mean), ("learning rate", list(distinct.values())[::-1])) if panel[1]]
