import numpy as np
import pytest

from figures import Interleaving, draw_interleaving, share_by_bin, to_image
from planning.length import Length
from planning.moments import ValidationRule, find_checkpoints, find_validations


def test_a_long_order_is_shown_by_shares():
    order = np.tile([0, 1, 1, 1], 1000)
    shares = share_by_bin(order, 2, bins=10)
    assert shares.shape == (2, 10)
    assert shares[0].tolist() == pytest.approx([0.25] * 10)


def test_a_picture_has_a_band_for_each_task_and_a_panel_for_each_plan():
    panels = [Interleaving(name, ["a", "b"], np.array([0, 1, 1, 0]), 2, [1]) for name in ("mine", "$x$ [b]")]
    figure = draw_interleaving(panels)
    assert [axes.get_title() for axes in figure.axes] == ["mine", "$x$ [b]"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "b"]
    pixels = figure.axes[0].images[0].get_array()
    assert pixels is not None
    assert pixels[..., 3].tolist() == [[1, 0, 0, 1], [0, 1, 1, 0]]
    assert to_image(figure).std() > 0


def test_steps_of_epochs_windows_and_limits():
    length = Length(epoch_batches=5, window=2, max_epochs=3, max_steps=8)
    assert (length.epoch_steps, length.steps, length.batches) == (3, 8, [5, 5, 4])
    assert find_checkpoints(length, 3) == [3, 6, 8]
    assert find_checkpoints(length, 0) == [8]
    assert find_validations(length, ValidationRule(enabled=False)) == []
    assert find_validations(length, ValidationRule(interval=None)) == [8]
    assert find_validations(length, ValidationRule(interval=2)) == [1, 2, 4, 5, 7, 8]


def test_an_endless_or_empty_training_has_no_length():
    with pytest.raises(ValueError, match="without an end"):
        Length(epoch_batches=5)
    with pytest.raises(ValueError, match="no batch"):
        Length(epoch_batches=0, max_steps=3)
