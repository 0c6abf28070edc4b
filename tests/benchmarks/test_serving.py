import io
import json
from dataclasses import asdict, replace

import pytest
from rich.console import Console

from benchmarks.__main__ import main
from benchmarks.job import Job
from benchmarks.meter import Meter, Round, Serving, Work
from benchmarks.output import print_serving
from benchmarks.peers.ordering import in_batches
from benchmarks.ratios import check_equal_work
from benchmarks.rows import Pair, write_pairs
from benchmarks.serving import Served, serve, size_mib
from benchmarks.serving_entries import measure_bars, summarise_serving
from benchmarks.suites import INT8, ONE_TASK, ORT_INT8_SORTED, PLAIN, SORTED, THREE_TASKS
from tests.benchmarks.rounds import make_round

SERVING = Serving(load_s=0.5, disk_mib=80.0, single_ms=[1.0, 2.0, 30.0], loss=0.7)


def served_rounds(*seconds: float) -> list[Round]:
    return [replace(make_round(each), serving=SERVING) for each in seconds]


def test_bars_compare_rounds_side_by_side() -> None:
    rounds = {
        ONE_TASK: served_rounds(1.0, 2.0),
        THREE_TASKS: served_rounds(1.0, 2.0),
        INT8: served_rounds(0.5, 1.0),
        PLAIN: served_rounds(3.0, 8.0),
        SORTED: served_rounds(1.5, 2.0),
        "sentence-transformers CrossEncoder": served_rounds(1.6, 2.2),
        ORT_INT8_SORTED: served_rounds(0.5, 1.1),
    }
    bars = measure_bars(rounds, clock="cpu")
    assert [(bar.name, bar.ratio, bar.ratio_low, bar.ratio_high) for bar in bars] == [
        (f"{ONE_TASK} / {PLAIN}", 3.5, 3.0, 4.0),
        (f"{ONE_TASK} / {SORTED}", 1.25, 1.0, 1.5),
        (f"{INT8} / {ORT_INT8_SORTED}", pytest.approx(1.05), 1.0, pytest.approx(1.1)),
        (f"{THREE_TASKS} / {ONE_TASK}", 1.0, 1.0, 1.0),
    ]
    console = Console(width=160, record=True, file=io.StringIO())
    print_serving(summarise_serving(rounds, clock="cpu"), bars, clock="cpu", console=console)
    lines = console.export_text().splitlines()
    assert [line.rsplit(" ", 1)[1] for line in lines[-4:]] == ["met", "met", "MISSED", "met"]
    row = next(line for line in lines if ONE_TASK in line and "three" not in line)
    assert [cell.strip() for cell in row.split("│")[2:5]] == ["6.7", "3.50", "3.00-4.00"]


def test_bars_of_programs_that_did_not_run_are_left_out() -> None:
    assert measure_bars({ONE_TASK: served_rounds(1.0)}, clock="cpu") == []
    entry = summarise_serving({ONE_TASK: served_rounds(1.0)}, clock="cpu")[0]
    assert entry.ratio_to_plain_pytorch is None
    assert entry.single_ms == 2.0


def test_a_round_comes_back_from_its_line_with_its_serving() -> None:
    done = served_rounds(1.0)[0]
    assert Round.from_json(json.dumps(asdict(done))) == done


def test_only_programs_that_say_a_score_must_agree_on_it() -> None:
    exact, approximate = make_round(1.0, score=0.5), make_round(1.0)
    check_equal_work({"int8": [approximate], "fp32": [exact], "other": [exact]})
    with pytest.raises(ValueError, match=r"unequal work: other scored 0\.6, fp32 0\.5"):
        check_equal_work({"fp32": [exact], "int8": [approximate], "other": [make_round(1.0, score=0.6)]})


def test_answers_keep_the_order_of_the_file() -> None:
    texts = [("a" * length, "b") for length in (5, 1, 4, 2, 3)]
    batches = []

    def answer(batch):
        batches.append(len(batch))
        return [float(len(first)) for first, _ in batch]

    for sorts in (False, True):
        assert in_batches(answer, texts, size=2, sorts=sorts) == [5.0, 1.0, 4.0, 2.0, 3.0]
    assert batches == [2, 2, 1] * 2


def test_a_program_answers_every_pair_and_then_single_ones(tmp_path) -> None:
    job = Job(program="", folder=tmp_path, rounds=1)
    write_pairs(job.pairs, [Pair("a", "b", 1), Pair("c", "d", 0)])
    asked: list[int] = []

    def load(job: Job) -> Served:
        def answer(texts):
            asked.append(len(texts))
            return [0.5] * len(texts)

        return Served(answer, lambda: Work(examples=2, tokens=8, slots=8), job.pairs)

    replies = io.StringIO()
    serve(job, Meter(io.StringIO("round\n"), replies), load)
    rounds = [Round.from_json(line) for line in replies.getvalue().splitlines()]
    assert asked == [2, 1, 1] * 2
    assert [round(done.work.score or 0, 4) for done in rounds] == [0.6931, 0.6931]
    serving = rounds[1].serving
    assert serving is not None
    assert len(serving.single_ms) == 2
    assert serving.disk_mib == size_mib(tmp_path) == job.pairs.stat().st_size / 2**20


@pytest.mark.slow
def test_the_inference_suite_runs_on_equal_work(tmp_path) -> None:
    """Peers that are not installed are left out; the check of equal work runs inside."""
    path = tmp_path / "results.json"
    main(["--suite", "inference", "--rounds", "1", "--rows", "24", "--json", str(path)])
    written = json.loads(path.read_text())
    assert list(written) == ["inference", "inference_bars", "about"]
    names = [entry["name"] for entry in written["inference"]]
    assert {ONE_TASK, INT8, THREE_TASKS, PLAIN, SORTED} <= set(names)
    losses = {entry["name"]: entry["loss"] for entry in written["inference"]}
    assert 0 < abs(losses[INT8] - losses[ONE_TASK]) < 0.01
