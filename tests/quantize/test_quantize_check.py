"""Whatever keeps a network from becoming integers is named by check, all of it at once."""

from collections.abc import Callable

import pytest
import torch
from support.networks_small import conv_net
from torch import Tensor, nn
from torch.nn import functional

from arlif import layers
from arlif.base.errors import ArlifError
from arlif.core.integer_neurons import PRESETS
from arlif.core.network import Input
from arlif.core.neuron import Neuron
from arlif.neurons import ARLIF, LIF, PSN, NeuronLayer
from arlif.quantize import Precision, check, linearize, quantize

LOIHI = Precision(PRESETS["loihi24"])


class Squared(Neuron):
    """Its potential is squared, a product of two states."""

    state = ("u",)

    def step(self, ops, state, x):
        h = ops.saturate(ops.multiply(state.u, state.u) + x)
        return ops.fire(h, 1), (h,)


class Graph(nn.Module):
    """Named layers, joined by `run`."""

    def __init__(self, run: Callable[[nn.Module, Tensor], Tensor], named: dict[str, nn.Module]):
        super().__init__()
        self.run = run
        for name, layer in named.items():
            self.add_module(name, layer)

    def forward(self, x: Tensor) -> Tensor:
        return self.run(self, x)


def chain(*neurons: nn.Module) -> nn.Sequential:
    """Every neuron behind a Linear layer, and a head."""
    pairs = (layer for neuron in neurons for layer in (layers.Linear(4, 4), neuron))
    return nn.Sequential(*pairs, layers.Linear(4, 3))


def zero_head() -> nn.Sequential:
    net = chain(LIF())
    nn.init.zeros_(net[-1].weight)
    return net


def twice() -> Graph:
    return Graph(lambda m, x: m.b(m.n(m.a(m.n(x)))), chain_parts("n"))


def chain_parts(*neurons: str) -> dict[str, nn.Module]:
    parts: dict[str, nn.Module] = {name: LIF() for name in neurons}
    return parts | {"a": layers.Linear(4, 4), "b": layers.Linear(4, 3)}


def colliding() -> Graph:
    inner = nn.Sequential()
    inner.add_module("y", LIF())
    parts = chain_parts("x_y") | {"x": inner}
    return Graph(lambda m, x: m.b(m.x_y(m.a(m.x(x)))), parts)


REFUSED: dict[str, tuple[Callable[[], nn.Module], str, str]] = {
    "a neuron without integers": (
        lambda: chain(NeuronLayer(Squared())),
        "population 1",
        "u is a state and is used as a factor",
    ),
    "a neuron without steps": (lambda: chain(PSN(4)), "1 (PSN)", "cannot be deployed"),
    "a neuron that is used twice": (twice, "n (LIF)", "more than once"),
    "two paths, one name": (colliding, "x_y (LIF)", "x.y"),
    "a neuron called input": (
        lambda: Graph(lambda m, x: m.b(m.input(m.a(x))), chain_parts("input")),
        "input (LIF)",
        "rename",
    ),
    "a neuron called readout": (
        lambda: Graph(lambda m, x: m.b(m.readout(m.a(x))), chain_parts("readout")),
        "readout (LIF)",
        "rename",
    ),
    "an ARLIF threshold": (lambda: chain(ARLIF(v_threshold=200)), "population 1", "wider state"),
    "a LIF threshold": (lambda: chain(LIF(v_threshold=200)), "population 1", "does not fit"),
    "an untrained head": (zero_head, "the readout", "all zero"),
    "other time steps": (
        lambda: nn.Sequential(layers.Repeat(7), *chain(LIF())),
        "0 (Repeat)",
        "7 time steps where the network runs for 4",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_check_names_what_quantization_would_refuse(name: str) -> None:
    make, title, why = REFUSED[name]
    network, violations = check(make(), (4,), time_steps=4)
    assert network is None
    (violation,) = violations
    assert title in violation
    assert why in violation


def test_numbers_are_judged_in_the_formats_asked_for() -> None:
    net = chain(ARLIF(v_threshold=200))
    assert check(net, (4,), LOIHI)[1] == ()


def test_everything_is_named_at_once() -> None:
    """Numbers of what comes before and behind a refused layer, and functions behind it."""
    net = nn.Sequential(
        *(layers.Linear(4, 4), LIF(v_threshold=200)),
        *(
            layers.Linear(4, 4),
            NeuronLayer(Squared()),
            nn.GELU(),
            layers.Linear(4, 4),
            LIF(v_threshold=300),
        ),
        Graph(lambda m, x: torch.relu(x), {}),
        layers.Linear(4, 3),
    )
    found = " | ".join(check(net, (4,))[1])
    for part in ("population 1:", "population 3:", "4 (GELU)", "population 6:", "relu"):
        assert part in found, part


def test_two_repeats_must_agree() -> None:
    def both(m: nn.Module, x: Tensor) -> Tensor:
        return m.b(m.n(m.a(m.two(x)) + m.three(x)))

    parts = chain_parts("n") | {"two": layers.Repeat(2), "three": layers.Repeat(3)}
    (violation,) = check(Graph(both, parts), (4,))[1]
    assert "three (Repeat)" in violation


def test_what_the_output_does_not_read_is_left_out() -> None:
    def run(m: nn.Module, x: Tensor) -> Tensor:
        m.a(m.dead(x))
        return m.b(m.n(x))

    net = Graph(run, chain_parts("n", "dead"))
    linear = linearize(net, (4,))
    assert [p.name for p in linear.populations] == ["n"]
    quantize(linear, Input((4,), 1.0, 0, 127, static=False), Precision(), 4)


def test_a_sum_past_int32_is_found() -> None:
    net = nn.Sequential(layers.Linear(140_000, 2), LIF(), layers.Linear(2, 3))
    nn.init.ones_(net[0].weight)
    assert "past int32" in check(net, (140_000,))[1][0]


def test_a_network_that_maps_is_returned() -> None:
    network, violations = check(conv_net(), (1, 8, 8), time_steps=4)
    assert violations == ()
    assert network is not None
    assert [p.name for p in network.populations] == ["3", "7"]


def test_linearize_leaves_formats_open() -> None:
    linear = linearize(chain(LIF(v_threshold=200)), (4,))
    with pytest.raises(ArlifError, match="does not fit"):
        quantize(linear, Input((4,), 1.0, 0, 127, static=False), Precision(), 4)


class TimedMaxPool(layers._OverTime, nn.MaxPool2d):
    """What a user writes to pool [T, N, C, H, W]."""


class TimedConv(layers._OverTime, nn.Conv2d):
    """What arlif.layers.Conv2d is."""


class DoubledConv(layers.Conv2d):
    """Computes something else than its base."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * super().forward(x)


def frames(layer: nn.Module) -> nn.Sequential:
    return nn.Sequential(LIF(), layer, LIF(), layers.Flatten(), layers.Linear(32, 3))


def test_a_layer_of_the_user_is_what_it_derives_from() -> None:
    assert check(frames(TimedConv(2, 2, 3, padding=1)), (2, 4, 4))[1] == ()
    assert check(frames(TimedMaxPool(3, 1, 1)), (2, 4, 4))[1] == ()


def test_a_layer_with_a_forward_of_its_own_is_not() -> None:
    assert check(frames(DoubledConv(2, 2, 3, padding=1)), (2, 4, 4))[0] is None


@pytest.mark.parametrize(
    ("function", "layer"),
    [
        (lambda x: functional.avg_pool2d(x, 2), "arlif.layers.AvgPool2d"),
        (lambda x: functional.adaptive_avg_pool2d(x, 1), "arlif.layers.AdaptiveAvgPool2d"),
        (lambda x: functional.max_pool2d(x, 2), "arlif.layers.MaxPool2d"),
        (lambda x: functional.dropout(x, 0.5, training=False), "arlif.layers.Dropout"),
    ],
)
def test_functions_are_refused_with_the_layer_to_use(
    function: Callable[[Tensor], Tensor], layer: str
) -> None:
    (violation,) = check(Graph(lambda m, x: function(m.n(x)), {"n": LIF()}), (2, 4, 4))[1]
    assert layer in violation


@pytest.mark.parametrize(
    ("function", "layer", "cure"),
    [
        (functional.relu, nn.ReLU(), "use arlif.ARLIF"),
        (lambda x: functional.layer_norm(x, (4,)), nn.LayerNorm(4), "use batch norm"),
        (lambda x: functional.group_norm(x, 2), nn.GroupNorm(2, 2), "use batch norm"),
    ],
)
def test_a_function_is_refused_as_its_layer_is(
    function: Callable[[Tensor], Tensor], layer: nn.Module, cure: str
) -> None:
    (called,) = check(Graph(lambda m, x: function(m.n(x)), {"n": LIF()}), (2, 4, 4))[1]
    (placed,) = check(Graph(lambda m, x: m.l(m.n(x)), {"n": LIF(), "l": layer}), (2, 4, 4))[1]
    assert called.endswith(placed.partition(": ")[2])
    assert cure in placed


def test_check_leaves_every_layer_in_its_mode() -> None:
    net = nn.Sequential(*conv_net()).train()
    net[1].eval()
    modes = [layer.training for layer in net.modules()]
    assert check(net, (1, 8, 8))[1] == ()
    assert [layer.training for layer in net.modules()] == modes


def test_a_network_in_training_is_judged_as_in_use() -> None:
    """A branch that only training takes is no part of it."""

    def run(m: nn.Module, x: Tensor) -> Tensor:
        return m.b(m.n(functional.gelu(x) if m.training else x))

    assert check(Graph(run, chain_parts("n")).train(), (4,))[1] == ()
