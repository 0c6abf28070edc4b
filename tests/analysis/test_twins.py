import json

import pytest
import torch

from analysis import twins
from analysis.run import Run
from analysis.twins import compare_heads, main, measure
from datamodules.pairs import lay_out
from heads import TwinHead
from tasks import InputError, Sts, Task
from tests.tiny import build_module, open_data

BOTH: dict[str, Task] = {"sts": Sts(encoding="both")}


def test_the_timed_vectors_are_those_of_training(tiny_backbone, cs224n_root, tmp_path):
    module = build_module(tiny_backbone, tasks=BOTH).eval()
    data = open_data(tiny_backbone, cs224n_root, tmp_path, tasks=BOTH)
    data.prepare_data()
    data.setup("fit")
    store = data.stores["dev"]["sts"]
    batch = next(iter(data.val_dataloader()))
    rows = batch.rows.numpy()
    with torch.no_grad():
        expected = module.pool(batch)
        cross = module.backbone(twins._pack(store, rows, "cross", module.device))
        sides = module.backbone(twins._pack(store, rows, "bi", module.device))
    torch.testing.assert_close(cross, expected[:, 0])
    torch.testing.assert_close(sides.view(len(rows), 2, -1), expected[:, 1:])
    tokens = lay_out([store.tokens(int(row)) for row in rows], store.first_lengths[rows], "cross")
    assert isinstance(module.heads["sts"], TwinHead)
    assert len(tokens.lengths) == len(rows)
    speeds = measure(module, "sts", store, pairs=5)
    assert all(speed > 0 for speed in speeds.values())
    assert speeds["bi_pairs_per_second_from_vectors"] > speeds["bi_pairs_per_second"]


@pytest.mark.slow
def test_a_run_is_compared_from_its_folder(whole_run, tiny_project, capsys):
    tasks = {"sts": {"class_path": "Sts", "init_args": {"encoding": "both"}}}
    project = whole_run(tasks=tasks)
    assert main([str(project.version(0)), "--pairs", "6"]) == 0
    found = json.loads((project.version(0) / "twins.json").read_text())
    metrics = project.report(0)["metrics"]
    assert found["sts"]["cross"] == metrics["sts"]
    assert found["sts"]["bi"] == metrics["sts_bi"]
    shown = capsys.readouterr().out
    assert "both encodings, dev" in shown
    with pytest.raises(InputError, match="has no task of encoding: both"):
        compare_heads(Run(whole_run().version(0)), pairs=3)
    assert main([str(project.folder)]) == 2
