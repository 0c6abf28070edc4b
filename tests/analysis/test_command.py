import pytest

from analysis.command import command
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
    assert run(KeyboardInterrupt()) == 130
    with pytest.raises(ValueError, match="our own mistake"):
        run(ValueError("our own mistake"))
