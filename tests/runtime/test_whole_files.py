import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runtime.file_errors import explain_refusal
from runtime.whole_files import check_place, remove_left_behind, replacing, replacing_folder, replacing_text

KILLED = """
import os, signal, sys
from pathlib import Path
from runtime.whole_files import replacing, replacing_folder
target = Path(sys.argv[1])
with replacing(target) as file, replacing_folder(target.with_name("folder")) as folder:
    file.write(b"half")
    (folder / "part").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""

STREAMED = """
import sys
from pathlib import Path
from runtime.whole_files import check_place, replacing_text
target = Path(sys.argv[1])
check_place(target)
with replacing_text(target) as file:
    file.write("é\\n")
"""


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_the_next_writer_removes_what_a_killed_one_left_behind(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "page.html")], check=False)
    assert [name.rpartition(".")[2] for name in names(tmp_path)] == ["partial", "partial"]

    with replacing_text(tmp_path / "page.html") as file:
        file.write("whole")
    with replacing_folder(tmp_path / "folder") as folder:
        (folder / "part").write_text("whole")

    assert names(tmp_path) == ["folder", "page.html"]
    assert (tmp_path / "page.html").read_text() == "whole"
    assert names(tmp_path / "folder") == ["part"]


def test_a_folder_of_an_earlier_process_with_the_same_number_is_in_nobodys_way(tmp_path):
    left = tmp_path / f".out.{platform.node()}.{os.getpid()}.partial"
    left.mkdir()
    (left / "old").write_text("")
    with replacing_folder(tmp_path / "out") as folder:
        (folder / "new").write_text("")
    assert names(tmp_path / "out") == ["new"]
    assert names(tmp_path) == ["out"]


def test_files_of_writers_that_may_be_alive_stay(tmp_path):
    alive = [
        f".a.csv.{platform.node()}.{os.getppid()}.partial",
        ".a.csv.elsewhere.7.partial",
        ".b.csv.elsewhere.8.partial",
    ]
    for name in alive:
        (tmp_path / name).write_text("")
    old = tmp_path / ".a.csv.elsewhere.9.partial"
    old.write_text("")
    two_days_ago = time.time() - 2 * 24 * 60 * 60
    for path in (old, tmp_path / alive[-1]):  # the latter of another target
        os.utime(path, (two_days_ago, two_days_ago))

    with replacing(tmp_path / "a.csv") as file:
        file.write(b"1")

    assert names(tmp_path) == sorted([*alive, "a.csv"])


def test_only_what_our_writers_left_behind_is_removed(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = [f".last.ckpt.{platform.node()}.{ended.pid}.partial", f".best-a.ckpt.{platform.node()}.{ended.pid}.partial"]
    kept = ["last.ckpt", f".last.ckpt.{platform.node()}.{os.getpid()}.partial", ".download.partial"]
    for name in (*left, *kept):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (0, 0))
    remove_left_behind(tmp_path.iterdir())
    assert names(tmp_path) == sorted(kept)


def test_a_refusal_names_the_file_that_was_to_be_written(tmp_path):
    target = tmp_path / ("long" * 62)  # with the writer's part the name is too long
    with pytest.raises(OSError, match="too long") as refused, replacing(target):
        pass
    assert refused.value.filename == str(target)


def test_a_folder_that_another_process_has_filled_meanwhile_stays_and_is_named(tmp_path):
    target = tmp_path / "out"

    def fill(mine: Path) -> None:
        (mine / "mine").write_text("")
        target.mkdir()
        (target / "theirs").write_text("")

    with pytest.raises(OSError, match="not empty") as refused, replacing_folder(target) as folder:
        fill(folder)
    said = explain_refusal(refused.value) or ""
    assert said.startswith(f"{target}: a folder that holds files is in the way (expected a place ")
    assert names(tmp_path) == ["out"]
    assert names(target) == ["theirs"]


def test_a_pipe_or_device_is_written_itself():
    done = subprocess.run([sys.executable, "-c", STREAMED, "/dev/stdout"], capture_output=True, check=True)
    assert done.stdout.decode() == "é\n"
    with replacing(Path(os.devnull)) as file:
        file.write(b"1")
    check_place(Path(os.devnull))
    assert not Path(os.devnull).is_file()


def test_standard_output_that_goes_to_a_file_is_written_itself(tmp_path):
    """A new file in the place of /dev/stdout would be that of every later program, if this one may write there."""
    with (tmp_path / "out.txt").open("wb") as out:
        subprocess.run([sys.executable, "-c", STREAMED, "/dev/fd/1"], stdout=out, check=True)
    assert (tmp_path / "out.txt").read_text() == "é\n"
    assert names(tmp_path) == ["out.txt"]


def test_a_text_file_keeps_its_line_ends_and_is_utf8(tmp_path):
    with replacing_text(tmp_path / "a.txt") as file:
        file.write("é\r\nb\n")
    assert (tmp_path / "a.txt").read_bytes() == "é\r\nb\n".encode()


def test_an_error_while_writing_text_leaves_the_old_file(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(ZeroDivisionError), replacing_text(tmp_path / "a.txt") as file:
        file.writelines(str(1 // number) for number in (1, 0))
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]
