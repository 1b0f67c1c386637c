"""The loss of the paper: temporal efficient training plus a mean-square regulariser."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from arlif.neurons.estimated import ESTIMATION_WEIGHT, take_estimation_errors

PHI = 1.0
"""Where the regulariser pulls every logit (arXiv:2507.20746, Eq. 9; arXiv:2202.11946)."""


def judged(logits: Tensor, mean_logits: bool, logit_scale: float) -> Tensor:
    """What the loss reads: logits [T, N, classes], or with mean_logits their mean [1, N, classes].

    logit_scale: factor of both. The mean lies within a few steps of 0, where cross-entropy hardly
    tells classes apart; a factor above 1 lets it.
    """
    return logit_scale * (logits.mean(0, keepdim=True) if mean_logits else logits)


def tet_loss(
    logits: Tensor, targets: Tensor, mse_weight: float = 0.05, mse_to_labels: bool = False
) -> Tensor:
    """(1 - mse_weight) mean_t CE(logits[t], targets) + mse_weight MSE(logits, phi).

    logits: [T, N, classes]. targets: class probabilities [N, classes], rows sum to 1.
    mse_weight: 0.05 in the paper (Eq. 9). mse_to_labels: the mean-square term pulls towards the
    targets instead of phi = 1, as the released Tiny-ImageNet experiments do.
    """
    per_step = targets.expand(logits.shape[0], -1, -1)
    cross_entropy = functional.cross_entropy(logits.flatten(0, 1), per_step.flatten(0, 1))
    goal = per_step if mse_to_labels else torch.full_like(logits, PHI)
    return (1 - mse_weight) * cross_entropy + mse_weight * functional.mse_loss(logits, goal)


def with_estimation(loss: Tensor, net: nn.Module) -> Tensor:
    """(1 - lambda) loss + lambda times the estimation errors of MPE-PSN layers, where there are."""
    errors = take_estimation_errors(net)
    return loss if errors is None else torch.lerp(loss, errors, ESTIMATION_WEIGHT)
