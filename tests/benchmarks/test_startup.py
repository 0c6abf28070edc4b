import pytest

from benchmarks.startup import commands, run_startup, time_command


def test_a_command_has_cpu_and_wall_seconds() -> None:
    waiting, _ = time_command(["-c", "import time; time.sleep(0.3)"])
    cpu_s, wall_s = time_command(["-c", "import time\nwhile time.process_time() < 0.3: pass\ntime.sleep(0.3)"])
    assert waiting < 0.3 <= cpu_s < wall_s - 0.2


def test_a_command_that_fails_is_an_error_with_its_message() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)failed:.*no such luck"):
        time_command(["-c", "raise SystemExit('no such luck')"])


def test_help_the_configuration_and_the_first_step_are_measured() -> None:
    assert [name for name in commands("x") if name.startswith("ours")] == [
        "ours train.py --help",
        "ours train.py --print_config",
        "ours quickstart to the first step",
    ]


@pytest.mark.slow
def test_the_commands_run() -> None:
    entries = run_startup(1, report=lambda _: None)
    assert len(entries) == 4
    assert all(entry["cpu_s"] > 0 and entry["wall_s"] > 0 for entry in entries)
