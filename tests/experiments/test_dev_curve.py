from torch.utils.tensorboard import SummaryWriter

from experiments.dev_curve import DevScores, choose_best, read_dev_curve


def test_a_curve_has_a_point_for_each_validation(tmp_path):
    for folder, steps in (("version_0", (9, 19)), ("version_1", (19, 29))):
        with SummaryWriter(tmp_path / folder) as writer:
            for step in steps:
                writer.add_scalar("val/sst/accuracy", step / 64, step)
                writer.add_scalar("val/mean", step / 128, step)
                writer.add_scalar("train/sst/loss", 1.0, step)
    found = read_dev_curve([tmp_path / "version_0", tmp_path / "version_1"], {"sst": "accuracy"})
    assert found == [DevScores(step + 1, {"sst": step / 64, "mean": step / 128}) for step in (9, 19, 29)]


def test_the_best_is_the_first_of_the_highest_means_and_never_an_undefined_one():
    means = [float("nan"), 0.5, 0.7, 0.7]
    curve = [DevScores(step, {"mean": mean}) for step, mean in enumerate(means)]
    assert choose_best(curve) == curve[2]
    assert choose_best(curve[:1]) is None
    assert choose_best([]) is None
