"""A new kind of map is one file and one row: the class, and its place in MAPS.

The classes lie in tests/support/ring.py and tests/support/upsample.py, the fixture `case` sets the
row. Nothing else knows them, and every engine, file and estimate works with them.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from support.event_counts import sent_events
from support.places import SUPPORT
from support.ring import Ring
from support.simulations import assert_equal
from support.strategies import Case
from support.toy_networks import toy_case
from support.upsample import Louder, Upsample2d

from arlif.arithmetic.exact import apply_map
from arlif.base.errors import ArlifError, FormatError, LoweringError, NetworkError
from arlif.core.equality import fingerprint
from arlif.core.maps import MAPS
from arlif.core.network import READOUT, Projection
from arlif.core.real_neurons import RealLifSoft
from arlif.kernels import build
from arlif.quantize import Precision, QatNetwork
from arlif.quantize.linearized import (
    Current,
    LinearizedNetwork,
    LinearizedPopulation,
    RealConv2d,
    RealDense,
    Term,
)
from export.lava import read_net, stock_obstacles, write_net
from export.nir import read_nir, write_nir
from export.nir.read_native import native_network
from export.nir.write_lif import lif_graph
from export.nir.write_native import native_graph
from export.onnx import write_onnx
from hw_sim.energy.catalogue import MODELS
from hw_sim.energy.cores import LOIHI1, estimate_mapping
from hw_sim.energy.counter import count
from hw_sim.energy.traffic import Memory, traffic
from hw_sim.engines import onnx
from hw_sim.engines.integer import fast, reference
from hw_sim.engines.lava import Models
from hw_sim.engines.lava import simulate as simulate_lava
from hw_sim.engines.simulation import Record, Simulation

RING, UPSAMPLE = Ring(np.array([-7, 11])), Upsample2d((2, 3))
TOYS = {"Ring": (RING, (RING,)), "Upsample2d": (UPSAMPLE, ())}
"""By name: the map, and what of it fits behind four features."""


@pytest.fixture(params=[(name, static) for name in TOYS for static in (True, False)])
def case(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    """A network that holds a toy map five times, with inputs; the row in MAPS is set."""
    name, static = request.param
    monkeypatch.setitem(MAPS, name, type(TOYS[name][0]))
    return toy_case(*TOYS[name], static)


def truth(case: Case) -> Simulation:
    """Every spike and state, from the reference engine; neurons spike, and not always."""
    record = Record.everything(case.network)
    want = reference.simulate(case.network, case.inputs, case.time_steps, record)
    assert all(0 < trace.spikes.mean() < 1 for trace in want.traces.values())
    return want


def test_the_fast_engine_has_no_difference(case: Case) -> None:
    record = Record.everything(case.network)
    assert_equal(truth(case), fast.simulate(case.network, case.inputs, case.time_steps, record))


def test_the_engine_has_none_in_plain_torch(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "library", lambda *_: None)
    for module in (
        *("byte_products", "spike_tables", "depthwise", "events", "pools", "integer_update"),
    ):
        monkeypatch.setattr(f"arlif.kernels.{module}.library", lambda *_: None)
    test_the_fast_engine_has_no_difference(case)


def test_onnx_runtime_has_none(case: Case) -> None:
    record = Record.everything(case.network)
    assert_equal(truth(case), onnx.simulate(case.network, case.inputs, case.time_steps, record))


@pytest.mark.lava
@pytest.mark.parametrize("models", Models)
@pytest.mark.parametrize("name", TOYS)
def test_lava_has_none(
    name: str, models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers are processes of their own; where no row is in the source, they need it too."""
    case = toy_case(*TOYS[name], static=models is Models.FAST)
    row = ["from arlif.core.maps import MAPS", "from support import ring, upsample"]
    row += ["MAPS |= {'Ring': ring.Ring, 'Upsample2d': upsample.Upsample2d}"]
    (tmp_path / "sitecustomize.py").write_text("\n".join(row), encoding="utf-8")
    path = [str(tmp_path), str(SUPPORT.parent), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, path)))
    given = (case.network, case.inputs, case.time_steps, Record.everything(case.network))
    assert_equal(truth(case), simulate_lava(*given, models=models))


@pytest.mark.parametrize(("write", "read"), [(write_nir, read_nir), (write_net, read_net)])
def test_files_keep_it(case: Case, write, read, tmp_path: Path) -> None:
    write(case.network, tmp_path / "file")
    found = read(tmp_path / "file")
    assert found == case.network
    assert fingerprint(found) == fingerprint(case.network)


@pytest.mark.parametrize(("write", "read"), [(write_nir, read_nir), (write_net, read_net)])
def test_a_file_with_a_map_that_has_no_row_is_refused(write, read, tmp_path: Path) -> None:
    write(toy_case(*TOYS["Ring"], static=True).network, tmp_path / "file")
    with pytest.raises(FormatError, match=r"is a Ring; this arlif knows Dense, Conv2d, SumPool2d"):
        read(tmp_path / "file")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "Neuron"}, "is a Neuron; this arlif knows"),
        ({"type": "Dense"}, "dense weights have 2 dimensions"),
        ({"type": "SumPool2d"}, "must have the fields kernel, stride, padding; it has weight"),
        ({"weight": np.zeros(2)}, "must hold int8, not float64"),
        ({"weight": np.array([-128, 1], np.int8)}, r"integers in \[-127, 127\]"),
        ({"more": 1}, "must have the fields weight; it has"),
    ],
)
def test_a_changed_file_makes_no_other_map(
    change, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only classes with a row are built, and by their own checks."""
    monkeypatch.setitem(MAPS, "Ring", Ring)
    tree = native_graph(toy_case(*TOYS["Ring"], static=True).network).to_dict()
    assert native_network(tree).projections
    node = next(n for n in tree["nodes"].values() if n["type"] == "Map")
    node["map"] |= change
    with pytest.raises(ArlifError, match=reason):
        native_network(tree)


def test_weights_that_a_format_cannot_hold_are_refused(tmp_path: Path) -> None:
    """Engines that evaluate the map itself, and files that name it, have no such limit."""
    case = toy_case(Louder((1, 2)), (), static=True)
    test_the_fast_engine_has_no_difference(case)
    write_nir(case.network, tmp_path / "file")
    with pytest.raises(NetworkError, match=r"at most 127; a Louder on inputs .* reach 128"):
        write_onnx(case.network, tmp_path / "network.onnx")


def test_other_tools_get_no_nir_file_of_it() -> None:
    term = Term("input", weights=RealDense(np.ones((4, 6))), before=(RING,))
    network = LinearizedNetwork((6,), True, (), Current((term,), np.zeros(4), (4,)))
    with pytest.raises(LoweringError, match=r"no Ring; quantize the network and write it with"):
        lif_graph(network)


def test_stock_lava_is_refused_by_the_maps_name(case: Case) -> None:
    (name,) = {type(m).__name__ for m in case.network.projections[0].maps} - {"Conv2d"}
    assert f"a: Conv2d then {name} is no single convolution" in stock_obstacles(case.network)[0]


def test_energy_counts_the_connections_that_events_travel(case: Case) -> None:
    want = truth(case)
    counts = count(case.network, case.inputs, want, case.time_steps)
    for layer in counts.layers:
        for found in layer.incoming:
            events = sent_events(case, want, found.projection.entering)
            travelled = events.sum(0).reshape(events.shape[1], -1) @ paths(case, found.projection)
            assert found.operations.tolist() == travelled.tolist()
            assert found.nominal >= found.connections
    assert all(
        model.bill(layer).total.min() > 0 for model in MODELS.values() for layer in counts.layers
    )


def paths(case: Case, projection: Projection) -> NDArray[np.float64]:
    """How many paths leave each source neuron, from the matrix of every map; no weight is 0."""
    shape = case.network.shape(projection.entering)
    found = np.eye(int(np.prod(shape)))
    for linear in projection.maps:
        units = np.eye(int(np.prod(shape))).reshape(-1, *shape)
        found = found @ (linear(units).reshape(len(units), -1) != 0)
        shape = linear.output_shape(shape)
    return found.sum(1)


def test_energy_knows_what_it_stores(case: Case) -> None:
    """The bits of its weights: 5 for -7 and 11, two of them, once for all channels."""
    counts = count(case.network, case.inputs, truth(case), case.time_steps)
    placed = estimate_mapping(case.network).layers[1]
    stored = [t.size_bits for t in traffic(counts.layers[1]) if t.memory is Memory.WEIGHTS]
    assert stored == ([2 * 5] if isinstance(case.network.projections[1].maps[0], Ring) else [])
    assert (placed.total, placed.needs["synaptic_bits"]) == (1, sum(stored))


def test_it_is_placed_on_cores(case: Case) -> None:
    """Also on small ones: no block of neurons reads more than its core has axons."""
    for axons in (4096, 40):
        limits = replace(LOIHI1, neurons=64, input_axons=axons)
        for layer in estimate_mapping(case.network, limits).layers:
            read = max(blocks_read(case, layer.layer, layer.blocks))
            assert read <= layer.needs["input_axons"] * layer.pieces


def blocks_read(case: Case, name: str, cuts: tuple[int, ...]) -> Iterator[int]:
    """How many source neurons change each block of a layer, by changing them one by one."""
    for at in np.ndindex(*cuts):
        total = 0
        for projection in case.network.incoming(name):
            shape = case.network.shape(projection.entering)
            y = np.eye(int(np.prod(shape))).reshape(-1, *shape)
            for linear in projection.maps:
                y = linear(y)
            sizes = [-(-n // parts) for n, parts in zip(y.shape[1:], cuts, strict=True)]
            block = tuple(slice(i * n, (i + 1) * n) for i, n in zip(at, sizes, strict=True))
            total += int(y[:, *block].any(axis=tuple(range(1, y.ndim))).sum())
        yield total


def test_quantization_aware_training_runs_it(case: Case) -> None:
    """Between trainable weights; training computes what the engines compute."""
    toy, behind = case.network.projections[1].maps[0], case.network.projections[-1].maps[1:]
    rng = np.random.default_rng(1)
    conv = RealConv2d(rng.normal(0, 0.3, (3, 2, 3, 3)), (1, 1), (1, 1), (1, 1), 1)
    shape = toy.output_shape((3, 4, 9))
    width = int(np.prod(toy.output_shape(shape)))
    dense = RealDense(rng.normal(0, 0.1, (4, width)))
    hidden = Current((Term("input", weights=conv, after=(toy,)),), rng.normal(0, 0.1, 3), shape)
    out = Current((Term("p", before=(toy,), weights=dense, after=behind),), np.zeros(4), (4,))
    population = LinearizedPopulation("p", RealLifSoft(0.5, 1.0), hidden)
    source = replace(case.network.input, scale=1 / 90)
    network = LinearizedNetwork(source.shape, source.static, (population,), out)
    qat = QatNetwork(network, source, Precision(), case.time_steps)
    frames = case.inputs[None] if source.static else case.inputs
    readout, spikes = qat.run(qat.quantized(), torch.tensor(frames, dtype=torch.float32))
    record = Record.everything(qat.quantized(), states=False)
    want = reference.simulate(qat.quantized(), case.inputs, case.time_steps, record)
    np.testing.assert_array_equal(readout.detach().sum(0), want.readout)
    np.testing.assert_array_equal(spikes["p"].detach() == 1, want.traces["p"].spikes)
    readout.sum().backward()
    learned = [qat.currents[key].weights[0].grad for key in ("of_p", f"of_{READOUT}")]
    assert all(gradient is not None and gradient.abs().sum() > 0 for gradient in learned)


@pytest.mark.parametrize("toy", [RING, UPSAMPLE])
def test_its_gradient_is_that_of_its_matrix(toy) -> None:
    x = torch.randint(-5, 6, (2, 3, 4, 5)).double().requires_grad_()
    y = apply_map(toy, x)
    gradient = torch.randint(-5, 6, y.shape).double()
    y.backward(gradient)
    units = np.eye(60).reshape(60, 3, 4, 5)
    matrix = torch.tensor(toy(units).reshape(60, -1))
    torch.testing.assert_close(x.grad.flatten(1), gradient.flatten(1) @ matrix.T, rtol=0, atol=0)
