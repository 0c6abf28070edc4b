"""Values that do not fit."""

import ast
import codecs
import json
import re
from collections.abc import Sequence
from pathlib import Path

from command_line.complaint import VALUE, Complaint
from command_line.settings import CLASS_PATH, INIT_ARGS
from runtime.suggestions import did_you_mean, suggest
from tasks.encoding import BOTH, INSTEAD_OF_BOTH

LITERAL = re.compile(r"Literal\[([^\]]*)\]")
LIST, MAPPING = "a list, as in '[a, b]'", "a mapping, as in '{name: value}'"
TYPES = {"tuple": LIST, "list": LIST, "dict": MAPPING, "bool": "true or false"}
COMMAND = re.compile(r"argument subcommand: invalid choice: '([^']*)' \(choose from (.*)\)")
PRECISIONS = {  # what a precision by another name holds, and ours for it
    **{"bf": "bf16-mixed", "16": "16-mixed", "half": "16-mixed", "32": "32-true", "single": "32-true"},
    **{"64": "64-true", "double": "64-true"},
}
METRICS = {  # what metrics are called elsewhere
    **{"mae": "mean_absolute_error", "acc": "accuracy", "mcc": "matthews", "auc": "auroc", "roc_auc": "auroc"},
    **{"qwk": "quadratic_kappa", "ece": "expected_calibration_error", "pr_auc": "average_precision"},
    **{"f1_macro": "macro_f1", "f1_micro": "micro_f1", "f1_weighted": "weighted_f1", "pearsonr": "pearson"},
    **{"spearmanr": "spearman", "r2_score": "r2", "cohen_kappa": "kappa", "kendalltau": "kendall"},
}
NO_FILE = re.compile(r"(?:Parser key \"\w+\": )?(?:- )?File does not exist: '([^']*)'")


def wrong_value(complaint: Complaint) -> str | None:
    """Explain a value of a wrong type, or none of those that can be chosen."""
    message, value = complaint.message, complaint.value
    if not VALUE.search(message) or not re.search(r"Expected a |Subtypes: ", message):
        return None
    if complaint.setting() is None and value == "None":
        return f"no {complaint.option} (expected in a configuration or as --{complaint.option})"
    types = [name for name in re.findall(r"Expected a <class '(\w+)'>", message) if name != "NoneType"]
    truths = [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, bool)]
    if "str" in types and truths:
        reads = f"YAML reads yes, no, on, off, true and false as {truths[0]}"
        return f'{complaint.place}: {reads} (expected quotes, as in "no")'
    choices = [str(one) for text in LITERAL.findall(message) for one in ast.literal_eval(f"[{text}]")]
    if complaint.option.endswith("encoding") and value == BOTH:
        expected = INSTEAD_OF_BOTH
    elif re.search(r"Subtypes: \[dict", message):
        expected = MAPPING
    elif choices:
        expected = _among(list(dict.fromkeys(choices)), is_list="tuple[" in message or isinstance(value, list))
    elif types:
        expected = " or ".join(dict.fromkeys(TYPES.get(name, name) for name in types))
    else:
        return None
    wish = next((ours for part, ours in PRECISIONS.items() if part in str(value).lower()), None)
    named = [str(each) for each in (value if isinstance(value, list) else [value])]
    unknown = next((name for name in named if name not in choices), "")
    wish = wish if wish in choices else METRICS.get(unknown.lower())
    meant = did_you_mean(wish) if wish in choices else suggest(unknown, choices)
    if complaint.option.endswith("encoding") and _is_codec(value):
        expected += "; the character encoding of files is source.encoding"
    return f"{complaint.place} is {shown(value)}{meant} (expected {expected})"


def _is_codec(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(codecs.lookup(value))
    except LookupError:
        return False


def unknown_command(complaint: Complaint) -> str | None:
    """Explain a first word that is no command, as in `train.py chek`."""
    if not (found := COMMAND.search(complaint.message)):
        return None
    commands = re.findall(r"\w+", found[2])
    return f"no command {found[1]}{suggest(found[1], commands)} (expected {_among(commands, is_list=False)})"


def no_file(complaint: Complaint) -> str | None:
    """Explain a configuration that is not there, with the one of its folder that was probably meant."""
    if not (found := NO_FILE.fullmatch(complaint.message.strip())):
        return None
    path = Path(found[1])
    others = [file.name for file in path.parent.glob("*.yaml")]
    return f"no file {path}{suggest(path.name, others)}"


def no_group(complaint: Complaint) -> str | None:
    """Explain a value where a group of options is expected."""
    if found := re.search(r"Unable to load config '?\"?([^'\"]*)", complaint.message):
        setting = complaint.setting()
    elif found := re.search(r"Subclasses are disabled .* thus '([^']+)' is not accepted", complaint.message):
        setting = next((one for one in complaint.given if one.value == found[1]), None)
    elif re.search(r"Not a valid subclass|import path", complaint.message) and complaint.setting() is not None:
        return f"{complaint.place} is {complaint.value!r} (expected its options, or a class with them)"
    else:
        return None
    where, key = (setting.where, setting.key) if setting else ("", complaint.option)
    return f"{where}{no_options(key, found[1])}"


def no_options(key: str, value: object) -> str:
    """Return a sentence about a value where a group of options is expected.

    Example:
        >>> no_options("plateau", None)
        'plateau is null (expected its options, as in --plateau.NAME, or a file of them)'
    """
    owner, _, last = key.rpartition(".")
    if last == CLASS_PATH:
        return f"{key} is {shown(value)} (expected the name of a class)"
    if last == "source" and isinstance(value, str):
        file = json.dumps(value)
        expected = f"{{train: {file}, dev: FILE}}, or {{all: {file}, dev_share: 0.1}} for one file to be split"
        return f"{key} is {shown(value)} (expected {expected})"
    flag = f"--{owner if last == INIT_ARGS else key}.NAME"
    return f"{key} is {shown(value)} (expected its options, as in {flag}, or a file of them)"


def shown(value: object) -> str:
    """Return a value as YAML has it, if that is null, or else as Python has it."""
    return "null" if value is None else repr(value)


def _among(choices: Sequence[str], *, is_list: bool) -> str:
    many = "a list of " if is_list else "one of " if len(choices) > 1 else ""
    return f"{many}{', '.join(choices)}"
