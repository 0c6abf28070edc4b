"""The parser of `python -m …` commands."""

import ast
import re
from pathlib import Path

import pytest

from runtime.arguments import Arguments, seed_number

ROOT = Path(__file__).resolve().parent.parent.parent


def build() -> Arguments:
    parser = Arguments("some.command", "What it does.", passes_on="train.py")
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("-c", "--config", action="append")
    parser.add_argument("--output", required=True)
    parser.add_argument("--dry_run", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seed", type=seed_number, default=42)
    parser.add_argument("--max_loss", type=float, default=0.1)
    parser.add_argument("--method", choices=("uniform", "greedy"))
    parser.add_argument("--data.root", dest="root")
    parser.add_argument("--names", nargs="+")
    return parser


@pytest.mark.parametrize("spelling", ["--dry_run", "--dry-run"])
def test_both_spellings_of_an_option_are_one(spelling):
    parsed = build().parse_args(["my-run", "--output=some-where", spelling, "--max-loss=-0.5", "--names", "a-b", "c"])
    assert parsed.dry_run
    assert (parsed.run, parsed.output, parsed.max_loss, parsed.names) == ("my-run", "some-where", -0.5, ["a-b", "c"])


def test_what_follows_two_dashes_is_left_alone():
    parser = Arguments("some.command", None)
    parser.add_argument("words", nargs="*")
    assert parser.parse_args(["--", "--dry-run", "--no=such-thing"]).words == ["--dry-run", "--no=such-thing"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("r --ouput x", "no flag --ouput (did you mean --output?)"),
        ("r --out=x", "no flag --out (did you mean --output?)"),
        ("r --output x --dry-rum", "no flag --dry-rum (did you mean --dry_run?)"),
        ("r --output x --data.rot d", "no flag --data.rot (did you mean --data.root?)"),
        (
            "r --output x --trainer.max_epochs 3",
            "no flag --trainer.max_epochs (flags of train.py come after --)",
        ),
        ("r --output x --zzz", "no flag --zzz"),
        ("r --output x -q", "no flag -q"),
        ("r s --output x", "'s' belongs to no flag"),
        ("", "no RUN and no --output (expected in the command)"),
        ("r --output", "--output has no value (expected one after it)"),
        ("r --output x --names", "--names has no value (expected at least one after it)"),
        ("r --output x -c", "--config has no value (expected one after it)"),
        (
            "r --output x --method greedi",
            "--method is greedi (did you mean greedy?) (expected one of uniform, greedy)",
        ),
        ("r --output x --seeds two", "--seeds is two (expected a whole number)"),
        ("r --output x --seed -1", "--seed is -1 (expected a whole number from 0)"),
        ("r --output x --seed one", "--seed is one (expected a whole number from 0)"),
        ("r --output x --max_loss little", "--max_loss is little (expected a number)"),
        ("r --output x --dry_run=yes", "--dry_run is yes (expected it without a value)"),
    ],
)
def test_a_mistake_is_one_sentence(words, sentence, capsys):
    with pytest.raises(SystemExit) as ended:
        build().parse_args(words.split())
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"error: {sentence}\nAll options: python -m some.command --help\n"


def added_options(text: str) -> list[str]:
    """Return the options that a file adds to a parser."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    adding = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument"]
    names = [word.value for call in adding for word in call.args if isinstance(word, ast.Constant)]
    return [name for name in names if isinstance(name, str) and name.startswith("--")]


def test_every_command_has_this_parser_and_spells_options_with_underscores():
    paths = [path for path in ROOT.glob("[a-z]*/**/*.py") if path.relative_to(ROOT).parts[0] != "tests"]
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}
    commands = {name: text for name, text in texts.items() if added_options(text) and "__main__" in text}
    assert len(commands) > 15
    others = {name for name, text in commands.items() if "Arguments(" not in text}
    assert others == {"sample_data/generate.py", "docs/pictures.py"}  # scripts, which import none of ours
    assert [name for name in set(commands) - others if re.search(r'seed", type=(?!seed_number)', commands[name])] == []
    assert [option for text in texts.values() for option in added_options(text) if "-" in option[2:]] == []
