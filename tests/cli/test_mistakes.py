"""What the user can get wrong: one sentence and exit status 2."""

import pytest

from tests.cli.command_line import CS224N, contents


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--data.btach_size", "4"], "btach_size"),
        (["--tasks.sst.wieght", "4"], "wieght"),
        (["--tasks.sst", "Sts2"], "Sts2"),
        (["--model.pooling", "max"], "pooling"),
        (["--model.optimizer.schedule", "triangle"], "schedule"),
        (["--ckpt_path", ""], "--ckpt_path is empty (expected last, best, auto, a run or a file)"),
        (["--tasks.sst.source", "[]"], "source is [] (expected its options"),
        (
            ["--tasks.sst.source", "a.csv"],
            """expected {train: "a.csv", dev: FILE}, or {all: "a.csv", dev_share: 0.1}""",
        ),
        (["--tasks.sst.encoding", "cp1252"], "(expected single; the character encoding of files is source.encoding)"),
        (["--tasks.sts.metrics", "[mae]"], "sts.metrics is ['mae'] (did you mean mean_absolute_error?)"),
        (["--tasks.sst.source.dev", "null"], "task sst: its source names no dev split (expected dev: FILE, or one"),
        (["--data.sentences.file", "a.txt"], "data.sentences.task is not given (expected one of sst, quora, sts)"),
        (["--tasks.sst.source", "null"], "source is null (expected its options"),
        (["--tasks.sst.source.encoding", "null"], "tasks.sst.source.encoding is null (expected str)"),
        (["--tasks.sst.weight", "null"], "tasks.sst.weight is null (expected float)"),
        (["--tasks.sst.teacher", "[]"], "tasks.sst.teacher is [] (expected its options"),
        (["--model.trunk", "3"], "model.trunk is '3' (expected the options of TrunkSettings"),
        (["--model.optimizer.betas", "[1, 2]"], "optimizer.betas is [1.0, 2.0] (expected two numbers from 0"),
        (["--model.optimizer.warmup", "3"], "optimizer.warmup is 3.0 (expected a share of the steps, 0 to 1)"),
        (["--data.batch_size", "many"], "batch_size"),
        (["--data.batch_size", "0"], "data.batch_size is 0 (expected 1 or more)"),
        (["--data.tokens_per_batch", "0"], "data.tokens_per_batch is 0 (expected 1 or more)"),
        (["--data.num_workers", "-1"], "data.num_workers is -1 (expected 0 or more)"),
        (["--seed_everything", "-1"], "seed_everything is -1 (expected a whole number from 0 to 4294967295)"),
        (["--tasks.sst.head", "MlpHead", "--tasks.sst.head.size", "0"], "size is 0 (expected 1 or more)"),
        (["--data.schedule", "Staged", "--data.schedule.first", "nli"], "Staged: first is 'nli'"),
        (["--data.sentences.task", "nli"], "data.sentences.task is 'nli' (expected one of sst, quora, sts)"),
        (["--tasks.train", "Sst"], "task name 'train' cannot be used"),
        (["--model.backbone", "/none"], "backbone /none: no such folder"),
        (["--trainer.max_epochs", "-1", "--trainer.max_steps", "-1"], "set trainer.max_epochs or trainer.max_steps"),
        (["--trainer.max_steps", "2", "--data.max_length", "4"], "data.max_length is 4 (expected 5 or more)"),
        (["--data.root", "/none"], "/none/ids-sst-train.csv: no such file"),
        (["--model.optimizer.layer_decay", "0"], "optimizer.layer_decay is 0.0 (expected more than 0, at most 1)"),
        (["--averaging", "Ema", "--averaging.decay", "1"], "averaging.decay is 1.0 (expected 0 or more, less than 1)"),
        (["--model.score", "sst.f1 / 2"], "model.score is 'sst.f1 / 2' (expected a mapping, as in '{name: value}')"),
        (
            ["--model.score", "{sst.f1: 1}"],
            "model.score: there is no 'sst.f1' (expected sst.accuracy, sst.macro_f1, sst.loss",
        ),
        (["--model.adapter", "Lora", "--model.adapter.r", "0"], "adapter Lora: r is 0"),
        (["--model.adapter", "Pals", "--model.freeze_backbone", "true"], "exclude each other"),
        (["--model.save_trainable_only", "true"], "all weights train (expected an adapter or freeze_backbone)"),
        (["--best_checkpoint.monitor", "val/score"], "model.score is not given (expected weights of metrics)"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_named_with_exit_status_two(flags, message, train, tmp_path, capsys):
    train.refuse("fit", *flags)
    printed = capsys.readouterr().err
    assert message in printed
    assert "Traceback" not in printed


def test_an_unfit_head_is_refused_before_any_data_is_read(train, tmp_path, capsys):
    pairing = ["--tasks.quora.encoding", "bi", "--tasks.quora.head", "CosineHead"]
    train.refuse("fit", *pairing, "--data.root", tmp_path / "none")
    assert "task quora: Quora: CosineHead predicts scores, but the task has yes/no labels" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_row_is_named_by_file_and_line(train, root, tmp_path, capsys):
    for path in root.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    wrong = tmp_path / "sts-train.csv"
    wrong.write_text(wrong.read_text().replace("\t4.5\n", "\t7\n", 1))
    train.refuse("fit", "--data.root", tmp_path)
    assert "sts-train.csv, line 3: similarity is '7' (expected a number from 0 to 5)" in capsys.readouterr().err


def test_testing_without_labels_is_refused(train, cs224n_root, capsys):
    train("fit", "--trainer.max_steps", 1)
    train.refuse("test", "--data.root", cs224n_root, "--ckpt_path", "last")
    assert "test: no task has a labelled test split" in capsys.readouterr().err
    assert [path.name for path in (train.folder / "runs" / "cs224n").iterdir()] == ["version_0"]


@pytest.mark.parametrize("flags", [["--model.surgery", "PcGrad"], ["--ckpt_path", "auto", "--data.max_length", "16"]])
def test_a_refused_training_leaves_the_earlier_runs_alone(flags, train):
    before = contents(train("fit", "--trainer.max_steps", 1))
    train.refuse("fit", *flags)
    runs = train.folder / "runs" / "cs224n"
    assert [path.name for path in runs.iterdir()] == ["version_0"]
    assert contents(runs / "version_0") == before


def test_a_configuration_that_is_not_there_is_named_with_its_neighbour(train, tmp_path, capsys):
    tmp_path.joinpath("quickstart.yaml").touch()
    train.refuse("fit", "-c", tmp_path / "quickstrat.yaml")
    assert f"no file {tmp_path}/quickstrat.yaml (did you mean quickstart.yaml?)" in capsys.readouterr().err


def test_a_command_that_does_not_exist_is_named_with_the_one_meant(train, capsys):
    train.refuse("chek")
    assert "no command chek (did you mean check?) (expected one of fit, " in capsys.readouterr().err


def test_tasks_are_required(train, capsys):
    train.refuse("fit", config=None)
    assert "no tasks (expected a configuration that has some, such as -c configs/" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--data.rot", "x"], "no flag --data.rot (did you mean --data.root?)"),
        (["--data.batch_size", "many"], "data.batch_size is 'many' (expected int)"),
        (["--best_checkpoint_per_task", "ture"], "best_checkpoint_per_task is 'ture' (expected true or false)"),
        (["--tasks.sst.metrics", "[accuracy, mirco_f1]"], "'mirco_f1'] (did you mean micro_f1?) (expected a list of"),
        (
            ["--model.regularizer", "Smrt"],
            "model.regularizer: no class Smrt (did you mean Smart?) (expected one of Breg",
        ),
        (
            ["--model.regularizer", "Smart", "--model.regularizer.weigh", "1"],
            "model.regularizer: Smart has no weigh (did you mean weight?) (expected one of weight, noise,",
        ),
        (
            ["--data.schedule", "RoundRobbin"],
            "data.schedule: no class RoundRobbin (did you mean RoundRobin?) (expected",
        ),
        (
            ["--tasks.ssst.weight", "2"],
            "--tasks.ssst: no task of the configuration (did you mean sst?) (expected one of sst, quora, sts; a new",
        ),
        (
            ["--tasks.sst.haed", "LinearHead"],
            "tasks.sst: Sst has no haed (did you mean head?) (expected one of source,",
        ),
        (
            ["--tasks.sst.head.loss", "OrdinalLogLoss"],
            "tasks.sst.head: loss without a class (expected --tasks.sst.head CLASS first: one of ConcatProductHead,",
        ),
        (
            ["--tasks.other", "Clasification"],
            "tasks.other: no class Clasification (did you mean Classification?) (expected",
        ),
        (["-c", "none.yaml"], "no file "),
    ],
)
def test_what_is_typed_wrong_is_said_in_one_sentence(flags, sentence, train, capsys):
    train.refuse("fit", *flags)
    said = capsys.readouterr().err.splitlines()
    assert said[-1] == "All options: train.py fit --help"
    assert said[-2].startswith("error: ")
    assert sentence in said[-2]
    assert not any("usage" in line for line in said)


@pytest.mark.parametrize(
    ("flag", "sentence"),
    [
        (
            "--tasks.nosuch.weight",
            "--tasks.nosuch: no task of the configuration (expected one of sst, quora, sts; a new",
        ),
        (
            "--tasks.nosuch.source.test",
            "--tasks.nosuch: no task of the configuration (expected one of sst, quora, sts; ",
        ),
        ("--tasks.sst.weight", "--tasks.sst.weight stands before what says the class of task sst (expected -c FILE or"),
    ],
)
def test_an_option_of_a_task_before_the_configuration_is_said_to_be_one(flag, sentence, train, capsys):
    with pytest.raises(SystemExit) as ended:
        train.raw("fit", flag, "2", "-c", str(CS224N))
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith(f"error: {sentence}")


def test_words_that_yaml_reads_as_truth_values_need_quotes(train, tmp_path, capsys):
    path = tmp_path / "mine.yaml"
    arguments = "{source: {train: a.csv}, texts: [a, b], label: y, classes: [no, yes]}"
    path.write_text(f"tasks: {{mine: {{class_path: PairClassification, init_args: {arguments}}}}}")
    train.refuse("fit", config=path)
    assert (
        "tasks.mine.classes: YAML reads yes, no, on, off, true and false as False (expected quotes"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize("subcommand", ["validate", "test", "predict"])
def test_scoring_without_trained_weights_is_refused(train, capsys, subcommand):
    train.refuse(subcommand)
    assert (
        f"error: {subcommand} needs trained weights: --ckpt_path best, last, a run or a file" in capsys.readouterr().err
    )
