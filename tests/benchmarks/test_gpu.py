import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from backbones import Backbone, build_encoder, pack
from benchmarks.gpu import carrying, everything
from benchmarks.gpu.__main__ import main, parse_arguments
from benchmarks.gpu.equality import Equality, check_equality
from benchmarks.gpu.hf_trainer import pad, run_hf_trainer
from benchmarks.gpu.measuring import covered
from benchmarks.gpu.ours import VARIANTS
from benchmarks.gpu.workload import TINY, draw_work, flops_of_step, write_pairs, write_synthetic

CPU = torch.device("cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_one_sentence_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("error: no GPU: torch")
    assert printed.err.count("\n") == 1
    assert printed.out == ""


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("benchmarks.gpu.__main__.NEEDED", ("torch", "no_such_package"))
    assert main([]) == 2
    assert "missing: no_such_package (pip install no_such_package" in capsys.readouterr().err


def test_an_old_torch_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(torch, "__version__", "2.9.1+cu128")
    assert main([]) == 2
    assert "torch is 2.9.1+cu128 (expected 2.11 or newer)" in capsys.readouterr().err


def test_the_whole_program_runs_on_a_cpu_and_writes_its_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "gpu.json"
    arguments = ["--device", "cpu", "--tiny", "--batch_sizes", "4", "--json", str(path)]

    assert main([*arguments, "--only", "ours eager", "HF"]) == 0

    written = json.loads(path.read_text())
    assert list(written) == ["about", "equality", "matmul_tflops", "steps"]
    assert sum(entry["pooled"] is not None for entry in written["equality"]) == 4
    names = [entry["name"] for entry in written["steps"]]
    assert names == ["HF Trainer bf16", *(name for name in VARIANTS if "eager" in name)]
    for entry in written["steps"]:
        assert "reason" not in entry or "accelerate" in entry["reason"]
        if "reason" not in entry:
            assert entry["epoch_s"] == pytest.approx(156_082 / entry["examples_per_s"])
            assert 0 < entry["tflops"] < written["matmul_tflops"]["bf16"]
            assert entry["busy_share"] is None  # of a GPU
    assert "ours eager, grouped attention" in capsys.readouterr().out


@pytest.mark.slow
def test_the_program_with_graphs_runs_on_a_cpu(tmp_path: Path) -> None:
    path = tmp_path / "gpu.json"
    arguments = ["--device", "cpu", "--tiny", "--batch_sizes", "4", "--json", str(path), "--only", "graphs, data"]

    assert main(arguments) == 0

    steps = json.loads(path.read_text())["steps"]
    assert [entry["name"] for entry in steps] == ["ours CUDA graphs, data on device"]
    assert "reason" not in steps[0], steps


def test_no_program_starts_after_the_time_limit(tmp_path: Path) -> None:
    path = tmp_path / "gpu.json"
    main(["--device", "cpu", "--tiny", "--batch_sizes", "4", "--json", str(path), "--time_limit", "0"])
    assert {entry["reason"] for entry in json.loads(path.read_text())["steps"]} == {"no time left"}


def test_all_ways_that_run_here_equal_the_padded_model() -> None:
    entries = check_equality(TINY, CPU)
    assert [entry.name for entry in entries if not entry.reason] == [
        "grouped fp32",
        "masked fp32",
        "grouped bf16",
        "masked bf16",
    ]
    assert all(entry.holds for entry in entries)
    assert all(entry.pooled < 1e-5 for entry in entries if entry.name.endswith("fp32") and entry.pooled is not None)


def test_a_difference_does_not_hold() -> None:
    assert not Equality(name="", pooled=0.1, gradient=0.0, limit=0.01).holds
    assert not Equality(name="", pooled=0.0, gradient=float("nan"), limit=0.01).holds
    assert not Equality(name="", limit=0.01).holds


def test_all_batches_of_a_work_have_one_static_shape(tmp_path: Path) -> None:
    store = write_synthetic(tmp_path / "pairs.arrow", 500, TINY.max_length)
    assert 25 < store.lengths.mean() < 35
    work = draw_work(store, 4, TINY)
    assert len(work.order) == TINY.total_steps
    totals = {int(rows.sum() + work.shape.fill(rows).sum()) for rows in map(work.lengths, range(len(work.order)))}
    assert len(totals) == 1


def test_the_peer_trains_on_the_batches_of_the_work_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("accelerate", reason="make bench installs what Hugging Face's Trainer needs")
    store = write_synthetic(tmp_path / "pairs.arrow", 200, TINY.max_length)
    work = draw_work(store, 4, TINY)
    seen = []

    def keep(features: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        seen.append([row["input_ids"].tolist() for row in features])
        return pad(features)

    monkeypatch.setattr("benchmarks.gpu.hf_trainer.pad", keep)
    run_hf_trainer(work, TINY, CPU, tmp_path)
    assert seen == [[store.tokens(int(row)).tolist() for row in batch.rows] for batch in work.order]


def test_a_file_of_pairs_gives_its_own_lengths(cs224n_root: Path, tmp_path: Path) -> None:
    store = write_pairs(tmp_path / "pairs.arrow", cs224n_root / "quora-train.csv", 20, 32)
    assert len(store) == 20
    assert store.lengths[0] == store.lengths[12]  # twelve rows, repeated
    assert (store.first_lengths < store.lengths).all()


def test_flops_of_step_are_those_that_pytorch_counts() -> None:
    """With equal lengths nothing is padded, so that all that is computed is needed."""
    lengths = np.full(3, 10)
    tokens = pack(np.ones(30, dtype=np.int64), np.zeros(30, dtype=np.int64), lengths, num_groups=1)
    backbone = Backbone(build_encoder(TINY.config)).eval()
    with (
        FlopCounterMode(display=False) as forward,
        torch.no_grad(),
        torch.nn.attention.sdpa_kernel([torch.nn.attention.SDPBackend.MATH]),
    ):
        backbone(tokens)
    assert 3 * forward.get_total_flops() == pytest.approx(flops_of_step(lengths, TINY))


def test_overlapping_intervals_count_once() -> None:
    assert covered([]) == 0
    assert covered([(5, 6), (0, 2), (1, 3), (1, 1.5)]) == 4


def test_arguments_have_the_documented_defaults() -> None:
    options = parse_arguments([])
    assert (options.device, options.tiny, options.data, options.json, options.time_limit) == (
        "cuda",
        False,
        None,
        None,
        540,
    )


@pytest.mark.slow
def test_everything_runs_here_with_what_was_carried(cs224n_root: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    """Packing, both measurements and the training, each in its tiny form."""
    carried, out = tmp_path / "carried", tmp_path / "out"
    assert (
        carrying.main(["--data", str(cs224n_root), "--to", str(carried), "--backbone", str(tiny_backbone), "--wheels"])
        == 0
    )
    assert everything.main(["--carried", str(carried), "--out", str(out), "--tiny"]) == 0
    for name in ("minilm.json", "base.json"):
        (step,) = json.loads((out / name).read_text())["steps"]
        assert (step["name"], step["batch_size"]) == (everything.PROGRAM, 4)
    assert json.loads((out / "training.json").read_text())["steps"] == 2
    assert {path.name for path in out.iterdir()} == {"minilm.json", "base.json", "training.json", "work"}
