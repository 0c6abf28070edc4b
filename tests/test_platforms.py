import subprocess
import sys

import pytest

from callbacks.stopping import SIGNALS
from runtime.version import ROOT, VERSION

# What Windows lacks; the libraries are imported before, since here they may use it.
AS_ON_WINDOWS = """
import runpy, signal, sys
import datasets, lightning.pytorch, peft, torch.utils.tensorboard
from transformers import BertForMaskedLM
del signal.SIGUSR1
sys.modules.update(resource=None, fcntl=None)
for script in sys.argv[1:]:
    sys.argv = [script, "--version"]
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as ended:
        assert not ended.code
"""


@pytest.mark.slow
def test_the_entry_points_start_without_what_windows_lacks():
    command = [sys.executable, "-c", AS_ON_WINDOWS, "train.py", "pretrain.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"train.py {VERSION}\npretrain.py {VERSION}\n"), done.stderr


def test_all_three_signals_are_taken_here():
    assert [number.name for number in SIGNALS] == ["SIGTERM", "SIGINT", "SIGUSR1"]
