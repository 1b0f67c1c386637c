"""Muon against its equations in plain numpy, and Adam for the rest against torch's."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from arlif.training.muon import BETAS, MOMENTUM, OTHERS, Muon, orthogonal


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (5, 5)])
def test_every_direction_gets_a_step_of_about_one_size(shape):
    generator = torch.Generator().manual_seed(1)
    left, _ = torch.linalg.qr(torch.randn(shape[0], min(shape), generator=generator))
    right, _ = torch.linalg.qr(torch.randn(shape[1], min(shape), generator=generator))
    values = torch.linspace(1.0, 3.0, min(shape))
    found = orthogonal(left @ torch.diag(values) @ right.T)
    inner = left.T @ found @ right
    assert torch.allclose(inner, torch.diag(inner.diag()), atol=1e-5)
    assert 0.5 < float(inner.diag().min()) <= float(inner.diag().max()) < 1.5
    assert torch.allclose(left @ inner @ right.T, found, atol=1e-5)


def _by_hand(matrix):
    a, b, c = 3.4445, -4.7750, 2.0315
    u, s, v = np.linalg.svd(matrix / np.linalg.norm(matrix), full_matrices=False)
    for _ in range(3):
        s = a * s + b * s**3 + c * s**5
    return u @ np.diag(s) @ v


def test_two_steps_are_those_of_the_equations():
    torch.manual_seed(2)
    conv = nn.Conv2d(3, 4, 2, bias=False).double()
    optimizer = Muon(conv.parameters(), 0.1, 0.0)
    weight = conv.weight.detach().numpy().reshape(4, 12).copy()
    momentum = np.zeros_like(weight)
    for _ in range(2):
        grad = np.random.default_rng(3).normal(size=weight.shape)
        conv.weight.grad = torch.from_numpy(grad).view_as(conv.weight)
        optimizer.step()
        momentum = MOMENTUM * momentum + grad
        weight = weight * 2 / np.linalg.norm(weight)
        weight -= 0.1 * _by_hand(grad + MOMENTUM * momentum)
        assert np.allclose(conv.weight.detach().numpy().reshape(4, 12), weight, atol=1e-6)


def test_what_is_no_convolution_takes_the_steps_of_adamw():
    torch.manual_seed(2)
    values = torch.randn(3, 5, dtype=torch.float64)
    mine, other, idle = (nn.Parameter(values.clone()) for _ in range(3))
    muon = Muon([mine, idle], 0.2, 0.01)
    adam = torch.optim.AdamW([other], OTHERS * 0.2, BETAS, weight_decay=0.01)
    for _ in range(3):
        mine.grad = other.grad = torch.randn_like(values)
        muon.step()
        adam.step()
    assert torch.allclose(mine, other, rtol=1e-9)
    assert torch.equal(idle, values)


def test_a_state_that_was_saved_continues():
    torch.manual_seed(2)
    conv = nn.Conv2d(2, 3, 2)
    optimizer = Muon(conv.parameters(), 0.1, 0.0)
    gradients = [[torch.randn_like(p) for p in conv.parameters()] for _ in range(2)]

    def step(chosen, net, given):
        for parameter, gradient in zip(net.parameters(), given, strict=True):
            parameter.grad = gradient.clone()
        chosen.step()

    step(optimizer, conv, gradients[0])
    other = copy.deepcopy(conv)
    continued = Muon(other.parameters(), 0.1, 0.0)
    continued.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    step(optimizer, conv, gradients[1])
    step(continued, other, gradients[1])
    for one, two in zip(conv.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)
