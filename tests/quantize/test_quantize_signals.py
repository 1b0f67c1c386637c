"""Layers over signals (C, L) do what those over frames (C, 1, L) do, in floats and in integers."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from arlif import layers
from arlif.base.errors import LoweringError
from arlif.neurons import ARLIF, LIF
from arlif.neurons.recurrent import Recurrent
from arlif.quantize import Precision, calibrate_input, linearize, quantize
from arlif.quantize.linearized import RealConv2d
from arlif.quantize.lowering import check
from arlif.quantize.presets import STOCK_LAVA, violations
from export.nir import load_nir, write_nir_lif
from export.nir.conventions import exact
from export.onnx import write_onnx_float
from hw_sim.energy.neurobench_figures import neurobench

T, N, SHAPE = 6, 4, (3, 17)

POOLS = {
    "none": nn.Identity(),
    "average": layers.AvgPool1d(3, 2, 1),
    "maximum": layers.MaxPool1d(3, 2, 1, 2),
    "adaptive": layers.AdaptiveAvgPool1d(4),
}
TWINS = {
    "none": nn.Identity(),
    "average": layers.AvgPool2d((1, 3), (1, 2), (0, 1)),
    "maximum": layers.MaxPool2d((1, 3), (1, 2), (0, 1), (1, 2)),
    "adaptive": layers.AdaptiveAvgPool2d((1, 4)),
}


def conv(signals: bool, *sizes: int, **more: int) -> nn.Module:
    """A convolution over L, as torch writes it and as one over (1, L)."""
    names = {"stride": 1, "padding": 0, "dilation": 1}
    kernel, own = sizes[-1], {n: more.get(n, least) for n, least in names.items()}
    groups = more.get("groups", 1)
    if signals:
        return layers.Conv1d(*sizes[:-1], kernel, groups=groups, **own)
    wide = {n: (names[n], value) for n, value in own.items()}
    return layers.Conv2d(*sizes[:-1], (1, kernel), groups=groups, **wide)


def net(pool: str, signals: bool, width: int, feedback: bool = False) -> nn.Module:
    neuron: nn.Module = LIF(0.7, 0.5, "hard")
    if feedback:
        neuron = Recurrent(neuron, conv(signals, 6, 6, 3, padding=1))
    return nn.Sequential(
        conv(signals, 3, 6, 5, stride=2, padding=3, dilation=2),
        layers.BatchNorm1d(6) if signals else layers.BatchNorm2d(6),
        neuron,
        (POOLS if signals else TWINS)[pool],
        conv(signals, 6, 4, 3, groups=2, padding=1),
        ARLIF(),
        layers.Flatten(),
        layers.Linear(width, 5),
    )


def pair(pool: str, feedback: bool = False) -> tuple[nn.Module, nn.Module]:
    """The same network over signals and over frames, trained by nobody but not at its start."""
    torch.manual_seed(0)
    with torch.no_grad():
        front = net(pool, True, 1, feedback)[:-1].eval()
        width = front(torch.zeros(1, 1, *SHAPE)).shape[2]
        ours = net(pool, True, width, feedback)
        ours(signals())  # moves the statistics
        ours[1].weight.mul_(2)
        ours[4].weight.mul_(6)
        twin = net(pool, False, width, feedback)
        state = ours.state_dict()
        twin.load_state_dict({n: state[n].view_as(v) for n, v in twin.state_dict().items()})
    return ours.eval(), twin.eval()


def signals() -> Tensor:
    return (torch.rand(T, N, *SHAPE, generator=torch.Generator().manual_seed(1)) < 0.4).float()


@pytest.mark.parametrize("feedback", [False, True])
@pytest.mark.parametrize("pool", POOLS)
def test_the_integers_are_those_of_frames_of_height_1(pool: str, feedback: bool) -> None:
    ours, twin = pair(pool, feedback)
    x = signals().unsqueeze(3)
    made = []
    for module, shape in ((ours, SHAPE), (ours, (3, 1, 17)), (twin, (3, 1, 17))):
        linear = linearize(module, shape)
        assert linear.input_shape == (3, 1, 17)
        source = calibrate_input(x.numpy(), linear.input_shape, linear.static)
        made.append(quantize(linear, source, Precision(), T))
    assert made[0] == made[2]
    assert made[1] == made[2]
    other = quantize(linearize(pair("none")[0], SHAPE), source, Precision(), T)
    assert (other == made[2]) == (pool == "none" and not feedback)


@pytest.mark.parametrize("feedback", [False, True])
@pytest.mark.parametrize("pool", POOLS)
def test_floats_take_signals_and_frames_of_height_1(pool: str, feedback: bool) -> None:
    ours, twin = (module.double() for module in pair(pool, feedback))
    x = signals().double()  # in which no rounding decides a spike
    with torch.no_grad():
        want = twin(x.unsqueeze(3))
        assert (want != want[0, 0]).float().mean() > 0.2
        torch.testing.assert_close(ours(x), want)
        torch.testing.assert_close(ours(x.unsqueeze(3)), want)


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("shape", [SHAPE, (3, 1, 17)])
def test_the_float_graph_equals_torch(pool: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    ours, _ = pair(pool)
    x = signals().reshape(T, N, *shape)
    write_onnx_float(ours, tmp_path / "net.onnx", shape)
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    (got,) = session.run(["logits"], {"input": x.numpy()})
    np.testing.assert_allclose(got, ours(x).detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("pool", ["none", "average"])
def test_nir_says_them(pool: str, tmp_path: Path) -> None:
    ours, _ = pair(pool)
    write_nir_lif(ours, tmp_path / "lif.nir", SHAPE, exact)
    found = load_nir(tmp_path / "lif.nir")
    assert found.input_shape == (3, 1, 17)
    with torch.no_grad():
        got = found.module(signals().unsqueeze(3))
    torch.testing.assert_close(got, ours(signals()).detach(), rtol=1e-4, atol=1e-4)


def test_neurobench_counts_both_alike() -> None:
    ours, _ = pair("average")
    labels = np.arange(N) % 5
    figures = [neurobench(ours, x, labels, T, 2) for x in (signals(), signals().unsqueeze(3))]
    assert figures[0] == figures[1]
    assert figures[0]["SynapticOperations"]["Effective_ACs"] > 0


@pytest.mark.parametrize(
    ("module", "shape", "reason"),
    [
        (layers.Conv1d(3, 2, 3), (3, 2, 9), r"Conv1d\): needs \(C, L\), also .*receives \(3, 2, 9"),
        (layers.Conv1d(3, 2, 3), (27,), r"Conv1d\): needs \(C, L\)"),
        (layers.Conv1d(4, 2, 3), SHAPE, "takes 4 channels but receives shape"),
        (layers.Conv1d(3, 2, 4, padding="same"), SHAPE, r"'same' and its kernel is \(4,\), .* odd"),
        (
            layers.Conv1d(3, 2, 3, padding=1, padding_mode="circular"),
            SHAPE,
            "padding_mode is 'circular', .* train with padding_mode='zeros'",
        ),
        (layers.MaxPool1d(2), (3, 2, 9), r"MaxPool1d\): needs \(C, L\)"),
        (layers.AvgPool1d(2, ceil_mode=True), SHAPE, r"AvgPool1d\): ceil_mode"),
        (layers.AdaptiveAvgPool1d(2), (3, 2, 9), r"AdaptiveAvgPool1d\): needs"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(module: nn.Module, shape: tuple[int, ...], reason: str) -> None:
    stack = nn.Sequential(module, LIF(), layers.Flatten(), layers.Linear(1, 2))
    with pytest.raises(LoweringError, match=reason):
        linearize(stack, shape)


def test_padding_in_words() -> None:
    """Four zeros at each end, for a kernel of five and a dilation of two."""
    conv = layers.Conv1d(3, 2, 5, padding="same", dilation=2)
    stack = nn.Sequential(conv, LIF(), layers.Flatten(), layers.Linear(2 * SHAPE[1], 2))
    (term,) = linearize(stack.eval(), SHAPE).populations[0].current.terms
    assert isinstance(term.weights, RealConv2d)
    assert term.weights.padding == (0, 4)


def test_a_signal_of_one_value_is_no_frame() -> None:
    """[T, N, C, 1] has one value for each channel, and its L is not lost."""
    for layer in (layers.Conv1d(3, 2, 1), layers.BatchNorm1d(3), layers.AvgPool1d(1)):
        assert layer(torch.ones(2, 2, 3, 1)).shape[3:] == (1,)
        assert layer(torch.ones(2, 2, 3, 1, 1)).shape[3:] == (1, 1)


def test_they_are_checked_for_stock_lava_too() -> None:
    assert check(pair("maximum")[0], SHAPE)[1] == ()
    _, reasons = violations(pair("maximum")[0], SHAPE, STOCK_LAVA, 8, T)
    assert "Lava has no OR of spikes" in reasons[0]
