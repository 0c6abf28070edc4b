"""How many processes a trainer's options ask for."""

import pytest
import torch

from runtime.processes import count_processes


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_machine_without_a_gpu_is_one_process() -> None:
    """Two such machines train as two; counted as none, they got a strategy that stops at the first idle head."""
    for nodes in (1, 2):
        assert count_processes({"devices": "auto", "num_nodes": nodes, "accelerator": "auto"}) == nodes
