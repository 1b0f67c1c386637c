"""A neuron of a user's own class goes through every file with all its bits."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from support.adaptive_network import SHAPE, own_inputs, own_module, own_network
from support.simulations import assert_equal
from torch import nn

from arlif import NeuronLayer
from arlif.base.errors import LoweringError
from arlif.core.neuron import Neuron, constant
from arlif.core.steps import lif_soft_step
from export.lava import read_net, stock_obstacles, write_net
from export.nir import read_nir, write_nir, write_nir_lif
from export.onnx import write_onnx, write_onnx_float
from hw_sim.energy.bill import energy_report
from hw_sim.energy.counter import OperationCounter
from hw_sim.energy.operations import OperationKind
from hw_sim.engines import onnx as onnx_engine
from hw_sim.engines.floating_point import simulate_float
from hw_sim.engines.integer import fast, reference
from hw_sim.engines.lava import simulate as simulate_lava
from hw_sim.engines.simulation import Record, Simulation

NETWORK, INPUTS = own_network(), own_inputs()
STEPS = len(INPUTS)
RECORD = Record.everything(NETWORK)


@pytest.fixture(scope="module")
def want() -> Simulation:
    """What the reference engine computes, which is something."""
    found = reference.simulate(NETWORK, INPUTS, STEPS, RECORD)
    for trace in found.traces.values():
        assert 0.02 < trace.spikes.mean() < 0.9
        assert all(len(np.unique(values)) > 3 for values in trace.states.values())
    for population in NETWORK.populations:
        assert len(np.unique(population.neuron.constants["strength"])) == population.shape[0]
    return found


def test_nir_and_net_hold_it(tmp_path: Path) -> None:
    write_nir(NETWORK, tmp_path / "a.nir")
    write_net(NETWORK, tmp_path / "a.net")
    assert read_nir(tmp_path / "a.nir") == read_net(tmp_path / "a.net") == NETWORK
    assert any("no neuron Adaptive" in reason for reason in stock_obstacles(NETWORK))


READER = """
import sys
from export.lava import read_net
from export.nir import read_nir
assert read_net(sys.argv[1]) == read_nir(sys.argv[2])
assert "torch" not in sys.modules
assert not [name for name in sys.modules if name.startswith("support")]
"""


def test_a_reader_needs_neither_its_class_nor_torch(tmp_path: Path) -> None:
    write_nir(NETWORK, tmp_path / "a.nir")
    write_net(NETWORK, tmp_path / "a.net")
    command = [sys.executable, "-c", READER, tmp_path / "a.net", tmp_path / "a.nir"]
    subprocess.run(command, check=True, timeout=120)


def test_the_fast_engine_runs_it(want: Simulation) -> None:
    assert_equal(want, fast.simulate(NETWORK, INPUTS, STEPS, RECORD))


@pytest.mark.lava
def test_lava_runs_it(want: Simulation) -> None:
    assert_equal(want, simulate_lava(NETWORK, INPUTS, STEPS, RECORD, batch=2))


def test_integer_onnx_runs_it(want: Simulation, tmp_path: Path) -> None:
    write_onnx(NETWORK, tmp_path / "a.onnx", states=True)
    assert_equal(want, onnx_engine.simulate(tmp_path / "a.onnx", INPUTS, STEPS, RECORD))


def test_float_onnx_runs_it(tmp_path: Path) -> None:
    net, path = own_module(), tmp_path / "a.onnx"
    write_onnx_float(net, path, SHAPE, states=True)
    x = torch.from_numpy(INPUTS / np.float32(64))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]
    got = dict(zip(names, session.run(names, {"input": x.numpy()}), strict=True))
    with torch.no_grad():
        traces = simulate_float(net, x, traced=x.shape[1]).traces
    assert len(traces) == 2
    for name, trace in traces.items():
        assert np.array_equal(got[f"{name}.spikes"], trace.spikes)
        for variable, values in trace.states.items():
            assert np.allclose(got[f"{name}.{variable}"], values, atol=1e-5)
    (function,) = onnx.load(path).functions
    assert function.name == "Adaptive"
    assert list(function.input) == ["u", "a", "strength", "x"]
    assert list(function.attribute) == ["decay", "rate"]


def test_its_operations_are_counted_and_no_price_is_invented(want: Simulation) -> None:
    """current, h, strength a, kept a; the accumulator + bias, h + x, 1 + b, m + s, h - s theta."""
    for cost in OperationCounter(NETWORK).updates.values():
        assert cost.number(OperationKind.MULTIPLY) == 4
        assert cost.number(OperationKind.ADD) == 4 + 5 + 1
        assert cost.number(OperationKind.LOOKUP) == 1
        assert cost.states == ("u", "a")
    report = energy_report(NETWORK, INPUTS, want, STEPS)
    assert report["left_out"] == ["loihi1"]
    assert [layer["neuron"] for layer in report["layers"]] == ["Adaptive", "Adaptive", "Readout"]


class Adaptive(Neuron):
    """Another class of the same name."""

    state = ("u",)
    decay: float = constant(0.5, 0, 1)
    threshold: float = constant(1.0)

    def step(self, ops, state, x):  # type: ignore[no-untyped-def]
        return lif_soft_step(ops, self, state, x)


def test_two_classes_of_one_name_are_two_functions(tmp_path: Path) -> None:
    net, path = nn.Sequential(own_module()[:5], NeuronLayer(Adaptive())), tmp_path / "a.onnx"
    write_onnx_float(net, path, SHAPE)
    model = onnx.load(path)
    assert [function.name for function in model.functions] == ["Adaptive", "Adaptive_2"]
    x = INPUTS / np.float32(64)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    with torch.no_grad():
        want = net(torch.from_numpy(x)).numpy()
    assert 0 < want.mean() < 1
    assert np.array_equal(session.run(["logits"], {"input": x})[0], want)


def test_nir_of_real_numbers_has_no_node_for_it(tmp_path: Path) -> None:
    with pytest.raises(LoweringError, match=r"no node for Adaptive; use .* or keep to network.nir"):
        write_nir_lif(own_module(), tmp_path / "a.nir", SHAPE)
