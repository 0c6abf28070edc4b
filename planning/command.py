"""`python train.py plan -c CONFIG`: what the schedule of a configuration will do, before any training."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datamodules import MultitaskDataModule
    from lightning_modules import MultitaskModule

FAILED = 3  # exit status under --strict
FIGURES = (".png", ".svg", ".pdf")


@dataclass(frozen=True)
class Candidate:
    """A configuration that a plan is made of.

    Args:
        name: Its name.
        data: Its data, not yet read.
        build_model: Builds its model.
        settings: All its settings by name, as objects.
    """

    name: str
    data: "MultitaskDataModule"
    build_model: "Callable[[], MultitaskModule]"
    settings: Mapping[str, Any]


def plan(
    candidates: list[Candidate],
    *,
    json: Path | None = None,
    strict: bool = False,
    figure: Path | None = None,
    time: int = 0,
    passes: float = 10.0,
) -> int:
    """Say what the schedule of a configuration will do; nothing is trained or kept.

    Args:
        candidates: The configuration, and those to compare it with.
        json: File that the plan is written to as well.
        strict: End with exit status 3 if a warning is an error, such as a task without a batch.
        figure: Picture of the order of the tasks: a .png, .svg or .pdf file.
        time: Time this many steps, and expect time and memory of the training from them; 0 for none.
        passes: Warn of a task with more passes over its rows.

    Returns:
        The exit status.

    Raises:
        InputError: If a file is wrong, with the message of `fit`, or an option is out of range.
    """
    from planning.making import make_plan
    from planning.output import save_figure, show, write_json
    from runtime.whole_files import check_file
    from tasks import InputError

    if time < 0:
        raise InputError(f"--time is {time} (expected 0 or more steps)")
    if passes <= 0:
        raise InputError(f"--passes is {passes} (expected more than 0)")
    if figure is not None and figure.suffix not in FIGURES:
        raise InputError(f"--figure {figure}: cannot be drawn (expected a name with {', '.join(FIGURES)})")
    for path in (json, figure):
        if path is not None:
            check_file(path)
    made = [
        make_plan(each.name, each.data, each.build_model, each.settings, time=time, passes=passes)
        for each in candidates
    ]
    plans = [one for one, _ in made]
    show(plans)
    if json is not None:
        write_json(json, plans)
    if figure is not None:
        save_figure(figure, made)
    failed = any(concern.level == "error" for one in plans for concern in one.concerns)
    return FAILED if strict and failed else 0
