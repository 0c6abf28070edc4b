import pytest
from jsonargparse import Namespace

from command_line.loggers import complete_loggers

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
