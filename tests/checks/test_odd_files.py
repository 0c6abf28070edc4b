"""The tables of files that `fit` refuses and accepts, without the command line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from checks.printing import as_dict, print_checked
from checks.running import look
from datamodules import MultitaskDataModule
from runtime.terminal import plain_console
from tasks import Classification, InputError, Source
from tests.cli.test_bad_input import ACCEPTED, GOOD, REFUSED

MakeData = Callable[[bytes], MultitaskDataModule]


@pytest.fixture
def make_data(tiny_backbone: Path, tmp_path: Path) -> MakeData:
    (tmp_path / "dev.csv").write_text(GOOD)
    source = Source(train="train.csv", dev="dev.csv")
    task = Classification(source=source, texts=("text",), label="y", id="name", num_classes=2)

    def make(content: bytes) -> MultitaskDataModule:
        (tmp_path / "train.csv").write_bytes(content)
        cache = str(tmp_path / "cache")
        return MultitaskDataModule({"films": task}, str(tiny_backbone), root=str(tmp_path), cache_dir=cache)

    return make


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_file_is_refused_with_the_sentence_of_fit(case: str, make_data: MakeData):
    content, message = REFUSED[case]
    with pytest.raises(InputError) as refused:
        look(make_data(content), None)
    assert message in str(refused.value)


@pytest.mark.parametrize("case", ACCEPTED)
def test_an_odd_file_is_checked_and_printed(case: str, make_data: MakeData, tmp_path: Path, capsys):
    checked = look(make_data(ACCEPTED[case]), None)
    assert checked.splits["films"]["dev"].rows == 3
    print_checked(checked, tmp_path, plain_console())
    assert capsys.readouterr().out.count("films") > 4
    assert as_dict(checked)["tasks"]["films"]["splits"]["train"]["rows"] == checked.splits["films"]["train"].rows


def test_a_cut_text_and_a_class_that_never_comes_are_told(make_data: MakeData):
    found = {finding.check for finding in look(make_data(ACCEPTED["a sentence of 100,000 letters"]), None).findings}
    assert "cut" in found
    found = {finding.check for finding in look(make_data(ACCEPTED["a class that never comes"]), None).findings}
    assert {"class-not-in-train", "one-label"} <= found
