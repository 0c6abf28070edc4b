from pathlib import Path

import numpy as np
import pytest

from augmentation import PREFIX, GeneratedPairs
from datamodules.generated_rows import describe_generated, file_ids
from datamodules.multitask import MultitaskDataModule
from datamodules.streams import find_streams
from tasks import Quora, Sts, Task
from tests.tiny import open_data

SAMPLE = Path(__file__).resolve().parent.parent.parent / "sample_data"


def open_sample(backbone: Path, tmp_path: Path, **tasks: Task) -> MultitaskDataModule:
    data = open_data(backbone, SAMPLE, tmp_path / "cache", tasks=tasks)
    data.setup("fit")
    return data


@pytest.fixture
def data(tiny_backbone: Path, tmp_path: Path) -> MultitaskDataModule:
    return open_sample(
        tiny_backbone, tmp_path, quora=Quora(generated_pairs=GeneratedPairs(share=0.1, seed=3)), sts=Sts()
    )


def test_generated_pairs_are_rows_of_the_train_store_alone(data):
    train, dev = data.stores["train"]["quora"], data.stores["dev"]["quora"]
    assert len(train) == 480 + 48
    assert [name.startswith(PREFIX) for name in train.all_ids()] == [False] * 480 + [True] * 48
    assert np.bincount(train.labels[480:].astype(int)).tolist() == [24, 24]
    assert not any(name.startswith(PREFIX) for name in dev.all_ids())
    assert len(file_ids(train)) == 480


def test_they_are_drawn_like_other_rows(data):
    batches = [batch for batch in data.make_sampler() if batch.stream == "quora"]
    drawn = np.concatenate([batch.rows for batch in batches])
    assert np.sort(drawn).tolist() == list(range(528))


def test_the_report_and_the_identity_count_them(data):
    found = data.describe_data()
    kinds = found["quora"]["train"]["generated"]["kinds"]
    assert found["quora"]["train"]["rows"] == 528
    assert found["quora"]["train"]["generated"] == {"rows": 48, "seed": 3, "kinds": kinds}
    assert sum(kinds.values()) == 48
    assert len(kinds) > 5
    assert "generated" not in found["quora"]["dev"]
    assert "generated" not in found["sts"]["train"]
    identity = data.identity()["tasks"]
    assert identity["quora"]["generated"] == found["quora"]["train"]["generated"]
    assert "generated" not in identity["sts"]


def test_without_them_files_and_identity_are_as_before(data, tiny_backbone, tmp_path):
    plain = open_sample(tiny_backbone, tmp_path, quora=Quora(), sts=Sts())
    assert describe_generated(plain.stores["train"]["quora"]) == {}
    assert "generated" not in plain.identity()["tasks"]["quora"]
    keys = {split: (data.stores[split]["quora"].key, plain.stores[split]["quora"].key) for split in ("train", "dev")}
    assert keys["train"][0] != keys["train"][1]
    assert keys["dev"][0] == keys["dev"][1]


def test_another_seed_is_another_file_and_the_same_one_is_opened_again(data, tiny_backbone, tmp_path):
    first = data.stores["train"]["quora"]
    again = open_sample(tiny_backbone, tmp_path, quora=data.tasks["quora"]).stores["train"]["quora"]
    assert again.path == first.path
    other = Quora(generated_pairs=GeneratedPairs(share=0.1, seed=4))
    assert open_sample(tiny_backbone, tmp_path, quora=other).stores["train"]["quora"].key != first.key


def test_a_task_with_generated_pairs_shares_no_rows():
    tasks = {"one": Quora(), "other": Quora(encoding="bi"), "made": Quora(generated_pairs=GeneratedPairs())}
    assert find_streams(tasks) == {"one+other": ("one", "other"), "made": ("made",)}
    same = GeneratedPairs()
    assert len(find_streams({"a": Quora(generated_pairs=same), "b": Quora(generated_pairs=same)})) == 2
