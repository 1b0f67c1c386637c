"""The float ONNX graph equals torch: no spike differs, states to 1e-6."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from torch import nn

from arlif import layers
from arlif.base.errors import LoweringError
from arlif.networks import NetworkConfig, Stack, build
from arlif.networks.neuron_choice import NEURONS, NeuronConfig, make_neuron
from arlif.neurons import ARLIF, LIF, PSN
from export.onnx import write_onnx_float
from export.onnx.symbols import DOMAIN
from hw_sim.engines.floating_point import simulate_float

TIME_STEPS = 4
SHAPE = (2, 8, 8)
STEPWISE = sorted(name for name in NEURONS if not name.startswith("psn"))
"""Parallel neurons have no step."""


def _network(name: str, static: bool, exact: bool = False) -> nn.Module:
    """A small network whose constants are all away from where they start.

    exact: round weights so that float32 sums are exact in any order, wherever they are computed.
    """
    stack = Stack((4, "pool", 6), hidden=(8,), dropout=0.2)
    config = NetworkConfig(stack, NeuronConfig(name, v_threshold=0.5), SHAPE, 5, TIME_STEPS, static)
    net = build(config).eval()
    for layer in net.modules():
        if isinstance(layer, ARLIF):
            nn.init.constant_(layer.alpha_raw, 0.7)
            nn.init.constant_(layer.beta_raw, 0.4)
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            assert layer.running_var is not None
            nn.init.constant_(layer.running_var, 0.25 if exact else 0.2)
            nn.init.uniform_(layer.bias, 0.0, 0.5)
            layer.eps = 0.0 if exact else layer.eps
    if exact:
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.copy_(torch.round(parameter * 64) / 64)
    return net


def _inputs(static: bool, samples: int, exact: bool = False) -> torch.Tensor:
    x = torch.rand(1 if static else TIME_STEPS, samples, *SHAPE)
    return torch.round(x * 16) / 16 if exact else x


def _feeds(x: torch.Tensor, static: bool) -> dict[str, Any]:
    feeds: dict[str, Any] = {"input": x.numpy()}
    return feeds | ({"time_steps": np.array(TIME_STEPS)} if static else {})


def _run(path: Path, feeds: dict[str, Any]) -> dict[str, Any]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds), strict=True))


@pytest.mark.parametrize("static", [True, False])
@pytest.mark.parametrize("name", STEPWISE)
def test_equals_torch_where_sums_are_exact(name: str, static: bool, tmp_path: Path) -> None:
    torch.manual_seed(1)
    net, x = _network(name, static, exact=True), _inputs(static, 1000, exact=True)
    write_onnx_float(net, tmp_path / "net.onnx", SHAPE, states=True)
    got = _run(tmp_path / "net.onnx", _feeds(x, static))
    with torch.no_grad():
        want = simulate_float(net, x, traced=1000)
    assert len(want.traces) == 3
    for layer, trace in want.traces.items():
        assert 0.02 < trace.spikes.mean() < 0.98
        assert np.count_nonzero(got[f"{layer}.spikes"] != trace.spikes) == 0
        for variable, values in trace.states.items():
            assert np.allclose(got[f"{layer}.{variable}"], values, rtol=1e-6, atol=1e-6)
    assert np.abs(got["logits"].sum(0) - want.readout).max() <= 1e-6


def test_rounding_of_sums_hardly_ever_moves_a_spike(tmp_path: Path) -> None:
    torch.manual_seed(1)
    net, x = _network("arlif", static=True), _inputs(True, 1000)
    write_onnx_float(net, tmp_path / "net.onnx", SHAPE)
    got = _run(tmp_path / "net.onnx", _feeds(x, True))
    with torch.no_grad():
        want = simulate_float(net, x, traced=1000).traces["neuron1"]
    assert np.mean(got["neuron1.spikes"] != want.spikes) < 1e-5


@pytest.mark.parametrize("name", STEPWISE)
def test_states_of_the_neuron_alone(name: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    neuron = make_neuron(NeuronConfig(name, decay=0.7), TIME_STEPS)
    if isinstance(neuron, ARLIF):
        nn.init.constant_(neuron.alpha_raw, 0.3)
        nn.init.constant_(neuron.beta_raw, -0.6)
    x = torch.randn(TIME_STEPS, 1000, 16)
    write_onnx_float(nn.Sequential(neuron), tmp_path / "net.onnx", (16,), states=True)
    got = _run(tmp_path / "net.onnx", {"input": x.numpy()})
    with torch.no_grad():
        trace = simulate_float(nn.Sequential(neuron), x, traced=1000).traces["0"]
    assert np.array_equal(got["0.spikes"], trace.spikes)
    for variable, values in trace.states.items():
        assert np.abs(got[f"0.{variable}"] - values).max() <= 1e-6


def test_onnx_reference_evaluator_agrees(tmp_path: Path) -> None:
    torch.manual_seed(2)
    net, x = _network("arlif", static=True), _inputs(True, 3)
    write_onnx_float(net, tmp_path / "net.onnx", SHAPE)
    want = _run(tmp_path / "net.onnx", _feeds(x, True))
    evaluator = ReferenceEvaluator(str(tmp_path / "net.onnx"))
    values = evaluator.run(None, _feeds(x, True))
    for name, value in zip(evaluator.output_names, values, strict=True):
        assert np.allclose(value, want[name], atol=1e-5)


def test_neurons_are_functions_and_time_is_dynamic(tmp_path: Path) -> None:
    torch.manual_seed(3)
    net, path = _network("arlif", static=False), tmp_path / "net.onnx"
    write_onnx_float(net, path, SHAPE)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert [(f.domain, f.name) for f in model.functions] == [(DOMAIN, "ARLIF")]
    for time_steps, samples in ((1, 1), (7, 2)):
        x = torch.rand(time_steps, samples, *SHAPE)
        with torch.no_grad():
            assert np.allclose(_run(path, {"input": x.numpy()})["logits"], net(x), atol=1e-6)


class _Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = layers.Conv2d(2, 4, 3, padding=1, groups=2, dilation=1)
        self.fire = LIF(v_threshold=0.3)
        self.grouped = layers.Conv2d(4, 4, (3, 1), padding=(1, 0), stride=1, bias=False)
        self.again = ARLIF(v_threshold=0.3)
        self.pool = layers.AdaptiveAvgPool2d(2)
        self.head = layers.Linear(16, 3, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        spikes = self.fire(self.conv(x))
        spikes = self.again(self.grouped(spikes) + self.conv(x))
        return self.head(self.pool(spikes).flatten(2)).mean(0)


def test_branches_and_the_mean_over_time(tmp_path: Path) -> None:
    torch.manual_seed(4)
    net, x = _Residual().eval(), torch.rand(5, 20, *SHAPE)
    write_onnx_float(net, tmp_path / "net.onnx", SHAPE)
    got = _run(tmp_path / "net.onnx", {"input": x.numpy()})
    with torch.no_grad():
        assert np.allclose(got["logits"], net(x), atol=1e-6)
    assert [layer for layer in got if layer != "logits"] == ["fire.spikes", "again.spikes"]


class _Asking(nn.Module):
    """Asks for shapes, and computes what the output does not read."""

    def __init__(self) -> None:
        super().__init__()
        self.fire, self.head, self.unread = LIF(), layers.Linear(128, 3), nn.GELU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        _ = x.shape, x.size(0), x.dim(), self.unread(x)
        return self.head(self.fire(x).flatten(2))


def test_what_the_output_does_not_read_is_left_out(tmp_path: Path) -> None:
    net, x = _Asking().eval(), torch.rand(5, 4, 2, 8, 8)
    write_onnx_float(net, tmp_path / "net.onnx", (2, 8, 8))
    got = _run(tmp_path / "net.onnx", {"input": x.numpy()})
    with torch.no_grad():
        assert np.allclose(got["logits"], net(x), atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (nn.GELU(), "0: GELU has no ONNX form"),
        (layers.AdaptiveAvgPool2d(3), "uneven windows"),
        (layers.AvgPool2d(2, divisor_override=3), "divisor_override"),
        (layers.Conv2d(2, 2, 3, padding=1, padding_mode="reflect"), "padding_mode is 'reflect'"),
        (layers.Conv2d(3, 2, 3), "torch.fx cannot trace"),
        (PSN(TIME_STEPS), "0: PSN cannot be deployed"),
    ],
)
def test_what_cannot_be_written_is_named(layer: nn.Module, message: str, tmp_path: Path) -> None:
    with pytest.raises(LoweringError, match=message):
        write_onnx_float(nn.Sequential(layer), tmp_path / "net.onnx", SHAPE)
    assert list(tmp_path.iterdir()) == []


class Failing(nn.Module):
    """Fails when it is run."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise self.error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("first\nsecond"), "first"),
        (ValueError("alone"), "alone"),
        (KeyError(), "KeyError"),
    ],
)
def test_what_fails_in_the_users_code_is_told_in_a_line(
    error: Exception, told: str, tmp_path: Path
) -> None:
    with pytest.raises(LoweringError, match=rf"cannot trace the network \({told}\); avoid"):
        write_onnx_float(Failing(error), tmp_path / "net.onnx", SHAPE)


def test_hooks_are_refused_as_themselves(tmp_path: Path) -> None:
    net = _Asking()
    net.register_forward_hook(lambda layer, given, out: 0 * out)
    with pytest.raises(LoweringError, match=r"^the network: forward hooks"):
        write_onnx_float(net, tmp_path / "net.onnx", (2, 8, 8))
