import pytest

from callbacks import BestCheckpoint
from command_line.best_options import REFUSED, check_best_options
from tasks import InputError

DEFAULTS = {"save_top_k": 1, "save_on_train_epoch_end": False, "save_last": None, "every_n_train_steps": None}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("every_n_train_steps", 5, "null; weights are kept after their validation alone"),
        ("train_time_interval", "00:00:01:00", "null; weights are kept after their validation alone"),
        ("save_on_train_epoch_end", True, "false; weights are kept after their validation alone"),
        ("save_on_train_epoch_end", None, "false; weights are kept after their validation alone"),
        ("save_on_exception", True, "false; weights are kept after their validation alone"),
        ("save_last", True, "null; last.ckpt holds everything in any case"),
        ("save_last", "link", "null; last.ckpt holds everything in any case"),
    ],
)
def test_weights_without_a_validation_of_their_own_are_not_kept_as_the_best(name, value, expected):
    with pytest.raises(InputError, match=f"best_checkpoint.{name} is {value} \\(expected {expected}"):
        check_best_options({**DEFAULTS, name: value})


def test_what_is_refused_are_options_and_the_others_pass():
    check_best_options({**DEFAULTS, "save_top_k": -1, "every_n_epochs": 2})
    assert len(REFUSED) == 5
    BestCheckpoint(**dict.fromkeys(REFUSED))  # each is an option of Lightning's
