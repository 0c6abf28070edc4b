import re

from callbacks import ProgressLines, TaskLosses
from tests.tiny import build_module, make_trainer, open_data

LINE = re.compile(
    r"step (?P<step>\d+)/(?P<total>\d+) \((?P<share>\d+) %\)  loss: (?P<losses>.*)  (?P<rate>[\d,]+) examples/s"
    r"  (?P<left>.* left)"
)


def printed(capsys) -> list[str]:
    return [line for line in capsys.readouterr().out.splitlines() if line.startswith("step ")]


def fit(backbone, root, folder, lines: ProgressLines, **settings) -> TaskLosses:
    losses = TaskLosses()
    trainer = make_trainer(folder, losses, lines, **{"log_every_n_steps": 1, "limit_val_batches": 0, **settings})
    trainer.fit(build_module(backbone), datamodule=open_data(backbone, root, folder / "cache"))
    return losses


def test_each_log_step_gets_a_line_with_share_losses_speed_and_time_left(tiny_backbone, cs224n_root, tmp_path, capsys):
    losses = fit(tiny_backbone, cs224n_root, tmp_path, ProgressLines(interval=0), log_every_n_steps=3)
    found = [LINE.fullmatch(line) for line in printed(capsys)]
    assert [match and match["step"] for match in found] == ["3", "6", "9"]
    last = found[-1]
    assert last
    assert (last["total"], last["share"], last["left"]) == ("9", "100", "0 s left")
    shown = dict(part.split(" ") for part in last["losses"].split(", "))
    assert shown == {task: f"{loss:.3f}" for task, loss in losses.latest.items()}
    assert set(shown) == {"sst", "quora", "sts"}


def test_lines_keep_their_distance(tiny_backbone, cs224n_root, tmp_path, capsys):
    fit(tiny_backbone, cs224n_root, tmp_path, ProgressLines())
    assert [line.split(" ")[1] for line in printed(capsys)] == ["1/9"]


def test_a_step_of_several_batches_gets_one_line(tiny_backbone, cs224n_root, tmp_path, capsys):
    fit(tiny_backbone, cs224n_root, tmp_path, ProgressLines(interval=0), accumulate_grad_batches=3)
    assert [line.split(" ")[1] for line in printed(capsys)] == ["1/3", "2/3", "3/3"]


def test_without_log_steps_validations_alone_get_lines(tiny_backbone, cs224n_root, tmp_path, capsys):
    fit(
        tiny_backbone,
        cs224n_root,
        tmp_path,
        ProgressLines(interval=0),
        log_every_n_steps=0,
        limit_val_batches=1.0,
        max_epochs=2,
    )
    lines = printed(capsys)
    number = r"-?(\d\.\d{4}|nan)"
    scores = rf"mean {number}, sst accuracy {number}, quora accuracy {number}, sts pearson {number}"
    assert [line.split(" ")[1] for line in lines] == ["9/18", "18/18"]
    assert all(re.fullmatch(rf"step \d+/18 \(\d+ %\)  validation: {scores}  took \d+ s", line) for line in lines)
