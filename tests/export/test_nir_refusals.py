"""NIR nodes that arlif's layers cannot follow are refused; those that they can follow are not."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from support.nir_nodes import OUT, Fields, conv, dense, image, lif, load, node
from support.other_libraries import DT

import arlif
from arlif.base.errors import FormatError
from arlif.quantize import linearize
from export.nir.load import ImportedNetwork, network_of


def weighted(layer: Fields, *shape: int) -> ImportedNetwork:
    return load(image(*shape), layer, OUT)


def noted(**changes: Any) -> Fields:
    """The metadata that arlif writes beside a LIF."""
    constants = {"type": "RealLifSoft", "decay": 0.5, "threshold": 1.0}
    return {"arlif": constants | changes}


CONSTANTS = {"decay": 0.5, "v_threshold": 1.0, "alpha": 0.5, "beta": 0.2, "memory": np.True_}
ADAPTIVE = {"arlif": CONSTANTS | {"type": "RealArlif"}}
REFUSED: dict[str, tuple[list[Fields], str]] = {
    "another decay": (
        [image(3), lif(metadata=noted(decay=0.51)), OUT],
        "says decay 0.51",
    ),
    "another threshold": (
        [image(3), lif(metadata=noted(threshold=1.01)), OUT],
        "threshold 1.01",
    ),
    "unknown note": ([image(3), lif(metadata=noted(type="Izhikevich")), OUT], "Izhikevich"),
    "endless note": (
        [image(3), lif(metadata=noted(threshold=np.inf)), OUT],
        "threshold is not finite",
    ),
    "endless ARLIF": (
        [image(3), node("ARLIF", **CONSTANTS | {"alpha": np.inf}), OUT],
        "b/alpha is not finite",
    ),
    "past float32": ([image(3), dense(np.full((1, 3), 1e39)), OUT], "finite numbers"),
    "negative stride": ([image(2, 6, 6), conv(4, 2, 3, 3, stride=-1), OUT], "from 0 to"),
    "half a stride": (
        [image(2, 6, 6), conv(4, 2, 3, 3, stride=np.array([1, 1.5])), OUT],
        "b/stride must be 2 integers",
    ),
    "three strides": (
        [image(2, 6, 6), conv(4, 2, 3, 3, stride=np.ones(3)), OUT],
        "b/stride must be 2 integers",
    ),
    "long stride": (
        [image(2, 6, 6), conv(4, 2, 3, 3, stride=(1 << 16) + 1), OUT],
        "from 0 to 65536",
    ),
    "flat weights": ([image(3), dense(np.ones(3)), OUT], "must have 2 dimensions"),
    "biases": ([image(3), dense(np.ones((2, 3)), bias=np.ones(3)), OUT], "3 biases for 2 outputs"),
    "biases of a convolution": (
        [image(2, 6, 6), conv(4, 2, 3, 3, bias=np.ones(3)), lif(64), OUT],
        "needs 4 biases, not 3",
    ),
    "groups": ([image(4, 6, 6), conv(3, 2, 3, 3, groups=2), lif(48), OUT], "2 groups"),
    "no groups": ([image(2, 6, 6), conv(3, 2, 3, 3, groups=0), lif(48), OUT], "0 groups"),
    "same with a stride": (
        [image(2, 6, 6), conv(4, 2, 3, 3, padding="same", stride=2), OUT],
        "not symmetric",
    ),
    "same, uneven rows": (
        [image(2, 6, 6), conv(4, 2, 2, 3, padding="same"), OUT],
        "not symmetric",
    ),
    "channels to features": (
        [image(2, 3, 3), node("Flatten", start_dim=2, end_dim=-1), OUT],
        "only flattening whole frames",
    ),
    "channels and rows": (
        [image(2, 3, 3), node("Flatten", start_dim=0, end_dim=1), OUT],
        "only flattening whole frames",
    ),
    "nothing wide": ([image(0, 3, 3), OUT], "has shape"),
    "four dimensions": ([image(1, 2, 3, 3), OUT], "has shape"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_another_meaning_is_refused_by_name(name: str) -> None:
    chain, message = REFUSED[name]
    with pytest.raises(FormatError, match=message):
        load(*chain)


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([("a", "c"), ("x", "c")], "names a missing node, x"),
        ([("a", "b"), ("b", "c"), ("c", "d")], "lead nowhere: d"),
        ([["a", "b", "c"]], "pairs of node names"),
    ],
)
def test_edges_that_lead_nowhere_are_refused(edges: Any, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        load(image(3), dense(np.eye(3)), OUT, dense(np.eye(3)), edges=edges)


def test_different_shapes_are_not_summed() -> None:
    edges = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]
    with pytest.raises(FormatError, match=r"d sums different shapes, \(2,\), \(3,\)"):
        load(image(3), dense(np.ones((2, 3))), dense(np.eye(3)), OUT, edges=edges)


def test_a_time_step_is_one_positive_number() -> None:
    chain = image(3), lif(), OUT
    for dt in (0.0, -DT, np.inf, np.nan):
        with pytest.raises(FormatError, match="dt must be positive"):
            load(*chain, dt=dt)
    for given in (2 * DT, DT / 2):
        with pytest.raises(FormatError, match=r"dt is given as .* written for 0.0001"):
            load(*chain, dt=given, about={"dt": DT})
    assert load(*chain, dt=DT, about={"dt": DT}).input_shape == (3,)
    with pytest.raises(FormatError, match="give dt"):
        load(*chain, dt=None)


@pytest.mark.parametrize("name", ["profile", "over", "static", "dt"])
def test_what_is_noted_of_a_graph_is_one_value(name: str) -> None:
    with pytest.raises(FormatError, match=f"metadata/arlif/{name} must be"):
        load(image(3), lif(), OUT, dt=None, about={"dt": DT} | {name: np.zeros(3)})


def ones(network: ImportedNetwork) -> Any:
    with torch.no_grad():
        return network.module(torch.ones(3, 2, *network.input_shape))


def test_a_neuron_may_forget_within_a_step_even_where_float32_rounds_tau_down() -> None:
    just = np.nextafter(np.float32(DT), np.float32(0))
    for tau in (np.full(3, DT), np.full(3, just, np.float32)):
        (*_, neuron), _ = modules(load(image(3), dense(np.eye(3)), lif(tau=tau, r=np.ones(3)), OUT))
        assert (neuron.decay, neuron.reset) == (0.0, "hard")


def modules(network: ImportedNetwork) -> tuple[list[Any], list[str]]:
    named = dict(network.module.named_children())
    return list(named.values()), list(named)


@pytest.mark.parametrize(("start", "end"), [(0, -1), (1, -1), (0, 2), (1, 3), (1, 2)])
def test_every_way_to_say_flatten(start: int, end: int) -> None:
    """Counted with the batch or without."""
    flatten = node("Flatten", start_dim=start, end_dim=end)
    assert ones(load(image(2, 3, 3), flatten, OUT)).shape == (3, 2, 18)


def convolved(layer: Fields, shape: tuple[int, ...], *torch_words: Any) -> None:
    """The layer does what torch does: stride, padding, dilation and groups in torch's order."""
    x = torch.rand(2, 1, *shape)
    network = load(image(*shape), layer, node("SumPool2d", **one_by_one()), OUT)
    with torch.no_grad():
        got = network.module(x)[:, 0]
        weight, bias = (torch.tensor(layer[name]).float() for name in ("weight", "bias"))
        want = torch.nn.functional.conv2d(x[:, 0], weight, bias, *torch_words)
    assert torch.allclose(got, want, atol=1e-5)


def one_by_one() -> Fields:
    """The window of a pool that changes nothing."""
    pairs = {"kernel_size": [1, 1], "stride": [1, 1], "padding": [0, 0]}
    return {name: np.array(pair) for name, pair in pairs.items()}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"padding": np.array([2, 1])}, (1, (2, 1))),
        ({"stride": np.array([2, 1])}, ((2, 1),)),
        ({"dilation": np.array([1, 2])}, (1, 0, (1, 2))),
        ({"padding": "same"}, (1, (1, 2))),
        ({"padding": "same", "dilation": np.array([2, 1])}, (1, (2, 2), (2, 1))),
    ],
)
def test_rows_and_columns_are_not_confused(changes: Fields, words: tuple[Any, ...]) -> None:
    convolved(conv(4, 2, 3, 5, **changes), (2, 7, 9), *words)


@pytest.mark.parametrize(("padding", "dilation"), [(1, 1), ("same", 2), (0, 2)])
def test_one_dimension_is_padded_and_widened_as_torch_does(padding: Any, dilation: int) -> None:
    rng = np.random.default_rng(0)
    fields = {"stride": 1, "padding": padding, "dilation": dilation, "groups": 1}
    layer = node("Conv1d", weight=rng.normal(size=(3, 2, 3)), bias=np.ones(3), **fields)
    x = torch.rand(2, 1, 2, 1, 8)
    network = load(image(2, 8), layer, OUT)
    with torch.no_grad():
        weight = torch.tensor(layer["weight"]).float()
        want = torch.nn.functional.conv1d(
            x[:, 0, :, 0], weight, torch.ones(3), 1, padding, dilation
        )
        got = network.module(x)[:, 0, :, 0]
    assert torch.allclose(got, want, atol=1e-5)


def test_a_pool_of_one_stride_and_another_kernel() -> None:
    words = {"kernel_size": [3, 2], "stride": [2, 1], "padding": [0, 0]}
    pool = {name: np.array(pair) for name, pair in words.items()}
    x = torch.rand(2, 1, 2, 7, 5)
    want = torch.nn.functional.avg_pool2d(x[:, 0], (3, 2), (2, 1))
    for kind, factor in (("AvgPool2d", 1), ("SumPool2d", 6)):
        got = load(image(2, 7, 5), node(kind, **pool), OUT).module(x)[:, 0]
        assert torch.allclose(got, factor * want, atol=1e-5)


def test_a_convolution_at_the_end_gives_features_only_where_it_covers_the_frame() -> None:
    assert ones(weighted(conv(4, 2, 3, 3), 2, 3, 3)).shape == (3, 2, 4)
    assert ones(weighted(conv(4, 2, 3, 3, padding=1), 2, 3, 3)).shape == (3, 2, 4, 3, 3)
    assert ones(weighted(conv(4, 2, 3, 3), 2, 3, 4)).shape == (3, 2, 4, 1, 2)
    with pytest.raises(FormatError, match="4 channels in 2 groups"):
        weighted(conv(4, 2, 3, 3, groups=2), 2, 3, 3)


def test_three_currents_meet() -> None:
    edges = [("a", n) for n in "bcd"] + [(n, "e") for n in "bcd"]
    network = load(image(3), *(dense(n * np.eye(3)) for n in (1, 2, 4)), OUT, edges=edges)
    assert torch.equal(ones(network), torch.full((3, 2, 3), 7.0))


def test_two_graphs_in_one() -> None:
    inside = {"x": image(3), "w": dense(2 * np.eye(3)), "y": node("Output", shape=np.array([3]))}
    block = node("NIRGraph", nodes=inside, edges=np.array(list(pairwise(inside))))
    assert torch.equal(ones(load(image(3), block, block, OUT)), torch.full((3, 2, 3), 4.0))


@pytest.mark.parametrize("names", [("g", "g.w"), ("g.w", "g")])
def test_two_nodes_of_one_name_are_refused(names: tuple[str, str]) -> None:
    """One of them took the place of the other, and its edges."""
    inside = {"x": image(3), "w": dense(2 * np.eye(3)), "y": node("Output", shape=np.array([3]))}
    block = node("NIRGraph", nodes=inside, edges=np.array(list(pairwise(inside))))
    made = {"g": block, "g.w": dense(np.eye(3))}
    nodes = {"i": image(3), **{name: made[name] for name in names}, "o": OUT}
    with pytest.raises(FormatError, match=r"two nodes are called g\.w, one of them inside"):
        network_of({"nodes": nodes, "edges": np.array(list(pairwise(nodes)))}, None)


def test_names_of_any_characters() -> None:
    nodes = {"in-put": image(3), "a-b": dense(np.eye(3)), "input": dense(np.eye(3)), "o": OUT}
    network = network_of({"nodes": nodes, "edges": np.array(list(pairwise(nodes)))}, None)
    assert torch.equal(ones(network), torch.ones(3, 2, 3))
    assert modules(network)[1] == ["a_b", "input_"]


@pytest.mark.parametrize("name", ["class", "None", "\ufb01", "0", "ff\u00b2", "self", "\u5c42"])
def test_names_that_mean_something_to_python(name: str) -> None:
    nodes = {"i": image(3), name: dense(2 * np.eye(3)), f"{name}_": dense(np.eye(3)), "o": OUT}
    network = network_of({"nodes": nodes, "edges": np.array(list(pairwise(nodes)))}, None)
    assert torch.equal(ones(network), torch.full((3, 2, 3), 2.0))


def test_neurons_on_a_cycle_are_told_apart_by_their_whole_names() -> None:
    """One of two took the place of the other."""

    def made(*names: str) -> ImportedNetwork:
        first, second = names
        nodes = {"i": image(1), "w": dense([[1.0]]), first: lif(1), "v": dense([[3.0]])}
        nodes |= {second: lif(1), "back": dense([[-1.0]]), "o": OUT}
        edges = [("i", "w"), ("w", first), (first, "v"), ("v", second), ("back", first)]
        edges += [(second, "back"), (second, "o")]
        return network_of({"nodes": nodes, "edges": np.array(edges)}, DT)

    want, found = (ones(made(*names)) for names in (("a", "b"), ("f.x", "f_x")))
    assert want.sum() > 0
    assert torch.equal(found, want)


@pytest.mark.parametrize("kind", ["AvgPool2d", "SumPool2d"])
def test_a_factor_reaches_currents_behind_a_pool(kind: str) -> None:
    """r = 4 of an AR-LIF whose leak is a half: the current is doubled, bias and all."""
    layer = conv(2, 2, 1, 1, bias=np.array([1.0, 2.0]))
    neuron = lif(2 * 9, metadata=ADAPTIVE, r=np.full(18, 4.0, np.float32))
    flat = node("Flatten", start_dim=0, end_dim=-1)
    head = dense(np.ones((1, 18)))
    chain = image(2, 3, 3), layer, node(kind, **one_by_one()), neuron, flat, head, OUT
    (population,) = linearize(load(*chain).module, (2, 3, 3)).populations
    (term,) = population.current.terms
    assert np.allclose(population.current.bias, [2, 4])
    assert np.allclose(term.synapses.weight * term.scale, 2 * layer["weight"])


def test_a_static_frame_is_said_by_the_file() -> None:
    for about, static in (
        ({}, False),
        ({"static": np.False_}, False),
        ({"static": np.True_}, True),
    ):
        assert load(image(3), dense(np.eye(3)), OUT, about=about).static is static
    assert isinstance(modules(load(image(3), dense(np.eye(3)), lif(), OUT))[0][1], arlif.LIF)
