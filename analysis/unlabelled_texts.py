"""Texts without a label, made from a run's rows for it to answer: `python -m analysis.unlabelled_texts RUN ...`."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from runtime.arguments import Arguments, seed_number, task_count
from runtime.command import command
from runtime.importing import heavy_imports
from runtime.utf8 import use_utf8


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Write the rows of tasks with made texts behind them, and say what to do with them."""
    parser = Arguments("analysis.unlabelled_texts", __doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a finished run, the teacher")
    parser.add_argument("--count", required=True, nargs="+", type=task_count, metavar="TASK=N", help="texts to make")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="folder to write")
    parser.add_argument("--seed", type=seed_number, default=0, help="seed of which are made (default %(default)s)")
    options = parser.parse_args(arguments)
    with heavy_imports():
        from analysis.making_texts import write_folder
        from analysis.run import Run
    for line in write_folder(Run(options.run), dict(options.count), options.output, seed=options.seed):
        print(line)
    config = options.output / "made_texts.yaml"
    predict = ["python", "train.py", "predict", "-c", str(options.run / "config.yaml"), "-c", str(config)]
    print(f"answer them: {shlex.join([*predict, '--ckpt_path', 'last', '--data.predict_splits', '[train]'])}")
    taught = " ".join(f"--tasks.{name}.teacher.files [FOLDER]" for name, _ in options.count)
    print(f"train on rows and answers: -c {shlex.quote(str(config))} {taught}   # FOLDER: the one that predict names")


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
