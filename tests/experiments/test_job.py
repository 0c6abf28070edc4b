import os

from experiments.job import TRAIN, Job


def test_a_job_is_a_plain_command_that_continues(tmp_path):
    config = tmp_path / "a.yaml"
    job = Job("b1", tmp_path / "b1" / "seed-1", (config,), ("--seed_everything", "1"))
    words = job.shown_command.split()
    assert words[:3] == ["python", os.path.relpath(TRAIN), "fit"]
    assert words[3:] == [
        *["-c", os.path.relpath(config), "--seed_everything", "1", "--trainer.logger.save_dir", str(tmp_path / "b1")],
        *["--trainer.logger.name", "seed-1", "--ckpt_path", "auto"],
    ]
