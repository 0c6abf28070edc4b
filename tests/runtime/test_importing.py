import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = """
import gc
from runtime.importing import heavy_imports

{before}
passes = []
gc.callbacks.append(lambda phase, info: passes.append(phase))
with heavy_imports():
    import numpy
    print(gc.isenabled(), len(passes))
gc.callbacks.clear()
print(gc.isenabled(), gc.get_freeze_count() > 10_000)
"""


def run(before: str) -> list[str]:
    """Return what the program prints."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("{before}", before)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout.split()


def test_the_collector_stops_for_heavy_imports_and_never_looks_at_them_again() -> None:
    assert run("") == ["False", "0", "True", "True"]


def test_a_collector_that_is_off_stays_off() -> None:
    assert run("gc.disable()") == ["False", "0", "False", "False"]


def test_where_torch_is_there_already_nothing_changes() -> None:
    assert run("import sys; sys.modules['torch'] = None")[0::2] == ["True", "True"]
    assert run("import sys; sys.modules['torch'] = None")[3] == "False"
