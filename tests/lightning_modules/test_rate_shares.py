import pytest
import torch
from transformers import get_scheduler

from lightning_modules.rate_shares import Form, rate_share

NAMES = {"constant": "constant_with_warmup", "linear": "linear", "cosine": "cosine"}  # those of transformers


@pytest.mark.parametrize("form", ["constant", "linear", "cosine"])
@pytest.mark.parametrize(("num_warmup", "num_steps"), [(0, 1), (0, 7), (3, 3), (4, 37), (120, 1201)])
def test_every_share_is_that_of_transformers_to_the_bit(form: Form, num_warmup: int, num_steps: int) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler = get_scheduler(NAMES[form], optimizer, num_warmup_steps=num_warmup, num_training_steps=num_steps)
    for step in range(num_steps + 2):
        share = rate_share(step, form=form, num_warmup=num_warmup, num_steps=num_steps)
        assert share == scheduler.get_last_lr()[0]
        optimizer.step()
        scheduler.step()
