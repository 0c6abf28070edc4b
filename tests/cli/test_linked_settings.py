"""Settings that follow another one, and are set in a file."""

import pytest


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("trainer:\n  max_epochs: 2\ndata:\n  max_epochs: 3\n", "line 4: data.max_epochs follows trainer.max_epochs"),
        ("data: {tokenizer: bert-base-cased}\n", "line 1: data.tokenizer follows model.backbone"),
        ("model:\n  seed: 3\n", "line 2: model.seed follows seed_everything"),
        ("data: {tasks: {sst: Sst}}\n", "line 1: data.tasks follows tasks"),
    ],
)
def test_a_file_that_sets_what_follows_is_refused(text, sentence, train, tmp_path, capsys):
    (tmp_path / "mine.yaml").write_text(text)
    train.refuse("fit", "-c", str(tmp_path / "mine.yaml"))
    assert capsys.readouterr().err.startswith(f"error: {tmp_path}/mine.yaml, {sentence} (expected that to be set)\n")
    assert not (tmp_path / "runs").exists()
