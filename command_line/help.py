"""`--help` for people: our settings first, Lightning's usual ones after them, and everything with `--help_all`."""

import argparse
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from jsonargparse import ArgumentParser

OFTEN = {  # what is shown of Lightning's
    *("trainer.max_epochs", "trainer.max_steps", "trainer.max_time", "trainer.devices"),
    *("trainer.accelerator", "trainer.precision", "trainer.accumulate_grad_batches", "trainer.gradient_clip_val"),
    *("trainer.val_check_interval", "trainer.log_every_n_steps", "trainer.enable_progress_bar"),
    *("best_checkpoint.monitor", "best_checkpoint.mode", "best_checkpoint.save_top_k"),
}
SELDOM = {"trainer", "best_checkpoint", "weights_only", "verbose", "return_predictions"}
CHECKPOINT = {
    "fit": "Checkpoint to continue from: `last` for the newest run's, `auto` for the same or a fresh start where there "
    "is none, `best`, `best-TASK`, a run's folder, or a file.",
    "other": "Weights to use: `best`, `best-TASK` or `last` for those of the newest run, or of RUN with "
    "`-c RUN/config.yaml`; a run's folder (its best ones); or a file.",
}
LAST = ("trainer.", "best_checkpoint.")
LINKED = "Linked arguments"
EPILOG = "More: --help_all shows the rest of Lightning's options, --tasks.help Sst the options and defaults of a class."


def describe_checkpoint(actions: Iterable[argparse.Action], subcommand: str) -> None:
    """Say what `--ckpt_path` takes here, which is not what Lightning's own takes."""
    for action in actions:
        if action.dest == "ckpt_path":
            action.help = CHECKPOINT.get(subcommand, CHECKPOINT["other"])


def is_shown(action: argparse.Action) -> bool:
    """Whether an option belongs to the short help."""
    name = action.dest if action.dest != argparse.SUPPRESS else "".join(action.option_strings[:1]).strip("-")
    if not action.option_strings or name in SELDOM or name.startswith("print_"):
        return False
    plain = name.removesuffix(".help")
    is_lightning = name.partition(".")[0] in ("trainer", "best_checkpoint")
    is_file = action.metavar == "CONFIG" and name != "config"  # `--model CONFIG`
    return not is_file and (plain in OFTEN and plain == name if is_lightning else plain == name)


@contextmanager
def short(parser: argparse.ArgumentParser) -> Iterator[None]:
    """Hide what is seldom needed, and put Lightning's groups behind ours."""
    links = [action for group in parser._action_groups if group.title == LINKED for action in group._group_actions]
    hidden = [(action, action.help) for action in parser._actions if action in links or not is_shown(action)]
    groups, usage = list(parser._action_groups), parser.usage
    for action, _ in hidden:
        action.help = argparse.SUPPRESS
    parser._action_groups.sort(key=lambda group: any(each.dest.startswith(LAST) for each in group._group_actions))
    parser.usage = f"{parser.prog.replace(' [options]', '')} -c FILE [--NAME VALUE ...]".replace("%", "%%")
    try:
        yield
    finally:
        for action, text in hidden:
            action.help = text
        parser._action_groups[:], parser.usage = groups, usage


def task_help(task: type) -> str:
    """Return the help of the options that every task has."""
    parser = ArgumentParser(usage=argparse.SUPPRESS, add_help=False)
    parser.add_class_arguments(task, "tasks.NAME", help="Options of a task, each with the name of yours")
    for action in parser._actions:
        if any(name.endswith(".help") for name in action.option_strings):
            action.help = argparse.SUPPRESS
    return parser.format_help().strip()
