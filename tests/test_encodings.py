"""Files are UTF-8 and the terminal gets replacements, whatever the locale."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_imports import FILES, ROOT

PRODUCT = [path for path in FILES if path.parts[0] != "tests"]
PROGRAMS = [
    "analysis/debias.py",
    "analysis/ensemble.py",
    "analysis/forgotten.py",
    "analysis/generated_pairs.py",
    "analysis/report.py",
    "analysis/shortcuts.py",
    "analysis/thresholds.py",
    "analysis/twins.py",
    "analysis/unlabelled_texts.py",
    "analysis/word_order.py",
    "backbones/unpacking.py",
    "experiments/compare.py",
    "experiments/folds.py",
    "experiments/reproduce.py",
    "experiments/shortcuts.py",
    "experiments/soup.py",
    "experiments/transfer.py",
    "experiments/tune.py",
    "inference/export.py",
    "inference/int8.py",
    "inference/predict_table.py",
    "pretrain.py",
    "train.py",
]
OWN_TOOLS = {"benchmarks", "docs", "sample_data"}  # no user's text goes through them


def texts_in_the_locales_encoding(source: str) -> list[int]:
    """Return the lines of calls that open text without saying its encoding."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and _opens_text(node) and "encoding" not in {word.arg for word in node.keywords}
    ]


def _opens_text(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if ast.unparse(call.func) == "tarfile.open":
        return False
    words = {word.arg: word.value for word in call.keywords}
    constants = [*call.args, *([words["mode"]] if "mode" in words else [])]
    modes = {arg.value for arg in constants if isinstance(arg, ast.Constant) and isinstance(arg.value, str)}
    is_binary = any("b" in mode and len(mode) <= 3 for mode in modes)
    if name in ("open", "fdopen"):
        return not is_binary
    if name in ("TemporaryFile", "NamedTemporaryFile"):
        return bool(modes) and not is_binary
    return name in ("read_text", "write_text") or (name in ("run", "Popen", "check_output") and "text" in words)


@pytest.mark.parametrize(
    ("call", "is_found"),
    [
        ("Path('a').read_text()", True),
        ("path.write_text('x', encoding='utf-8')", False),
        ("open('a')", True),
        ("path.open('rb')", False),
        ("path.open(mode='wb')", False),
        ("os.fdopen(1, 'w')", True),
        ("TemporaryFile('w+')", True),
        ("TemporaryFile()", False),
        ("subprocess.run(['a'], text=True)", True),
        ("subprocess.run(['a'])", False),
    ],
)
def test_calls_that_open_text_are_found(call, is_found):
    assert texts_in_the_locales_encoding(call) == [1] * is_found


def test_every_file_of_the_product_is_opened_as_utf8():
    found = {path: texts_in_the_locales_encoding((ROOT / path).read_text(encoding="utf-8")) for path in PRODUCT}
    assert len(found) > 150
    assert {str(path): lines for path, lines in found.items() if lines} == {}


def test_every_program_uses_utf8():
    texts = {str(path): (ROOT / path).read_text(encoding="utf-8") for path in PRODUCT}
    mains = {name: text.partition('if __name__ == "__main__":\n')[2] for name, text in texts.items()}
    programs = sorted(name for name, main in mains.items() if main and Path(name).parts[0] not in OWN_TOOLS)
    assert programs == PROGRAMS
    assert all(mains[name].startswith("    use_utf8()\n") for name in programs)


PROBE = """
import sys
from pathlib import Path
from runtime.utf8 import use_utf8
if __name__ == "__main__":
    use_utf8()
    open(sys.argv[1], "w").write("gr\\u00f6\\u00dfer")
    print("gr\\u00f6\\u00dfer", sys.argv[2] == "gr\\u00f6\\u00dfer")
    sys.exit(7)
"""


@pytest.mark.parametrize(
    ("environment", "printed"),
    [
        ({"LC_ALL": "C", "PYTHONUTF8": "0"}, b"gr??er True\n"),
        ({"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "ascii"}, b"gr??er True\n"),
        ({"LC_ALL": "C.UTF-8"}, "größer True\n".encode()),
    ],
)
def test_a_program_writes_utf8_and_shows_what_the_terminal_can(tmp_path, environment, printed):
    (tmp_path / "program.py").write_text(PROBE, encoding="utf-8")
    target = tmp_path / "größer.txt"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
    ended = subprocess.run(
        [sys.executable, str(tmp_path / "program.py"), str(target), "größer"],
        env={**clean, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (7, printed, b"")
    assert target.read_bytes() == "größer".encode()
