"""Whether a trained model reads the order of words: `python -m analysis.word_order RUN --task TASK`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from runtime.arguments import Arguments
from runtime.command import command
from runtime.importing import heavy_imports
from runtime.terminal import plain_console
from runtime.utf8 import use_utf8
from runtime.whole_files import check_file


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Rate the pairs with a trained model and show how well it tells both meanings apart."""
    parser = Arguments("analysis.word_order", __doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a run, or a checkpoint")
    parser.add_argument("--task", required=True, help="task about pairs")
    parser.add_argument("--same", metavar="CLASS", help="class that means the same (default the last of two)")
    parser.add_argument("--pairs", type=Path, metavar="FILE.csv", help="write pairs and ratings, for reading")
    options = parser.parse_args(arguments)
    if options.pairs is not None:
        check_file(options.pairs)
    with heavy_imports():
        from analysis.order_ratings import build_table, rate, write_pairs
        from augmentation.held_out import build_order_pairs
        from heads import Scores
        from inference import Predictor
    predictor = Predictor.load(options.run)
    pairs = [*build_order_pairs()]
    predictions = predictor.predict(options.task, [pair.texts for pair in pairs])
    task = predictor.tasks[options.task]
    ratings = rate(task, predictions, options.same)
    plain_console().print(build_table(pairs, ratings, is_score=isinstance(task.labels, Scores)).to_rich())
    if options.pairs is not None:
        write_pairs(options.pairs, pairs, ratings)


if __name__ == "__main__":
    use_utf8()
    sys.exit(main())
