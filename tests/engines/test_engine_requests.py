"""What no engine can run is refused by every engine, in the same words; what has no neuron runs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from support.networks_small import conv_net, digits_like
from support.simulations import assert_equal
from torch import nn

from arlif import layers
from arlif.base.errors import ArlifError, LoweringError
from arlif.core.network import Input, QuantizedNetwork
from arlif.quantize import (
    Precision,
    calibrate_input,
    linearize,
    quantize,
    quantize_for_stock_lava,
)
from hw_sim.comparison.agreement import agreement
from hw_sim.comparison.calibration import calibrate_numbers
from hw_sim.engines import lava
from hw_sim.engines import onnx as onnx_engine
from hw_sim.engines.floating_point import simulate_float
from hw_sim.engines.in_batches import in_batches
from hw_sim.engines.integer import fast, reference
from hw_sim.engines.integer.tally import evaluate
from hw_sim.engines.simulation import Record, raw_inputs

ENGINES: dict[str, Callable[..., Any]] = {
    "fast": fast.simulate,
    "reference": reference.simulate,
    "onnx": onnx_engine.simulate,
    "lava": lava.simulate,
}


@pytest.fixture(scope="module")
def case() -> tuple[QuantizedNetwork, np.ndarray]:
    return digits_like(samples=2)


REFUSED: dict[str, tuple[Callable[[np.ndarray], tuple[Any, ...]], str]] = {
    "a tensor": (lambda raw: (torch.from_numpy(raw), 4), "numpy array of raw integers, not Tensor"),
    "a list": (lambda raw: (raw.tolist(), 4), "not list"),
    "no samples": (lambda raw: (raw[:0], 4), "at least one sample"),
    "half a step": (lambda raw: (raw, 2.5), "a whole number, not 2.5"),
    "no steps": (lambda raw: (raw, 0), "at least 1 time step"),
    "no whole numbers": (lambda raw: (raw / 2, 4), r"must be integers in \[0, 127\]; convert"),
    "a value above": (lambda raw: (raw + np.int16(128), 4), r"must be integers in \[0, 127\]"),
    "a value below": (lambda raw: (-1 - raw, 4), r"must be integers in \[0, 127\]"),
    "another frame": (
        lambda raw: (raw[..., :7], 4),
        r"must be \[N, 1, 8, 8\], got \(2, 1, 8, 7\)",
    ),
    "frames over time": (lambda raw: (raw[None], 4), r"must be \[N, 1, 8, 8\], got \(1, 2, 1, "),
    "unknown layers": (
        lambda raw: (raw, 4, Record(("3", "three"))),
        "no populations three to record; those of this network: 3, 7",
    ),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", REFUSED)
def test_every_engine_refuses_what_none_can_run(case, engine: str, name: str) -> None:
    network, raw = case
    arguments, message = REFUSED[name]
    with pytest.raises(ArlifError, match=message):
        ENGINES[engine](network, *arguments(raw))


@pytest.mark.parametrize("engine", ENGINES)
def test_frames_are_as_many_as_time_steps(engine: str) -> None:
    linear = linearize(nn.Sequential(layers.Linear(6, 3)), (6,))
    network = quantize(linear, Input((6,), 1.0, -9, 9, static=False), Precision(), 4)
    for shape in ((3, 2, 6), (5, 2, 6), (2, 6), (4, 2, 7)):
        with pytest.raises(ArlifError, match=r"must be \[4, N, 6\], got"):
            ENGINES[engine](network, np.zeros(shape, np.int8), 4)
    for value in (-10, 10):
        with pytest.raises(ArlifError, match=r"must be integers in \[-9, 9\]"):
            ENGINES[engine](network, np.full((4, 2, 6), value, np.int8), 4)


def test_real_inputs_become_raw_ones_time_first(case) -> None:
    network, _ = case
    real = torch.rand(1, 3, 1, 8, 8)
    np.testing.assert_array_equal(raw_inputs(network, real), network.input.encode(real[0]))
    with pytest.raises(ArlifError, match=r"takes inputs \[1, N, \.\.\.\], not \(2, 3, 1, 8, 8\)"):
        raw_inputs(network, real.expand(2, 3, 1, 8, 8))


def test_a_name_is_no_tuple_of_names() -> None:
    with pytest.raises(ArlifError, match=r"give \('neuron1',\)"):
        Record("neuron1")


def test_no_samples_are_refused_wherever_samples_are_cut(case) -> None:
    network, raw = case
    nothing = torch.zeros(1, 0, 1, 8, 8)
    for run in (
        lambda: in_batches(
            lambda part, record: fast.simulate(network, part, 4, record),
            network.input,
            raw[:0],
            Record(),
            0,
            lambda done, total: None,
        ),
        lambda: simulate_float(conv_net(), nothing),
        lambda: agreement(conv_net(), network, nothing),
        lambda: evaluate(network, [], 4),
    ):
        with pytest.raises(ArlifError, match="there are no samples"):
            run()


def test_a_network_without_neurons_is_a_network() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(layers.Linear(6, 3))
    real = torch.rand(5, 4, 6)
    linear = linearize(net, [6])
    source = calibrate_input(real, [6], linear.static)
    network = quantize(linear, source, Precision(), 5)
    raw = raw_inputs(network, real)
    want = reference.simulate(network, raw, 5, Record.everything(network))
    assert_equal(want, fast.simulate(network, raw, 5, Record.everything(network)))
    assert_equal(want, onnx_engine.simulate(network, raw, 5, Record.everything(network)))
    np.testing.assert_allclose(
        want.readout * network.readout.scale, net(real).sum(0).detach(), atol=0.1
    )
    found = agreement(net, network, real)
    assert found["layers"] == {}
    assert found["samples"] == 4
    (report,) = calibrate_numbers(net, linear, source, real, 5, candidates=(Precision().numbers,))
    assert report.spikes_changed == report.saturated == 0


@pytest.mark.parametrize("kind", ["learned", torch.bfloat16, torch.float64])
def test_tensors_of_any_kind_are_inputs(kind: Any) -> None:
    values = torch.tensor([[[0.25, -1.0], [0.5, 0.0]]])
    given = values.requires_grad_() if kind == "learned" else values.to(kind)
    source = calibrate_input(given, (2,), static=False)
    assert source == calibrate_input(values.detach().numpy(), (2,), static=False)
    np.testing.assert_array_equal(source.encode(given), [[[32, -127], [64, 0]]])


@pytest.mark.parametrize("lower", [quantize, quantize_for_stock_lava])
def test_the_source_must_be_the_networks(lower: Callable[..., QuantizedNetwork]) -> None:
    frames = linearize(nn.Sequential(layers.Linear(6, 3)), (6,))
    precision = (Precision(),) if lower is quantize else ()
    for source, message in (
        (Input((7,), 1.0, static=False), r"takes inputs \(6,\), the source gives \(7,\)"),
        (Input((6,), 1.0, static=True), "static=False"),
    ):
        with pytest.raises(LoweringError, match=message):
            lower(frames, source, *precision, 4)
    with pytest.raises(ArlifError, match=r"a whole number, not 2\.5"):
        lower(frames, Input((6,), 1.0, static=False), *precision, 2.5)
