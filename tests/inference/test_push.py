import subprocess
import sys

import pytest

from inference.export import parse_arguments
from runtime.version import ROOT
from tests.inference.exports import PAIR_TASKS
from tests.inference.hub import serving

PUSHES = """
import sys
from pathlib import Path
from inference.exporting import push
from inference.written import Written
written = Written(Path(sys.argv[1]), "transformers", ("sst",), (), "")
for name, public in zip(sys.argv[2::2], sys.argv[3::2], strict=True):
    try:
        print(push(written, name, public=public == "public"))
    except ValueError as error:
        print(error)
"""


def test_a_repository_is_private_unless_a_public_one_is_asked_for(tmp_path):
    (tmp_path / "README.md").write_text("a card")
    wishes = {"me/new": "private", "me/shown": "public", "me/open": "private", "me/closed": "public"}
    arguments = [word for wish in [*wishes.items(), ("me/new", "private")] for word in wish]
    with serving({"me/open": False, "me/closed": True}) as hub:
        command = [sys.executable, "-c", PUSHES, str(tmp_path), *arguments]
        ended = subprocess.run(command, cwd=ROOT, env=hub.environment, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines() == [
        f"{hub.address}/me/new",
        f"{hub.address}/me/shown",
        "--push_to_hub me/open: is a public repository already (expected a private one, or the flag --public)",
        "--push_to_hub me/closed: is a private repository already (expected a public one, or no --public)",
        f"{hub.address}/me/new",
    ]
    assert hub.private == {"me/new": True, "me/shown": False, "me/open": False, "me/closed": True}
    assert hub.files == dict.fromkeys(("me/new/README.md", "me/shown/README.md"), b"a card")


def test_public_belongs_to_an_upload(capsys):
    arguments = ["run", "out", "--format", "onnx"]
    assert not parse_arguments([*arguments, "--push_to_hub", "me/mine"]).public
    assert parse_arguments([*arguments, "--push_to_hub", "me/mine", "--public"]).public
    with pytest.raises(SystemExit):
        parse_arguments([*arguments, "--public"])
    assert "--public is for --push_to_hub" in capsys.readouterr().err


@pytest.mark.slow
def test_an_export_is_uploaded_whole(whole_run, tmp_path):
    run, out = whole_run(**PAIR_TASKS).version(0), tmp_path / "out"
    command = [sys.executable, "-m", "inference.export", str(run), str(out), "--format", "transformers"]
    with serving() as hub:
        ended = subprocess.run(
            [*command, "--tasks", "sst", "--push_to_hub", "me/mine"],
            cwd=ROOT,
            env=hub.environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    assert hub.private == {"me/mine-sst": True}
    written = {path.name: path.read_bytes() for path in (out / "sst").iterdir()}
    assert hub.files == {f"me/mine-sst/{name}": content for name, content in written.items()}
    assert b'"me/mine-sst"' in written["README.md"]
    assert f"uploaded: {hub.address}/me/mine-sst (private)" in ended.stdout
