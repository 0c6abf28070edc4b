import warnings

import pytest

from runtime.command import command
from tasks import InputError


@command
def run(error: BaseException | None, *, status: int | None = None) -> int | None:
    if error is not None:
        raise error
    return status


def test_a_command_ends_with_its_status():
    assert [run(None), run(None, status=0), run(None, status=1)] == [0, 0, 1]


def test_what_the_user_got_wrong_is_one_sentence(capsys):
    assert run(InputError("a.csv: no such file")) == 2
    assert capsys.readouterr().err == "error: a.csv: no such file\n"
    assert run(ValueError("no tokenizer")) == 2  # as packages that know no InputError raise
    assert run(PermissionError(13, "Permission denied", "runs")) == 2
    assert "runs: Permission denied" in capsys.readouterr().err
    assert run(KeyboardInterrupt()) == 130


@pytest.mark.parametrize(
    "advice",
    ["The variance of predictions or target is close to zero. Consider", "Glyph 20154 missing from font(s) A."],
)
def test_a_command_leaves_out_advice_of_libraries_that_does_not_apply(advice):
    @command
    def advise() -> None:
        warnings.warn(advice, stacklevel=1)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert advise() == 0


def test_our_own_mistakes_keep_their_traceback():
    with pytest.raises(KeyError, match="our own mistake"):
        run(KeyError("our own mistake"))
