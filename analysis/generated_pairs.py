"""The pairs that are made by rule, for reading: `python -m analysis.generated_pairs -c CONFIG --task TASK`."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from runtime.arguments import Arguments
from runtime.command import command
from runtime.importing import heavy_imports
from runtime.terminal import plain_console
from runtime.utf8 import use_utf8


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Make the pairs of a task as `fit` does, and print some of each kind."""
    parser = Arguments("analysis.generated_pairs", __doc__)
    parser.add_argument("-c", "--config", type=Path, action="append", required=True, help="as for train.py")
    parser.add_argument("--data.root", dest="root", metavar="DIR", help="folder of the files, as for train.py")
    parser.add_argument("--task", required=True, help="task about pairs")
    parser.add_argument("--print", type=int, default=10, metavar="N", dest="most", help="pairs of each kind (10)")
    options = parser.parse_args(arguments)
    with heavy_imports():
        from analysis.listed_pairs import choose_task, group_by_kind, list_pairs, read_configs
        from augmentation import PREFIX
    config = read_configs(options.config)
    task = choose_task(config["tasks"], options.task, train_limit=config["train_limit"])
    started, notes = time.perf_counter(), list[str]()
    root = Path(options.root or config["root"]).expanduser()
    made = [each for each in task.read_trained("train", root, notes.append) if each.id.startswith(PREFIX)]
    console = plain_console()
    for line in list_pairs(task, group_by_kind(made), options.most):
        console.print(line, markup=False, soft_wrap=True)
    console.print(f"\n{notes[-1]}, in {time.perf_counter() - started:.0f} s", markup=False, soft_wrap=True)


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
