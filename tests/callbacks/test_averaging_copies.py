import threading
from functools import partial
from pathlib import Path

from callbacks import Ema
from heads import Head, LabelSpace, LinearHead
from lightning_internals import averaged_model
from tasks import Quora, Sst, Sts
from tests.tiny import build_module, make_trainer, open_data


class Parser:
    """Builds heads as a command line does, which also holds what cannot be copied."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def build(self, head: type[Head], hidden_size: int, labels: LabelSpace) -> Head:
        return head(hidden_size, labels)  # type: ignore[call-arg, arg-type]


def test_an_average_does_not_copy_what_builds_the_heads(tiny_backbone: Path, cs224n_root: Path, tmp_path: Path) -> None:
    sst = Sst(head=partial(Parser().build, LinearHead))
    tasks = {"sst": sst, "quora": Quora(), "sts": Sts()}
    ema, module = Ema(0.5), build_module(tiny_backbone, tasks=tasks)
    data = open_data(tiny_backbone, cs224n_root, tmp_path / "cache", tasks=tasks)
    make_trainer(tmp_path, ema, max_steps=2).fit(module, datamodule=data)
    average = averaged_model(ema)
    assert average is not None
    assert average.module.tasks["sst"] is sst
