"""What a training says of its weights."""

import logging

import pytest

from heads import TrunkSettings
from tasks import Quora, Sst, Task
from tests.tiny import build_module, make_trainer, open_data


@pytest.mark.parametrize("quora", [Quora(), Quora(head_only_from=1), Quora(head_only_from=0)])
def test_weights_that_no_task_reaches_are_not_counted_as_trained(quora, word_backbone, cs224n_root, tmp_path, caplog):
    tasks: dict[str, Task] = {"sst": Sst(head_only_from=0), "quora": quora}
    module = build_module(word_backbone, tasks=tasks, trunk=TrunkSettings(size=4))
    data = open_data(word_backbone, cs224n_root, tmp_path / "cache", tasks=tasks)
    with caplog.at_level(logging.INFO, logger="lightning_modules"):
        make_trainer(tmp_path, max_steps=1, limit_val_batches=0).fit(module, datamodule=data)
    counted = module.heads if quora.head_only_from == 0 else module
    trained, total = (sum(weight.numel() for weight in each.parameters()) for each in (counted, module))
    share = 100 * trained / total
    assert [message for message in caplog.messages if message.startswith("parameters: ")] == [
        f"parameters: {trained:,} of {total:,} train ({share:.2f} %)"
    ]
