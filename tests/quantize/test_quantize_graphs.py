"""What users write around layers: functions that change nothing, wrappers, hooks, odd heads."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from support.linearized_oracle import N, T, run
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune, spectral_norm

from arlif import layers
from arlif.base.errors import LoweringError
from arlif.neurons import ARLIF, LIF
from arlif.quantize import check, linearize
from export.nir.load import ImportedNetwork
from export.onnx import write_onnx_float
from hw_sim.engines.floating_point import simulate_float


class Net(nn.Module):
    """Two layers into one neuron, another neuron, a head, as `run` joins them."""

    def __init__(self, run: Callable[["Net", Tensor], Any]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.a, self.b, self.w = layers.Linear(6, 6), layers.Linear(6, 6), nn.Parameter(Tensor(6))
        self.n, self.m, self.head = LIF(0.5, 0.3), LIF(0.5, 0.3), layers.Linear(6, 5)
        self.run = run

    def forward(self, x: Tensor) -> Any:
        return self.run(self, x)


def logits(net: nn.Module, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Those of the linearized network, [T, N, classes], and the network's own."""
    x = torch.randn(T, N, *shape)
    with torch.no_grad():
        found, spikes = run(linearize(net.eval(), shape), x)
        assert all(s.any() for s in spikes.values())
        return found.float(), net(x)


SAME: dict[str, Callable[[Net, Tensor], Tensor]] = {
    "contiguous": lambda m, x: m.head(m.n(m.a(x)).contiguous()),
    "float": lambda m, x: m.head(m.n(m.a(x.float()))),
    "detach and clone": lambda m, x: m.head(m.n(m.a(x)).detach().clone()),
    "sum of a list": lambda m, x: m.head(m.n(sum([m.a(x), m.b(x)]))),
    "flatten to the end": lambda m, x: m.head(m.n(m.a(x)).flatten(2, -1)),
    "flatten to the end by name": lambda m, x: m.head(torch.flatten(m.n(m.a(x)), 2, end_dim=-1)),
    "two linear layers": lambda m, x: m.head(m.b(m.n(m.a(x)))),
    "a sum of spikes": lambda m, x: m.head(m.n(m.a(x)) + m.m(m.b(x))),
    "a sum of spikes and currents": lambda m, x: m.head(m.b(m.n(m.a(x))) + m.m(m.b(x))),
}


@pytest.mark.parametrize("name", SAME)
def test_what_changes_no_value_maps(name: str) -> None:
    torch.testing.assert_close(*logits(Net(SAME[name]), (6,)))


@pytest.mark.parametrize(
    ("read", "over_time"),
    [
        (lambda y: y.mean(dim=0, keepdim=False), Tensor.mean),
        (lambda y: torch.mean(y, (0,)).contiguous(), Tensor.mean),
        (lambda y: y.sum(0), Tensor.sum),
        (lambda y: torch.sum(y, dim=0, keepdim=False), Tensor.sum),
    ],
)
def test_time_may_be_read_by_its_mean_or_sum(
    read: Callable[[Tensor], Tensor], over_time: Callable[[Tensor, int], Tensor], tmp_path
) -> None:
    net = Net(lambda m, x: read(m.head(m.n(m.a(x)))))
    found, want = logits(net, (6,))
    torch.testing.assert_close(over_time(found, 0), want)
    write_onnx_float(net, tmp_path / "network.onnx", (6,))


REFUSED: dict[str, tuple[Callable[[Net, Tensor], Any], str]] = {
    "view": (
        lambda m, x: m.head(m.n(m.a(x)).view(x.shape[0], x.shape[1], -1)),
        "arlif.layers.Flatten",
    ),
    "reshape": (
        lambda m, x: m.head(m.n(m.a(x)).reshape(x.size(0), x.size(1), 6)),
        "arlif.layers.Flatten",
    ),
    "the first step": (lambda m, x: m.head(m.n(m.a(x)))[0], r"the last, x\[-1\], or the largest"),
    "layers behind a sum": (lambda m, x: m.head(m.n(m.a(x)).sum(0)), r"take the mean\(0\)"),
    "a sum over classes": (lambda m, x: m.head(m.n(m.a(x))).sum(-1), r"sum\(0\)"),
    "a sum divided": (lambda m, x: m.head(m.n(m.a(x))).sum(0) / x.shape[0], "truediv: .*weights"),
    "a shape added": (lambda m, x: m.head(m.n(m.a(x) + x.shape[0])), "shape of a tensor"),
    "a parameter added": (lambda m, x: m.head(m.n(m.a(x) + m.w)), "a parameter"),
    "a number added": (lambda m, x: m.head(m.n(m.a(x) + 1.0)), "add: .*arlif.layers"),
    "functional linear": (
        lambda m, x: nn.functional.linear(m.n(m.a(x)), m.head.weight),
        "arlif.layers.Linear",
    ),
    "softmax": (lambda m, x: m.head(m.n(m.a(x))).softmax(-1), "argmax"),
    "a dict": (lambda m, x: {"logits": m.head(m.n(m.a(x)))}, "exactly one tensor"),
    "a tuple of one": (lambda m, x: (m.head(m.n(m.a(x))),), "exactly one tensor"),
    "flatten too early": (lambda m, x: m.head(m.n(m.a(x)).flatten(1)), r"flatten\(2\)"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_map_is_named_once_with_a_cure(name: str) -> None:
    function, message = REFUSED[name]
    network, violations = check(Net(function), (6,))
    assert network is None
    (violation,) = violations
    with pytest.raises(LoweringError, match=message):
        raise LoweringError(violation)


class Recording(nn.Module):
    """A network with an option of the user's own."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(layers.Linear(6, 6), LIF(0.5, 0.3), layers.Linear(6, 5))

    def forward(self, x: Tensor, record: bool = False, *, scale: float | None = None) -> Any:
        y = self.net(x)
        if scale is not None:
            y = y * scale
        return (y, x) if record else y


def test_options_of_forward_have_their_defaults() -> None:
    torch.testing.assert_close(*logits(Recording(), (6,)))


def test_a_second_input_is_refused() -> None:
    class Two(Recording):
        def forward(self, x: Tensor, other: Tensor) -> Tensor:
            return self.net(x + other)

    assert "exactly one input" in check(Two(), (6,))[1][0]


@pytest.mark.filterwarnings("ignore:.*torch.jit")
@pytest.mark.parametrize(
    ("wrap", "message"),
    [
        (torch.compile, "OptimizedModule wraps the network; give its ._orig_mod"),
        (nn.DataParallel, "DataParallel wraps the network; give its .module"),
        (lambda net: ImportedNetwork(net, (6,), False), "load_nir returns, give its .module"),
    ],
)
def test_a_wrapped_network_is_refused_with_where_it_is(
    wrap: Callable[[nn.Module], Any], message: str
) -> None:
    wrapped = wrap(Recording())
    with pytest.raises(LoweringError, match=message):
        linearize(wrapped, (6,))
    assert message in check(wrapped, (6,))[1][0]
    with pytest.raises(LoweringError, match=message):
        simulate_float(wrapped, torch.zeros(T, N, 6))


ALIASES = (
    nn.Identity(),
    nn.Dropout(),
    nn.Dropout1d(),
    layers.Dropout(),
    layers.Flatten(),
    layers.Repeat(1),
)


@pytest.mark.parametrize("alias", ALIASES, ids=lambda layer: type(layer).__name__)
def test_a_sum_in_place_on_what_a_layer_returns_unchanged_is_refused(alias: nn.Module) -> None:
    def forward(m: Net, x: Tensor) -> Tensor:
        a = m.a(x)
        same = m.alias(a)
        same += m.b(x)
        return m.head(m.n(a))

    net = Net(forward)
    net.alias = alias
    assert alias.eval()(x := torch.zeros(1, 1, 6)).data_ptr() == x.data_ptr()
    assert any("read again behind it" in violation for violation in check(net, (6,))[1])


HOOKS: dict[str, Callable[[nn.Sequential], Any]] = {
    "a forward hook": lambda net: net[0].register_forward_hook(lambda m, i, out: 3 * out),
    "a hook before": lambda net: net[0].register_forward_pre_hook(lambda m, i: (2 * i[0],)),
    "pruning": lambda net: prune.l1_unstructured(net[0], "weight", 0.5),
    "spectral norm": lambda net: spectral_norm(net[0]),
}


@pytest.mark.parametrize("name", HOOKS)
def test_layers_with_hooks_are_refused_by_name(name: str) -> None:
    net = Recording()
    HOOKS[name](net.net)
    with pytest.raises(LoweringError, match=r"^net\.0: forward hooks .*prune\.remove"):
        linearize(net, (6,))


@pytest.mark.parametrize("register", ["register_forward_hook", "register_forward_pre_hook"])
def test_hooks_of_the_network_and_of_containers_are_refused_and_not_called(register: str) -> None:
    net, seen = Recording(), list[Any]()
    for part in (net, net.net):
        getattr(part, register)(lambda *given: seen.append(given))
    with pytest.raises(LoweringError, match=r"^the network, net: forward hooks .* afterwards"):
        linearize(net, (6,))
    assert not seen


def test_what_is_pruned_for_good_maps_and_so_do_parametrizations() -> None:
    net = Recording()
    prune.l1_unstructured(net.net[0], "weight", 0.5)
    prune.remove(net.net[0], "weight")
    parametrizations.weight_norm(net.net[2])
    torch.testing.assert_close(*logits(net, (6,)))
    weight = linearize(net, (6,)).populations[0].current.terms[0].synapses.weight
    assert (weight == 0).mean() >= 0.5


def frames(*head: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(layers.Conv2d(1, 4, 3, padding=1), LIF(0.5, 0.3), *head)


HEADS: dict[str, Callable[[], nn.Module]] = {
    "1 x 1 convolution, then pooled": lambda: frames(
        layers.Conv2d(4, 5, 1), layers.AdaptiveAvgPool2d(1), layers.Flatten()
    ),
    "the same behind a pool, with a norm": lambda: frames(
        layers.AvgPool2d(2),
        layers.Conv2d(4, 5, 1, bias=False),
        layers.BatchNorm2d(5),
        layers.AvgPool2d(3),
        layers.Flatten(),
    ),
    "pooled, then a 1 x 1 convolution": lambda: frames(
        layers.AdaptiveAvgPool2d(1), layers.Conv2d(4, 5, 1), layers.Flatten()
    ),
    "a Linear layer behind both": lambda: frames(
        layers.Conv2d(4, 7, 1),
        layers.AdaptiveAvgPool2d(1),
        layers.Flatten(),
        layers.Linear(7, 5),
    ),
    "one axis pooled": lambda: frames(
        layers.AdaptiveAvgPool2d((None, 2)), layers.Flatten(), layers.Linear(48, 5)
    ),
}


@pytest.mark.parametrize("name", HEADS)
def test_heads_of_all_kinds_map(name: str) -> None:
    torch.testing.assert_close(*logits(HEADS[name](), (1, 6, 6)))


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ((layers.Conv2d(4, 5, 3), layers.AdaptiveAvgPool2d(1)), "only a 1 x 1 convolution"),
        ((layers.Conv2d(4, 5, 1), layers.AvgPool2d(3)), "behind the neuron"),
        ((layers.Conv2d(4, 5, 1), layers.AvgPool2d(3, 1, 1)), "pool without padding"),
        ((layers.AvgPool2d(4, ceil_mode=True),), "leave them at False and True"),
        ((layers.AdaptiveAvgPool2d(4), ARLIF()), "choose an output size that divides"),
    ],
)
def test_heads_that_do_not_map_are_told_what_would(
    head: tuple[nn.Module, ...], message: str
) -> None:
    (violation,) = check(frames(*head, layers.Flatten()), (1, 6, 6))[1]
    assert message in violation
