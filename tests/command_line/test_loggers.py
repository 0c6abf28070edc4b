from pathlib import Path

import pytest
from jsonargparse import Namespace

from command_line.loggers import complete_loggers
from runtime.errors import InputError

TENSORBOARD = "lightning.pytorch.loggers.TensorBoardLogger"


@pytest.mark.parametrize(("asked", "kept"), [(120, 30), (5, 5)])
def test_tensorboard_is_flushed_every_half_minute_or_more_often(asked, kept):
    arguments = Namespace(save_dir="runs", name="", version=None, flush_secs=asked)
    trainer = Namespace(logger=Namespace(class_path=TENSORBOARD, init_args=arguments), default_root_dir=None)
    complete_loggers(trainer, "mine")
    assert trainer.logger.init_args.flush_secs == kept


def test_a_logger_without_that_option_is_left_alone():
    arguments = Namespace(save_dir="runs", name="", version=None)
    logger = Namespace(class_path="lightning.pytorch.loggers.CSVLogger", init_args=arguments)
    complete_loggers(Namespace(logger=logger, default_root_dir=None), "mine")
    assert set(vars(arguments)) == {"save_dir", "name", "version"}


@pytest.mark.parametrize(
    ("root", "save_dir", "expected"),
    [
        (None, "runs", "runs/mine"),
        ("here", "runs", "here/runs/mine"),
        ("here", "there", "there/mine"),
        ("~", "runs", f"{Path.home()}/runs/mine"),
    ],
)
def test_the_root_folder_counts_where_the_logger_has_no_folder_of_its_own(root, save_dir, expected):
    arguments = Namespace(save_dir=save_dir, name="", version=None)
    trainer = Namespace(logger=Namespace(class_path=TENSORBOARD, init_args=arguments), default_root_dir=root)
    assert complete_loggers(trainer, "mine") == (Path(expected), None)
    assert complete_loggers(trainer, "mine") == (Path(expected), None)


@pytest.mark.parametrize("version", ["big", -1])
@pytest.mark.parametrize("kind", ["TensorBoardLogger", "CSVLogger"])
def test_a_version_that_no_later_command_would_find_is_refused(kind, version):
    arguments = Namespace(save_dir="runs", name="", version=version)
    logger = Namespace(class_path=f"lightning.pytorch.loggers.{kind}", init_args=arguments)
    with pytest.raises(InputError, match=rf"^version of {kind} is {version!r} \(expected a number from 0; --trainer\."):
        complete_loggers(Namespace(logger=logger, default_root_dir=None), "mine")
