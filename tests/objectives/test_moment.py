from objectives import Moment


def test_draws_depend_on_seed_epoch_step_and_purpose():
    moments = [Moment(seed, epoch, step) for seed in (0, 1) for epoch in (0, 1) for step in (0, 1)]
    drawn = {moment.draw(purpose).random() for moment in moments for purpose in ("order", "weights")}
    assert len(drawn) == 16
    assert {moment.draw("order").random() for moment in moments} < drawn
