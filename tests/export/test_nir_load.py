"""NIR files of any origin become networks, or a named error."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
import torch
from support.damage import refusals
from support.networks_integer import example_network
from support.nir_files import conv, frames, from_norse, from_snntorch, from_spikingjelly, lif, write
from support.other_libraries import DT
from torch import Tensor, nn

import arlif
from arlif import layers
from arlif.base.errors import ArlifError, FormatError
from arlif.quantize import Precision, calibrate_input, linearize, quantize
from export.nir import load_nir, write_nir, write_nir_lif
from export.nir.load import ImportedNetwork, network_of
from hw_sim.engines.integer.reference import simulate


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "network.nir"


@pytest.mark.parametrize("origin", [from_snntorch, from_norse, from_spikingjelly])
def test_files_of_other_libraries(origin: Callable[..., Any], path: Path) -> None:
    torch.manual_seed(0)
    x, want, dt = origin(path)
    with pytest.raises(FormatError, match="give dt"):
        load_nir(path)
    network = load_nir(path, dt)
    with torch.no_grad():
        got = network.module(x)
    assert want.mean() > 0.01
    assert torch.equal(got, want)
    assert_quantizes(network, x)


def assert_quantizes(network: ImportedNetwork, x: Tensor) -> None:
    source = calibrate_input(x.numpy(), network.input_shape, network.static)
    integers = quantize(linearize(network.module, network.input_shape), source, Precision(), len(x))
    raw = integers.input.encode(x.numpy())
    decisions = simulate(integers, raw, len(x)).decisions
    assert decisions.shape == (x.shape[1],)


INPUT, OUTPUT = nir.Input(np.array([2, 6, 6])), nir.Output(np.array([4]))


def test_every_linear_node(path: Path) -> None:
    rng = np.random.default_rng(1)
    two, none = np.array([2, 2]), np.array([0, 0])
    first, second = conv(4, 1, 3, 3, padding="same", groups=2), conv(6, 4, 2, 2, padding="valid")
    affine = nir.Affine(rng.normal(size=(5, 6)), rng.normal(size=5))
    linear = nir.Linear(rng.normal(size=(4, 5)))
    flatten = nir.Flatten(np.array([6, 1, 1]), 0, -1)
    write(
        path,
        source=INPUT,
        a=first,
        b=nir.AvgPool2d(two, two, none),
        c=second,
        d=nir.SumPool2d(two // 2, two, none),
        e=flatten,
        f=affine,
        g=linear,
        sink=OUTPUT,
    )
    network = load_nir(path)
    x = frames((2, 6, 6))
    with torch.no_grad():
        got = network.module(x)
        y = x.flatten(0, 1).double()
        y = nn.functional.conv2d(y, *map(torch.tensor, (first.weight, first.bias)), 1, 1, 1, 2)
        y = nn.functional.avg_pool2d(y, 2)
        y = nn.functional.conv2d(y, *map(torch.tensor, (second.weight, second.bias)))[..., :1, :1]
        y = y.flatten(1) @ torch.tensor(affine.weight).T + torch.tensor(affine.bias)
        y = y @ torch.tensor(linear.weight).T
    assert torch.allclose(got.flatten(0, 1).double(), y, atol=1e-4)


def test_sum_pool_sums(path: Path) -> None:
    pool = nir.SumPool2d(np.array([2, 3]), np.array([2, 3]), np.array([0, 0]))
    write(path, source=INPUT, pool=pool, head=nir.Linear(np.eye(12)), sink=OUTPUT)
    x = frames((2, 6, 6))
    want = x.unflatten(-1, (2, 3)).unflatten(-3, (3, 2)).sum((-1, -3)).flatten(2)
    assert torch.allclose(load_nir(path).module(x), want, atol=1e-5)


def test_one_dimensional_convolution(path: Path) -> None:
    weight = np.random.default_rng(0).normal(size=(3, 2, 3))
    node = nir.Conv1d(8, weight, 2, 1, 1, 1, np.ones(3))
    head = nir.Linear(np.eye(12))
    write(path, i=nir.Input(np.array([2, 8])), c=node, n=lif(3, 4), h=head, o=OUTPUT)
    network = load_nir(path, DT)
    assert network.input_shape == (2, 1, 8)
    x = frames((2, 1, 8))
    with torch.no_grad():
        current = nn.functional.conv1d(
            x.flatten(0, 1).squeeze(2), torch.tensor(weight).float(), torch.ones(3), 2, 1
        ).unflatten(0, x.shape[:2])
        want = arlif.LIF(0.5, 1.0, "hard")(current).flatten(2)
    assert torch.equal(network.module(x), want)


def test_nested_graphs_are_unfolded(path: Path) -> None:
    inner = nir.NIRGraph(
        {"input": nir.Input(np.array([3])), "lif": lif(3), "output": nir.Output(np.array([3]))},
        [("input", "lif"), ("lif", "output")],
    )
    weight = np.eye(3) * 1.5
    write(path, x=nir.Input(np.array([3])), w=nir.Linear(weight), block=inner, sink=OUTPUT)
    x = frames((3,))
    assert torch.equal(load_nir(path, DT).module(x), arlif.LIF(0.5, reset="hard")(1.5 * x))


def test_names_that_modules_cannot_have_are_changed(path: Path) -> None:
    """Two that become one, one of nn.Module's own, one that arlif reserves."""
    nodes = {
        "a.b": nir.Linear(2 * np.eye(3)),
        "a_b": lif(3),
        "training": nir.Linear(3 * np.eye(3)),
        "readout": lif(3),
        "forward": nir.Linear(np.eye(3)),
    }
    write(path, x=nir.Input(np.array([3])), **nodes, sink=OUTPUT)
    x = frames((3,))
    network = load_nir(path, DT)
    hidden = arlif.LIF(0.5, reset="hard")
    assert torch.equal(network.module(x), hidden(3 * hidden(2 * x)))
    assert_quantizes(network, x)


def test_several_sources_are_summed(path: Path) -> None:
    ways = [("x", "a"), ("x", "b"), ("a", "n"), ("b", "n"), ("n", "o")]
    weight = np.eye(3)
    nodes = {"a": nir.Linear(weight), "b": nir.Linear(2 * weight), "n": lif(3)}
    write(path, ways, x=nir.Input(np.array([3])), o=OUTPUT, **nodes)
    x = frames((3,))
    assert torch.equal(load_nir(path, DT).module(x), arlif.LIF(0.5, reset="hard")(3 * x))


def test_a_shared_current_has_a_gain_for_each_neuron(path: Path) -> None:
    fast, slow = lif(3, tau=2e-4), lif(3, tau=4e-4)
    ways = [("x", "w"), ("w", "a"), ("w", "b"), ("a", "o"), ("b", "o")]
    nodes = {"w": nir.Linear(np.eye(3)), "a": fast, "b": slow}
    write(path, ways, x=nir.Input(np.array([3])), o=OUTPUT, **nodes)
    x = frames((3,))
    want = arlif.LIF(0.5, 1.0, "hard")(x) + arlif.LIF(0.75, 2.0, "hard")(x)
    assert torch.equal(load_nir(path, DT).module(x), want)


def linear(outputs: int = 3, inputs: int = 3) -> nir.Linear:
    return nir.Linear(np.ones((outputs, inputs)))


THREE = nir.Input(np.array([3]))


@pytest.mark.parametrize(
    ("nodes", "edges", "message"),
    [
        ({"i": THREE, "j": THREE, "o": OUTPUT}, [("i", "o"), ("j", "o")], "one Input node"),
        ({"i": THREE, "w": linear()}, None, "one Output node, it has 0"),
        ({"i": THREE, "w": linear(), "o": OUTPUT}, [("i", "o"), ("w", "w")], "cycle"),
        ({"i": THREE, "w": linear(), "o": OUTPUT}, [("i", "w"), ("w", "x")], "missing node, x"),
        ({"i": THREE, "w": linear(), "o": OUTPUT}, [("i", "o"), ("i", "w")], "nowhere: w"),
        ({"i": THREE, "w": linear(), "o": OUTPUT}, [("i", "o"), ("w", "o")], "receives nothing"),
        ({"i": THREE, "o": OUTPUT}, [("i", "o"), ("i", "o")], "given twice"),
        ({"i": THREE, "w": linear(3, 4), "o": OUTPUT}, None, "w takes 4 features"),
        ({"i": THREE, "n": lif(3, tau=5e-5), "o": OUTPUT}, None, "smaller dt"),
        ({"i": THREE, "n": lif(4), "o": OUTPUT}, None, "1 or 3 values"),
        ({"i": INPUT, "c": conv(4, 3, 3, 3), "o": OUTPUT}, None, "c takes 3 channels"),
        ({"i": INPUT, "c": conv(4, 2, 9, 9), "o": OUTPUT}, None, "does not fit"),
        ({"i": INPUT, "c": conv(4, 2, 2, 2, padding="same"), "o": OUTPUT}, None, "not symmetric"),
        ({"i": nir.Input(np.ones(4)), "o": OUTPUT}, None, "without a batch dimension"),
    ],
)
def test_what_cannot_be_read_is_named(
    nodes: dict[str, Any], edges: list[tuple[str, str]] | None, message: str, path: Path
) -> None:
    write(path, edges, **nodes)
    with pytest.raises(FormatError, match=message):
        load_nir(path, DT)


def rich_tree() -> dict[str, Any]:
    """A graph with every readable node, as read_tree gives it."""
    pool = {
        "kernel_size": np.array([2, 2]),
        "stride": np.array([2, 2]),
        "padding": np.array([0, 0]),
    }
    plain = {"v_threshold": np.ones(4), "v_reset": np.zeros(4), "r": np.ones(4)}
    spatial = {"stride": np.array([1, 1]), "dilation": np.array([1, 1]), "groups": np.int64(1)}
    arlif_node = {"decay": 0.5, "v_threshold": 1.0, "alpha": 0.5, "beta": 0.2}
    nodes: dict[str, Any] = {
        "i": {"type": "Input", "shape": np.array([2, 6, 6])},
        "c": {
            "type": "Conv2d",
            "weight": np.ones((4, 2, 3, 3)),
            "bias": np.ones(4),
            "padding": np.array([1, 1]),
        }
        | spatial,
        "s": {"type": "SumPool2d"} | pool,
        "a": {"type": "AvgPool2d"} | pool,
        "f": {"type": "Flatten", "start_dim": np.int64(0), "end_dim": np.int64(-1)},
        "l": {"type": "Linear", "weight": np.ones((4, 4))},
        "n": {"type": "LIF", "tau": np.full(4, 2e-4), "v_leak": np.zeros(4)} | plain,
        "g": {"type": "Affine", "weight": np.ones((4, 4)), "bias": np.ones(4)},
        "m": {"type": "IF"} | plain,
        "h": {"type": "Linear", "weight": np.ones((4, 4))},
        "r": {"type": "ARLIF", "memory": np.bool_(True)}
        | {name: np.float64(v) for name, v in arlif_node.items()},
        "o": {"type": "Output", "shape": np.array([4])},
    }
    return {"nodes": nodes, "edges": np.array(list(pairwise(nodes)))}


OPTIONAL = {("o", "shape"), ("n", "v_reset"), ("m", "v_reset")}
"""Fields that a reader does not need: shapes follow, and NIR's default reset is to 0."""


def test_each_field_of_each_node_is_needed() -> None:
    network = network_of(rich_tree(), DT)
    with torch.no_grad():
        assert network.module(frames((2, 6, 6))).shape == (3, 2, 4)
    for name, node in rich_tree()["nodes"].items():
        for field in node:
            if (name, field) in OPTIONAL:
                continue
            tree = rich_tree()
            del tree["nodes"][name][field]
            with pytest.raises(FormatError, match=rf"\b{name}\b"):
                network_of(tree, DT)


def test_each_field_of_each_node_has_a_type() -> None:
    for name, node in rich_tree()["nodes"].items():
        for field in node:
            for wrong in ("text", np.array(["a"]), np.array([np.nan] * 4), {}, np.array([])):
                if (name, field) in OPTIONAL:
                    continue
                tree = rich_tree()
                tree["nodes"][name][field] = wrong
                with pytest.raises(ArlifError):
                    network_of(tree, DT)


def small_file(path: Path) -> Path:
    net = nn.Sequential(
        layers.Conv2d(2, 3, 3), arlif.ARLIF(), layers.Flatten(), layers.Linear(48, 3)
    )
    write_nir_lif(net, path, (2, 6, 6))
    return path


def test_mutated_files(path: Path) -> None:
    assert refusals(small_file(path), load_nir, 5) > 0


@pytest.mark.slow
def test_a_thousand_mutated_files(path: Path) -> None:
    assert refusals(small_file(path), load_nir, 1000) > 500


def test_quantized_networks_are_sent_to_their_reader(path: Path) -> None:
    write_nir(example_network(), path)
    with pytest.raises(FormatError, match="read_nir"):
        load_nir(path)
