"""Writes which lines of the sentences our corpus trains on, so that the peers train on the same.

`python -m benchmarks.ours.train_lines < JOB`: our data module holds some sentences out, by a hash of their text.
"""

import json
import sys

from benchmarks.job import Job
from benchmarks.ours.building import TASK, build_masked_lm_data
from runtime.messages import silence_lightning


def write_train_lines(job: Job) -> None:
    """Write the numbers of the trained lines, from 0, as a JSON list."""
    data = build_masked_lm_data(job)
    data.setup("fit")
    train = data.corpora[TASK].train
    job.train_lines.write_text(json.dumps([int(train.id(row)) for row in range(len(train))]), encoding="utf-8")


if __name__ == "__main__":
    silence_lightning()
    write_train_lines(Job.from_json(sys.stdin.readline()))
