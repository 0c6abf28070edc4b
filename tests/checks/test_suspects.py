import numpy as np
import torch

from backbones import Backbone, load_encoder
from checks.suspects import embed, judge_classes, judge_scores

RNG = np.random.default_rng(0)


def test_flipped_labels_of_two_clear_groups_are_found():
    labels = np.arange(200) % 2
    vectors = RNG.normal(size=(200, 8)).astype(np.float32) + 6 * labels[:, None]
    given = labels.astype(np.float64)
    given[[10, 77]] = 1 - given[[10, 77]]
    doubt, instead = judge_classes(vectors, given)
    assert np.flatnonzero(doubt).tolist() == [10, 77]
    assert instead[[10, 77]].tolist() == [0, 1]


def test_labels_that_the_vectors_do_not_tell_are_not_doubted():
    doubt, _ = judge_classes(RNG.normal(size=(200, 8)).astype(np.float32), RNG.integers(0, 3, 200).astype(np.float64))
    assert not doubt.any()


def test_scores_far_from_what_is_expected_are_found():
    scores = RNG.uniform(0, 5, 400)
    vectors = (scores[:, None] + RNG.normal(size=(400, 40)) / 5).astype(np.float32)
    given = scores.copy()
    given[[3, 300]] = [5 - scores[3] if abs(scores[3] - 2.5) > 1.5 else scores[3], 5 - scores[300]]
    wrong = np.flatnonzero(np.abs(given - scores) > 3)
    doubt, expected = judge_scores(vectors, given)
    assert set(np.flatnonzero(doubt).tolist()) >= set(wrong.tolist())
    assert np.abs(expected - scores).mean() < 1


def test_vectors_are_the_means_of_the_hidden_states_and_their_cost_is_told(tiny_backbone, tokenizer):
    bert = load_encoder(str(tiny_backbone)).eval()
    backbone = Backbone(bert, pooling="mean", frozen=True).eval()
    texts = [(f"a film {'good ' * (number % 40)}",) for number in range(600)]
    said: list[str] = []
    vectors = embed(texts, backbone, tokenizer, 64, said.append)
    assert len(said) == 1
    assert said[0].startswith("vectors of 600 texts, about ")
    with torch.no_grad():
        hidden = bert(**tokenizer(texts[7][0], return_tensors="pt")).last_hidden_state
    np.testing.assert_allclose(vectors[7], hidden.mean(dim=1)[0].numpy(), atol=1e-5)
