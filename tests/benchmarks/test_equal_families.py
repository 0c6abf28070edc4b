"""The encoders of every measured family give the peers' answers from the same weights."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import DataCollatorWithPadding

from benchmarks.job import Job
from benchmarks.ours import building
from benchmarks.peers import hugging_face
from benchmarks.prepare import prepare
from benchmarks.suites import FAMILIES
from tests.benchmarks.conftest import TINY


@pytest.mark.parametrize("family", FAMILIES.values())
def test_ours_and_the_peer_answer_alike(family: str, cs224n_root: Path, tmp_path: Path) -> None:
    job = Job(program="", folder=tmp_path, workload=replace(TINY, family=family, num_rows=8))
    prepare(job, cs224n_root / "quora-train.csv", with_sentences=False)
    module, data = building.build_module(job).eval(), building.build_data(job)
    model, features = hugging_face.load_classifier(job).eval(), hugging_face.encode_pairs(job)
    pad = DataCollatorWithPadding(hugging_face.load_tokenizer(job))
    data.prepare_data()
    data.setup("fit")

    answered = 0
    with torch.no_grad():
        for batch in data.train_dataloader():
            rows = [{key: value for key, value in features[row].items() if key != "labels"} for row in batch.rows]
            found = module.heads[building.TASK](module.pool(batch))
            torch.testing.assert_close(found, model(**pad(rows)).logits[:, 0], rtol=0, atol=1e-5)
            answered += len(rows)
    assert answered == 8
