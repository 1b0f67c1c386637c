"""Whoever runs a network in eval mode leaves every part of it in the mode that it was in."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from support.networks_small import conv_net, images
from torch import nn

from arlif import data, layers
from arlif.base.errors import LoweringError
from arlif.layers import evaluating
from arlif.quantize import check
from arlif.training.accuracy import evaluate
from arlif.training.batches import Batches
from export.onnx import write_onnx_float
from hw_sim.engines.floating_point import simulate_float

SHAPE = (1, 8, 8)


def half_frozen() -> nn.Module:
    """In training, but for one batch norm."""
    net = conv_net().train()
    net.get_submodule("1").eval()
    return net


def measure(net: nn.Module, folder: Path) -> None:
    digits = data.load("digits")
    evaluate(net, digits.info, Batches(digits.test, 100))


RUNS: dict[str, Callable[[nn.Module, Path], object]] = {
    "check": lambda net, folder: check(net, SHAPE),
    "evaluate": measure,
    "simulate_float": lambda net, folder: simulate_float(net, images(SHAPE, 4), traced=2),
    "write_onnx_float": lambda net, folder: write_onnx_float(net, folder / "n.onnx", SHAPE),
}


@pytest.mark.parametrize("run", RUNS)
def test_modes_and_statistics_stay(run: str, tmp_path: Path) -> None:
    net = half_frozen()
    modes = [part.training for part in net.modules()]
    weights = {name: value.clone() for name, value in net.state_dict().items()}
    RUNS[run](net, tmp_path)
    assert [part.training for part in net.modules()] == modes
    assert all(torch.equal(value, weights[name]) for name, value in net.state_dict().items())
    assert not any(part._forward_hooks for part in net.modules())


def test_random_neurons_draw_the_same_and_no_generator_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seed_every_gpu(seed: int) -> None:
        raise AssertionError("only the generator of the device in use is seeded")

    monkeypatch.setattr(torch.cuda, "manual_seed_all", seed_every_gpu)
    torch.default_generator.manual_seed(7)
    before = torch.get_rng_state()
    digits, net = data.load("digits"), nn.Sequential(layers.Flatten(), _Noise())
    first, second = (evaluate(net, digits.info, Batches(digits.test, 100)) for _ in range(2))
    assert (first.confusion == second.confusion).all()
    assert torch.equal(torch.get_rng_state(), before)


class _Noise(nn.Module):
    """Logits of 10 classes that are drawn."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.rand(*x.shape[:2], 10)


def test_modes_stay_where_the_run_fails(tmp_path: Path) -> None:
    net = half_frozen()
    modes = [part.training for part in net.modules()]
    with pytest.raises(LoweringError):
        write_onnx_float(net, tmp_path / "n.onnx", (2, 8, 8))
    assert [part.training for part in net.modules()] == modes


def test_parts_are_in_eval_mode_inside() -> None:
    net = half_frozen()
    with evaluating(net):
        assert not any(part.training for part in net.modules())
