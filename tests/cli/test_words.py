"""What the command line says about a mistake: one sentence that names the place, and the flag that was meant."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command_line import CS224N, ROOT, CommandLine

Refused = Callable[..., str]
MODEL = "model: {backbone: x}\n"
SST = "tasks:\n  sst:\n    class_path: Sst\n"
SOURCE = "source: {train: a.csv}, texts: [text], label: y"


@pytest.fixture
def refused(train: CommandLine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Run `fit` with a configuration's text or flags, and give the sentence it is refused with."""

    def refuse(*flags: str, text: str | None = None) -> str:
        path = CS224N
        if text is not None:
            path = tmp_path / "mine.yaml"
            path.write_text(text, encoding="utf-8")
        with pytest.raises(SystemExit) as ended:
            train.raw("fit", "-c", str(path), *flags)
        assert ended.value.code == 2
        first, *others = capsys.readouterr().err.splitlines()
        assert others in ([], ["All options: train.py fit --help"], ["All options: train.py --help"])
        assert not (tmp_path / "runs").exists()
        return first.removeprefix("error: ").replace(f"{tmp_path}/", "")

    return refuse


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "tasks: {sst: {class_path: Sst}}\nmodel: {backbone: x}\nmodel: {pooling: cls}\n",
            "mine.yaml, line 3: the key 'model' appears twice (first in line 2; expected once)",
        ),
        (
            "tasks:\n  sst:\n    class_path: Sst\n  sst:\n    class_path: Sst\n",
            "mine.yaml, line 4: the key 'tasks.sst' appears twice (first in line 2; expected once)",
        ),
        ("tasks:\n  sst: [\n", "mine.yaml, line 3: not YAML ("),
        ("data: {root: 2024-02-30}\n", "mine.yaml: a date in it is none (day is out of range for month; expected"),
        ("- a\n", "mine.yaml: holds a list (expected settings by name, as in model: …)"),
        ("", "mine.yaml: is empty (expected settings by name, as in model: …)"),
    ],
)
def test_a_file_that_says_something_twice_or_nothing_is_named_by_line(text: str, sentence: str, refused: Refused):
    assert refused(text=text).startswith(sentence)


def test_a_key_twice_is_refused_in_a_flag_and_in_the_file_of_a_group(refused: Refused, tmp_path: Path):
    tasks = "{sst: {class_path: Sst}, sst: {class_path: Sst}}"
    assert refused("--tasks", tasks) == "tasks: the key 'sst' appears twice (first in line 1; expected once)"
    (tmp_path / "trainer.yaml").write_text("max_epochs: 1\nmax_epochs: 2\n")
    expected = "trainer.yaml, line 2: the key 'max_epochs' appears twice (first in line 1; expected once)"
    assert refused("--trainer", str(tmp_path / "trainer.yaml")) == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "tasks:\n  mine:\n    class_path: Classification\n    source: {train: a.csv}\n    label: y\n",
            "mine.yaml, line 2: tasks.mine: source, label beside class_path (expected below init_args)",
        ),
        (
            "tasks:\n  mine:\n    source: {train: a.csv}\n    label: y\n",
            "mine.yaml, line 2: tasks.mine has no class_path (expected class_path: Classification or",
        ),
        (
            f"{SST}    init_args:\n      head: {{class_path: LinearHead, loss: OrdinalLogLoss}}\n",
            "mine.yaml, line 5: tasks.sst.head: loss beside class_path (expected below init_args)",
        ),
        (
            f"{SST}    init_args:\n      head: {{loss: OrdinalLogLoss}}\n",
            "mine.yaml, line 5: tasks.sst.head: loss without a class (expected class_path: one of ConcatProductHead,",
        ),
        (
            f"{SST}model:\n  adapter: {{r: 4}}\n",
            "mine.yaml, line 5: model.adapter: r without a class (expected class_path: one of Lora, Pals; options bel",
        ),
        (
            f"{MODEL}{SST}trainer:\n  callbacks:\n    - monitor: val/mean\n",
            "mine.yaml, line 7: trainer.callbacks: monitor without a class (expected class_path",
        ),
        (
            f"{MODEL}{SST}trainer:\n  callbacks:\n    - {{class_path: EarlyStopping, monitor: val/mean}}\n",
            "mine.yaml, line 7: trainer.callbacks: monitor beside class_path (expected below init_args)",
        ),
        (
            f"tasks:\n  mine: {{class_path: Regression, init_args: {{{SOURCE}}}}}\n",
            "mine.yaml, line 2: tasks.mine: Regression lacks low and high (expected a value for each option without a",
        ),
        (
            f"{MODEL}{SST}  sts: {{class_path: Sts, init_args: {{encoding: crss}}}}\n",
            "mine.yaml, line 5: tasks.sts.encoding is 'crss' (did you mean cross?) (expected one of cross, bi)",
        ),
        (
            f"{SST}    init_args:\n      head: {{class_path: LinearHead, init_args: {{dropot: 0.1}}}}\n",
            "mine.yaml, line 5: tasks.sst.head: LinearHead has no dropot (did you mean dropout?) (expected one of drop",
        ),
        (
            f"{SST}    init_args:\n      source: {{trian: a.csv}}\n",
            "mine.yaml, line 5: tasks.sst.source: source of Sst has no trian (did you mean train?) (expected one of tr",
        ),
        (
            f"{MODEL}{SST}trainer: {{epochs: 3}}\n",
            "mine.yaml, line 5: there is no setting trainer.epochs (did you mean trainer.max_epochs?)",
        ),
        (f"{MODEL}{SST}lr: 1\n", "mine.yaml, line 5: there is no setting lr (did you mean model.optimizer.lr?)"),
        ("taks: {sst: Sst}\n", "mine.yaml, line 1: there is no setting taks (did you mean tasks?)"),
        (
            f"{SST}model:\n",
            "mine.yaml, line 4: model is null (expected its options, as in --model.NAME, or a file of them)",
        ),
        (f"{SST}{MODEL}plateau: {{floor: null}}\n", "mine.yaml, line 5: plateau.floor is null (expected float)"),
        (
            f"{SST}    init_args:\n",
            "mine.yaml, line 2: tasks.sst.init_args is null (expected its options, as in --tasks.sst.N",
        ),
        (
            "tasks:\n  sst: {class_path: null}\n",
            "mine.yaml, line 2: tasks.sst.class_path is null (expected the name of",
        ),
        ("tasks: [Sst]\n", "mine.yaml, line 1: tasks is ['Sst'] (expected a mapping, as in '{name: value}')"),
        (
            f"{SST}model: {{backbone: x, optimizer: {{class_path: torch.optim.AdamW}}}}\n",
            "mine.yaml, line 4: model.optimizer is 'torch.optim.AdamW' (expected its options, as in --model.optimizer",
        ),
        (SST, "no model.backbone (expected in a configuration or as --model.backbone)"),
    ],
)
def test_a_configuration_that_does_not_fit_is_told_by_file_line_and_task(text: str, sentence: str, refused: Refused):
    assert refused(text=text).startswith(sentence)


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (
            "--tasks.sst.metrics [auc]",
            "tasks.sst.metrics is ['auc'] (did you mean auroc?) (expected a list of",
        ),
        ("--trainer.precision fp16", "trainer.precision is 'fp16' (did you mean 16-mixed?) (expected one of auto, 32"),
        ("--trainer.precision bf16-true", "trainer.precision is 'bf16-true' (did you mean bf16-mixed?) (expected one"),
        (
            "--trainer.precision 16-true",
            "trainer.precision is '16-true' (did you mean 16-mixed?) (expected one of",
        ),
        ("--trainer.precision double", "trainer.precision is 'double' (did you mean 64-true?) (expected one of auto"),
        ("--tasks.sst.encoding cross", "tasks.sst.encoding is 'cross' (expected single)"),
        ("--tasks.sts.weight a", "tasks.sts.weight is 'a' (expected float)"),
        ("--tasks.new Regression", "tasks.new: Regression lacks texts, label, low and high (expected a value for"),
        ("--tasks.sst sts", "tasks.sst: no class sts (did you mean Sts?) (expected one of Classification, MultiLabel"),
        ("--tasks.sts.head CosineHed", "tasks.sts.head: no class CosineHed (did you mean CosineHead?) (expected one"),
        ("--tasks.sts.head.loss Correlation", "tasks.sts.head: loss without a class (expected --tasks.sts.head CLASS"),
        ("--model.adapter.r 4", "model.adapter: r without a class (expected --model.adapter CLASS first: one of Lora,"),
        ("--trainer.logger Foo", "trainer.logger: no class Foo (expected one of CSVLogger, CometLogger,"),
        ("--trainer.callbacks+ EarlyStoping", "trainer.callbacks: no class EarlyStoping (did you mean EarlyStopping?"),
        ("--trainer.callbacks+ EarlyStopping", "trainer.callbacks: EarlyStopping lacks monitor (expected a value"),
        ("--data.max_epochs 3", "data.max_epochs follows trainer.max_epochs (expected that to be set)"),
        ("--data.tokenizer x", "data.tokenizer follows model.backbone (expected that to be set)"),
        ("--data.predict_splits foo", "data.predict_splits is 'foo' (expected a list, as in '[a, b]')"),
        (
            "--tasks.sst Sst --tasks.sst.teacher x",
            "tasks.sst.teacher is 'x' (expected the options of Teacher, as in --tasks.sst.t",
        ),
        (
            "--tasks.sst Sst --tasks.sst.debias ../x",
            "tasks.sst.debias is '../x' (expected its options, or a class with them)",
        ),
        ("--data.sentences x", "data.sentences is 'x' (expected the options of SentenceInput, as in --data.sentence"),
        ("--data.root --seed_everything 3", "--data.root has no value (expected one after it)"),
        ("--tasks.x 2024-02-30 --tasks.y Nope", "tasks.x: no class 2024-02-30 (expected one of Classification"),
        ("--ckpt_path", "--ckpt_path has no value (expected one after it)"),
        ("stray", "'stray' belongs to no flag (expected --NAME VALUE; a value with blanks needs quotes)"),
    ],
)
def test_a_flag_that_does_not_fit_is_told_with_its_task(flags: str, sentence: str, refused: Refused):
    assert refused(*flags.split()).startswith(sentence)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("--lr", "--model.optimizer.lr"),
        ("-lr", "--model.optimizer.lr"),
        ("--model.lr", "--model.optimizer.lr"),
        ("--learning_rate", "--model.optimizer.lr"),
        ("--learning-rat", "--model.optimizer.lr"),
        ("--epochs", "--trainer.max_epochs"),
        ("--max_epochs", "--trainer.max_epochs"),
        ("--batch_size", "--data.batch_size"),
        ("--output_dir", "--trainer.logger.save_dir"),
        ("--seed", "--seed_everything"),
        ("--fp16", "--trainer.precision"),
        ("--use_gpu", "--trainer.accelerator"),
        ("--weight", "--tasks.NAME.weight"),
        ("--data.batch", "--data.batch_size"),  # a prefix is no flag
        ("--trainer.max_ep", "--trainer.max_epochs"),
        ("--data.rot", "--data.root"),
    ],
)
def test_the_flag_that_was_meant_is_found(typed: str, meant: str, refused: Refused):
    assert refused(typed, "3") == f"no flag {typed} (did you mean {meant}?)"


def test_a_limit_of_train_examples_is_found_and_a_word_like_no_flag_is_left_alone(refused: Refused):
    assert "train_limit?)" in refused("--train_limit", "3")
    assert refused("--zzz", "3") == "no flag --zzz"


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--tasks.sst.weight", "-1"], "tasks.sst: weight is -1.0 (expected 0 or more)"),
        (["--tasks.sts.train_limit", "0"], "tasks.sts: train_limit is 0 (expected 1 or more)"),
        (["--tasks.sts.teacher.files", "[]"], "tasks.sts: teacher.files is empty (expected run folders or predict"),
    ],
)
def test_what_a_task_refuses_is_told_with_its_name(flags: list[str], sentence: str, refused: Refused):
    assert refused(*flags).startswith(sentence)


def show(command: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / command), *arguments], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout


@pytest.mark.slow
def test_help_shows_ours_first_and_all_of_lightning_on_demand():
    text = show("train.py", "fit", "--help")
    places = [text.index(word) for word in ("--tasks ", "--model.backbone", "--trainer.max_epochs", "--help_all shows")]
    assert places == sorted(places)
    assert "--tasks.NAME.source.train" in text
    assert "`auto` for the same or a fresh start" in text
    hidden = ("--trainer.barebones", "--best_checkpoint.dirpath", "--data.max_epochs", "--weights_only")
    assert not any(word in text for word in hidden)
    everything = show("train.py", "fit", "--help_all")
    assert all(word in everything for word in ("--trainer.barebones", "--best_checkpoint.dirpath", "--weights_only"))
    assert len(text.splitlines()) < 600 < len(everything.splitlines())


@pytest.mark.slow
@pytest.mark.parametrize(("flag", "meant"), [("--lr", "--model.optimizer.lr"), ("--epochs", "--trainer.max_epochs")])
def test_pretraining_finds_the_flag_too(flag: str, meant: str):
    done = subprocess.run(
        [sys.executable, str(ROOT / "pretrain.py"), "fit", flag, "3"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == f"error: no flag {flag} (did you mean {meant}?)"
