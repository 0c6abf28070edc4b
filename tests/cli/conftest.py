"""Fixtures of the command line: labelled files, a folder to run in, and one finished run that all tests read."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import datasets
import pytest

from tests.cli.command_line import CommandLine


@pytest.fixture(scope="session")
def tiny_backbone(word_backbone: Path) -> Path:
    """The backbone of every test here: 30,522 tokens would take half of a tiny run's time."""
    return word_backbone


@pytest.fixture(scope="session")
def root(cs224n_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CS224N files, with labels in the test files too."""
    folder = tmp_path_factory.mktemp("labelled")
    for path in cs224n_root.iterdir():
        source = cs224n_root / path.name.replace("test-student", "dev")
        (folder / path.name).write_bytes(source.read_bytes())
    return folder


@pytest.fixture(scope="session")
def make_command(
    tiny_backbone: Path, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Path], CommandLine]:
    settings = {
        "--model.backbone": tiny_backbone,
        "--data.root": root,
        "--data.cache_dir": tmp_path_factory.mktemp("cache"),
        "--data.batch_size": 4,
        "--fp32_matmul": "default",  # what is measured under load is not always the same, and takes a second
        "--trainer.accelerator": "cpu",
        "--figures.every_n_validations": 0,  # drawing takes a quarter of a tiny run's time
    }
    tiny = [str(part) for pair in settings.items() for part in pair]
    return lambda folder: CommandLine(folder, tiny)


@pytest.fixture
def train(make_command: Callable[[Path], CommandLine], tmp_path: Path) -> CommandLine:
    """The command line in an empty folder."""
    return make_command(tmp_path)


@pytest.fixture(scope="session")
def fitted(make_command: Callable[[Path], CommandLine], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run folder of a training that ended after five steps, inside its first epoch; not to be changed."""
    command = make_command(tmp_path_factory.mktemp("fitted"))
    return command(
        "fit", "--trainer.max_steps", 5, "--trainer.log_every_n_steps", 1, "--figures.every_n_validations", 1
    )


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Flags that put local folders in hub layout in the place of the hub's datasets."""
    folder = tmp_path_factory.mktemp("hub")
    rows = {
        "sst": lambda number: {"text": f"film {number}", "label": number % 5, "label_text": "?"},
        "quora": lambda number: {"question1": f"how {number}", "question2": "how", "label": number % 2, "idx": number},
        "sts": lambda number: {
            "sentence1": f"a {number}",
            "sentence2": "cat",
            "label": number % 4 * 1.25,
            "idx": number,
        },
    }
    flags = []
    for task, row in rows.items():
        (folder / task).mkdir()
        for split in ("train", "validation", "test"):
            lines = [json.dumps(row(number)) for number in range(8)]
            (folder / task / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
        flags.append(f"--tasks.{task}.source={json.dumps({'hub': str(folder / task)})}")
    return flags


@pytest.fixture(scope="session", autouse=True)
def _keep_hub_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the user's own cache of hub datasets as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path_factory.mktemp("hub_cache"))
        yield
