"""Which options of Lightning's ModelCheckpoint work for the best checkpoint."""

from collections.abc import Mapping
from typing import Any

from tasks import InputError

VALIDATED = "weights are kept after their validation alone; --trainer.val_check_interval validates more often"
STOPPED = "null; last.ckpt holds everything in any case, see --checkpoint.every_n_train_steps"
REFUSED: Mapping[str, str] = {  # what is expected, by option
    "every_n_train_steps": f"null; {VALIDATED}",
    "train_time_interval": f"null; {VALIDATED}",
    "save_on_train_epoch_end": f"false; {VALIDATED}",
    "save_on_exception": f"false; {VALIDATED}",
    "save_last": STOPPED,
}


def check_best_options(options: Mapping[str, Any]) -> None:
    """Refuse what would keep weights under the score of others, or write over the checkpoint to resume from.

    Args:
        options: `best_checkpoint` of the configuration.

    Raises:
        InputError: If an option does so.
    """
    for name, expected in REFUSED.items():
        value = options.get(name)
        if value or (name == "save_on_train_epoch_end" and value is None):  # Lightning would choose
            raise InputError(f"best_checkpoint.{name} is {value} (expected {expected})")
