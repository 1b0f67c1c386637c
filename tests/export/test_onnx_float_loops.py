"""Loops in the float graph fire as torch does, for another N and T than they were written with."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from arlif import layers
from arlif.neurons import ARLIF, LIF
from arlif.neurons.recurrent import GIVEN, Connection, Loop, Recurrent
from export.onnx import write_onnx_float
from hw_sim.engines.floating_point import simulate_float

T, N = 7, 5


def eighths(module: nn.Module) -> nn.Module:
    """Weights whose sums are exact, so that no order of additions changes a spike."""
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim > 1:
                parameter.copy_((16 * parameter).round() / 8)
            elif parameter.ndim:
                parameter.fill_(0.25)
    return module.eval()


def recurrent(delay: int) -> nn.Module:
    return nn.Sequential(
        layers.Linear(6, 8),
        Recurrent(LIF(v_threshold=0.5), layers.Linear(8, 8), delay),
        layers.Linear(8, 3),
    )


def two(convolutional: bool) -> nn.Module:
    if convolutional:
        there, back = layers.Conv2d(2, 3, 3, padding=1), layers.Conv2d(3, 2, 3, padding=1)
        first: nn.Module = layers.Conv2d(2, 2, 1)
    else:
        there, back, first = (layers.Linear(*ends) for ends in ((6, 4), (4, 6), (6, 6)))
    connections = (
        Connection(GIVEN, "a", first),
        Connection(GIVEN, "b", nn.Sequential(first, there), 2),
        Connection("a", "b", there),
        Connection("b", "a", back, 3),
        Connection("a", "a", nn.Identity(), 1),
    )
    loop = Loop({"a": LIF(v_threshold=0.5), "b": ARLIF()}, connections, "b")
    flat = [layers.Flatten()] if convolutional else []
    return nn.Sequential(loop, *flat, layers.Linear(60 if convolutional else 4, 3))


NETS = {
    "one step": (recurrent(1), (6,)),
    "three steps": (recurrent(3), (6,)),
    "two parts": (two(False), (6,)),
    "convolutions": (two(True), (2, 4, 5)),
}


@pytest.mark.parametrize("name", NETS)
def test_a_loop_fires_as_torch_does(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    net, shape = NETS[name]
    net = eighths(net)
    x: Tensor = (torch.rand(T, N, *shape) < 0.5).float()
    path = tmp_path / "net.onnx"
    write_onnx_float(net, path, shape, states=True)
    session = onnxruntime.InferenceSession(path)
    names = [value.name for value in session.get_outputs()]
    got = dict(zip(names, session.run(names, {"input": x.numpy()}), strict=True))
    np.testing.assert_allclose(got["logits"], net(x).detach(), rtol=1e-5, atol=1e-5)
    want = simulate_float(net, x, traced=N)
    assert {n.removesuffix(".spikes") for n in names if n.endswith(".spikes")} == {*want.traces}
    for layer, trace in want.traces.items():
        np.testing.assert_array_equal(got[f"{layer}.spikes"], trace.spikes)
        assert 0.02 < trace.spikes.mean() < 1
        assert {n for n in names if n.startswith(f"{layer}.")} - {f"{layer}.spikes"} == {
            f"{layer}.{state}" for state in trace.states
        }
