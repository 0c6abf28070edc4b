"""What is wrong on the command line or in a configuration, in one sentence."""

import re
from collections.abc import Callable, Sequence

from command_line.class_errors import missing, no_class, unknown_class, unknown_option
from command_line.complaint import Complaint
from command_line.flag_errors import key_twice, linked, misplaced, no_tasks, unknown_flag
from command_line.own_classes import own_class
from command_line.settings import given_settings
from command_line.value_errors import no_file, no_group, unknown_command, wrong_value
from command_line.wishes import Flags

NO_ANSWER = re.compile(
    r"Expected a <class '(NoneType|list)'>$|Expected a path but .* either not accessible or invalid$"
)
EXPLANATIONS: tuple[Callable[[Complaint], str | None], ...] = (
    unknown_command,
    no_file,
    unknown_flag,
    linked,
    misplaced,
    key_twice,
    no_tasks,
    own_class,
    missing,
    unknown_class,
    unknown_option,
    no_class,
    no_group,
    wrong_value,
)


def explain(message: str, flags: Flags, arguments: Sequence[str]) -> str:
    """Return jsonargparse's message in one sentence.

    Args:
        message: What jsonargparse says.
        flags: All flags that there are.
        arguments: The command line.

    Example:
        >>> explain("unrecognized arguments: --data.rot x", Flags(["--data.root", "--data.seed"]), [])
        'no flag --data.rot (did you mean --data.root?)'
        >>> explain("argument subcommand: invalid choice: 'chek' (choose from 'fit', 'check')", Flags([]), [])
        'no command chek (did you mean check?) (expected one of fit, check)'
    """
    complaint = Complaint(message, given_settings(arguments), flags)
    for explanation in EXPLANATIONS:
        if (sentence := explanation(complaint)) is not None:
            return sentence
    lines = [line.strip().removeprefix("- ") for line in message.removeprefix('Parser key "config": ').splitlines()]
    return "; ".join(line for line in dict.fromkeys(lines) if line and not NO_ANSWER.match(line))
