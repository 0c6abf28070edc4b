"""The bare products are those of our batches."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import products
from benchmarks.flops import needed_flops
from benchmarks.job import Job
from benchmarks.meter import Meter, Round


@pytest.mark.parametrize("trains", [True, False])
def test_products_have_the_examples_and_tokens_of_an_epoch_and_what_they_need(job: Job, trains: bool) -> None:
    """What real tokens need is more by attention alone."""
    replies = io.StringIO()
    products.run(replace(job, trains=trains), Meter(io.StringIO("round\nround\n"), replies))
    rounds = [Round.from_json(line) for line in replies.getvalue().splitlines()]
    lengths = np.array(json.loads(job.lengths.read_text()))
    shape = {"num_layers": 2, "hidden_size": 16, "intermediate_size": 32}
    needed = needed_flops(lengths, **shape, trains=trains)
    attention = (3 if trains else 1) * 2 * (2 * 16 * (lengths**2).sum() + 2 * 16 * lengths.sum())
    assert len(rounds) == 3
    for done in rounds:
        assert (done.work.examples, done.work.tokens) == (24, lengths.sum())
        assert done.work.flops == pytest.approx(needed - attention)
