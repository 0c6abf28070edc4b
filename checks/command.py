"""`python train.py check -c CONFIG`: what is wrong with the data, before any training."""

import time
from collections.abc import Callable
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING

from checks.finding import count_levels
from runtime.terminal import plain_console
from runtime.whole_files import check_file, replacing

if TYPE_CHECKING:
    from datamodules import MultitaskDataModule
    from lightning_modules import MultitaskModule

FAILED = 3  # exit status under --strict


def check(
    data: "MultitaskDataModule",
    build_model: "Callable[[], MultitaskModule]",
    *,
    json: Path | None = None,
    strict: bool = False,
    suspects: bool = False,
) -> int:
    """Say what is wrong with the data of a configuration; nothing is trained, no run folder touched.

    Args:
        data: The data, not yet read.
        build_model: Builds the model, for `suspects`.
        json: File that the findings are written to as well.
        strict: End with exit status 3 if a finding is an error.
        suspects: Look for wrong labels by the vectors of the frozen backbone too, which runs on every row.

    Returns:
        The exit status.

    Raises:
        InputError: If a file is wrong; the message is that of `fit`.
    """
    from checks.printing import as_dict, count_line, print_checked
    from checks.running import look

    started = time.perf_counter()
    if json is not None:
        check_file(json)
    console = plain_console()
    with console.status("looking at the data"):
        checked = look(data, build_model if suspects else None)
    print_checked(checked, data.root, console)
    seconds = time.perf_counter() - started
    console.print(f"{count_line(checked.findings)} in {seconds:.1f} s; docs/checks.md says what each means")
    if json is not None:
        with replacing(json) as file:
            file.write(f"{dumps(as_dict(checked), indent=2, ensure_ascii=False)}\n".encode())
    return FAILED if strict and count_levels(checked.findings)["error"] else 0
