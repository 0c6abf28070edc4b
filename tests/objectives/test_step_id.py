from objectives import StepId


def test_draws_depend_on_seed_epoch_step_and_purpose():
    step_ids = [StepId(seed, epoch, step) for seed in (0, 1) for epoch in (0, 1) for step in (0, 1)]
    drawn = {step_id.draw(purpose).random() for step_id in step_ids for purpose in ("order", "weights")}
    assert len(drawn) == 16
    assert {step_id.draw("order").random() for step_id in step_ids} < drawn
