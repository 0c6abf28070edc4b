"""Confidence regularisation: a teacher that is less sure where a shortcut tells the label."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from heads import OutputKind
from heads.distributions import LEAST
from objectives.debias import Debias, Floats, LossInputs, label_confidence


@dataclass(frozen=True)
class ConfidenceRegularization(Debias):
    """The teacher's probabilities to the power 1 - strength · B, scaled to sum to 1, B how sure the shortcut is.

    The teacher is a model of the same kind that was trained plainly, with its predictions for the train split (see
    `Teacher`); give it the weight 1, so that the labels themselves are not learnt. Where the shortcut is sure of the
    label the target is flat; where it is not, or is wrong, the teacher is followed. In the authors' runs it lost less
    on ordinary data than ProductOfExperts and Reweighting, and gained less where the shortcut fails.

    A teacher's score t becomes (1 - strength · B) t + strength · B · mean of the labels: as a flat distribution says
    nothing of a class, the mean says nothing of a score. For the B of a score see `label_confidence`.

    Source: Utama et al. 2020, https://aclanthology.org/2020.acl-main.770
    """

    needs_teacher: ClassVar[bool] = True

    strength: float = 1.0

    def check_output(self, output: OutputKind) -> None:
        """Fit every one: the output is not touched."""

    def prepare(self, answers: Floats, labels: Floats, draws: Floats) -> Floats:
        """Return B, (rows,), or beside B the mean of the labels, (rows, 2), of scores."""
        sure = label_confidence(answers, labels)
        return sure if answers.ndim == 2 else np.stack([sure, np.full_like(sure, np.nanmean(labels))], axis=1)

    def change(self, inputs: LossInputs, shortcut: Tensor, strength: float) -> LossInputs:
        """Scale the teacher."""
        teacher = inputs.teacher
        assert teacher is not None  # `check` has asked for one
        if shortcut.dim() == 2:  # of scores
            sure, mean = (strength * shortcut[:, 0]), shortcut[:, 1]
            return inputs._replace(teacher=(1 - sure) * teacher + sure * mean)
        exponents = 1 - strength * shortcut  # (B,)
        scaled = (exponents[:, None] * teacher.clamp_min(LEAST).log()).softmax(dim=1)
        return inputs._replace(teacher=scaled.to(torch.float32))
