"""Product of experts: the shortcut model answers beside the trained one, which is left with what that does not know."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from heads import BinaryOutput, ClassOutput, OutputKind, ScoreOutput
from heads.precision import widen
from objectives.debias import Debias, Floats, LossInputs

LEAST = 1e-4  # of a probability: a row of which the shortcut model is surer would outweigh hundreds


@dataclass(frozen=True)
class ProductOfExperts(Debias):
    """The loss of log p + strength · (log b - log prior) in the place of log p, where b is the shortcut model's answer.

    What b knows already needs no explanation by the trained model p. b holds the frequencies of the classes, which p
    should learn too, so they are taken out: b / prior is the evidence of the shortcut alone. Then at strength 1 p is
    what p · b / prior needs to be the probability of the label. For yes/no the logits are added. All else about the
    head's loss stays (label smoothing, focus, class weights).

    A score has a sum in the place of the product: the loss of the score m + strength · (b - mean of b). A logit is what
    is added where two experts about yes/no are multiplied; for two normal distributions of one fixed width it is their
    mean. So this is the same formula, and it fits every head for scores in label units, also those whose scores
    may leave the range. Cross-entropy with the score's share of its range as a soft label was the alternative: it
    would need logits, which a cosine does not have, and would not become the task's own loss at strength 0.

    A model that can express everything learns to subtract b from its own answer where both know the same, also where
    the shortcut is right: expect a loss on data like the training's, most of all for scores, where overlap is largely
    valid; take 0.3 or less there.

    Source: Clark et al. 2019 (bias product), https://aclanthology.org/D19-1418; He et al. 2019,
        https://arxiv.org/abs/1908.10763; Karimi Mahabadi et al. 2020 (strength), https://arxiv.org/abs/1909.06321
    """

    def check_output(self, output: OutputKind) -> None:
        """Ask for an output that is added to: logits of classes or of yes, or a score."""
        if not isinstance(output, ClassOutput | BinaryOutput | ScoreOutput):
            raise ValueError(
                f"debias ProductOfExperts adds to the logits of a softmax or of yes, or to a score, but the head has a "
                f"{type(output).__name__} (expected another loss, or debias Reweighting)"
            )

    def prepare(self, answers: Floats, labels: Floats, draws: Floats) -> Floats:
        """Return log b - log prior of each class, (rows, C), of yes less that of no, (rows,), or b - its mean."""
        known = ~np.isnan(labels)
        if answers.ndim == 1:
            return np.where(known, answers - answers[known].mean(), np.nan)
        prior = np.bincount(labels[known].astype(np.int64), minlength=answers.shape[1]) / known.sum()
        evidence: Floats = np.log(answers.clip(LEAST, 1)) - np.log(prior)
        evidence[~known] = np.nan
        return evidence if answers.shape[1] > 2 else np.diff(evidence, axis=1)[:, 0]

    def change(self, inputs: LossInputs, shortcut: Tensor, strength: float) -> LossInputs:
        """Add to the output."""
        return inputs._replace(output=torch.add(widen(inputs.output), shortcut, alpha=strength))
