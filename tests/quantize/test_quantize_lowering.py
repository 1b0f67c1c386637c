"""Torch graphs become linearized networks that compute the same, or are refused by name.

The oracle is torch: the linearized network's currents, evaluated in float64 with the real neurons,
must give the module's own spikes and logits.
"""

import operator
from collections.abc import Callable

import numpy as np
import pytest
import torch
from support.linearized_oracle import N, T, run
from support.networks_small import randomise
from torch import Tensor, nn

from arlif import layers
from arlif.networks import build
from arlif.neurons import ARLIF, LIF
from arlif.quantize import check, linearize
from arlif.training import load_recipe, recipe_names


class Residual(nn.Module):
    """A spiking stem, a block with a shortcut of some kind, a head."""

    def __init__(self, block: nn.Module, channels: int, side: int, static: bool = True) -> None:
        super().__init__()
        self.stem = nn.Sequential(layers.Conv2d(2, 6, 3, padding=1), layers.BatchNorm2d(6))
        self.repeat = layers.Repeat(T) if static else nn.Identity()
        self.neuron = ARLIF()
        self.block = block
        self.last = ARLIF()
        self.head = nn.Sequential(layers.Flatten(), layers.Linear(channels * side * side, 5))

    def forward(self, x: Tensor) -> Tensor:
        x = self.neuron(self.repeat(self.stem(x)))
        return self.head(self.last(self.block(x)))


class Sum(nn.Module):
    """a(x) + b(x), then perhaps more."""

    def __init__(self, a: nn.Module, b: nn.Module, then: nn.Module | None = None) -> None:
        super().__init__()
        self.a, self.b, self.then = a, b, then or nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.then(self.a(x) + self.b(x))


def conv(channels: int, out: int, size: int = 3, stride: int = 1, groups: int = 1) -> nn.Module:
    return layers.Conv2d(channels, out, size, stride, size // 2, groups=groups)


def conv_bn(*arguments: int) -> nn.Module:
    return nn.Sequential(conv(*arguments), layers.BatchNorm2d(arguments[1]))


BLOCKS: dict[str, tuple[Callable[[], nn.Module], int, int]] = {
    "identity shortcut": (lambda: Sum(nn.Sequential(conv(6, 6)), nn.Identity()), 6, 8),
    "convolutional shortcut": (lambda: Sum(conv(6, 9, 3, 2), conv(6, 9, 1, 2)), 9, 4),
    "batch norm behind a sum": (
        lambda: Sum(conv(6, 6), nn.Identity(), layers.BatchNorm2d(6)),
        6,
        8,
    ),
    "batch norm in both branches": (lambda: Sum(conv_bn(6, 8, 3), conv_bn(6, 8, 1)), 8, 8),
    "batch norm twice": (
        lambda: Sum(conv_bn(6, 8, 3), conv_bn(6, 8, 1), layers.BatchNorm2d(8)),
        8,
        8,
    ),
    "pooled shortcut": (
        lambda: Sum(conv(6, 8, 3, 2), nn.Sequential(layers.AvgPool2d(2), conv(6, 8, 1))),
        8,
        4,
    ),
    "shortcut pooled behind its weights": (
        lambda: Sum(conv(6, 8, 3, 2), nn.Sequential(conv_bn(6, 8, 1), layers.AvgPool2d(2))),
        8,
        4,
    ),
    "spiking branch": (
        lambda: Sum(nn.Sequential(conv_bn(6, 6), LIF(), conv(6, 6)), nn.Identity()),
        6,
        8,
    ),
    "groups": (lambda: Sum(conv(6, 6, 3, 1, 3), conv(6, 6, 1, 1, 2)), 6, 8),
    "padding in words": (
        lambda: Sum(
            layers.Conv2d(6, 7, (3, 5), padding="same", dilation=(2, 1)),
            layers.Conv2d(6, 7, 1, padding="valid"),
        ),
        7,
        8,
    ),
    "overlapping padded pool of spikes": (
        lambda: nn.Sequential(layers.AvgPool2d(3, 2, 1), conv_bn(6, 7)),
        7,
        4,
    ),
    "batch norm of pooled currents": (
        lambda: nn.Sequential(conv(6, 7), layers.AvgPool2d(2), layers.BatchNorm2d(7)),
        7,
        4,
    ),
    "adaptive pooling": (
        lambda: nn.Sequential(conv_bn(6, 7), layers.AdaptiveAvgPool2d(4), layers.BatchNorm2d(7)),
        7,
        4,
    ),
}


@pytest.mark.parametrize("static", [True, False])
@pytest.mark.parametrize("name", BLOCKS)
def test_graphs_compute_the_same(name: str, static: bool) -> None:
    make, channels, side = BLOCKS[name]
    torch.manual_seed(1)
    net = randomise(Residual(make(), channels, side, static)).double()
    x = torch.rand(1 if static else T, N, 2, 8, 8, dtype=torch.float64)
    network = linearize(net, (2, 8, 8))
    fired: dict[str, Tensor] = {}
    for path, layer in net.named_modules():
        if isinstance(layer, ARLIF | LIF):
            layer.register_forward_hook(
                lambda _, __, out, path=path: fired.update({path.replace(".", "_"): out})
            )
    with torch.no_grad():
        want = net(x)
    got, spikes = run(network, x.expand(T, *x.shape[1:]))
    assert spikes.keys() == fired.keys()
    for layer, values in fired.items():
        np.testing.assert_array_equal(spikes[layer], values.numpy() == 1)
        assert values.any(), f"{layer} is silent: this tests nothing"
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_of_the_paper_lowers(name: str) -> None:
    config = load_recipe(name).network()
    assert check(build(config), config.input_shape)[1] == ()


@pytest.mark.parametrize("wanted", [7, 3, (5, 2)])
def test_uneven_adaptive_pooling_goes_into_the_linear_layer(wanted: int | tuple[int, int]) -> None:
    height, width = (wanted, wanted) if isinstance(wanted, int) else wanted
    net = nn.Sequential(
        layers.Conv2d(2, 6, 3, padding=1),
        ARLIF(),
        layers.AdaptiveAvgPool2d(wanted),
        layers.Flatten(),
        layers.Linear(6 * height * width, 5),
    ).eval()
    x = torch.randn(T, N, 2, 4, 4)
    with torch.no_grad():
        logits, _ = run(linearize(net, (2, 4, 4)), x)
        torch.testing.assert_close(logits.float(), net(x))


def test_uneven_adaptive_pooling_before_a_convolution_is_refused() -> None:
    net = nn.Sequential(ARLIF(), layers.AdaptiveAvgPool2d(3), conv(2, 2))
    assert "unequal" in check(net, (2, 4, 4))[1][0]


def test_every_violation_is_named_at_once() -> None:
    net = nn.Sequential(
        layers.Conv2d(2, 6, 3, padding=1),
        nn.ReLU(),
        layers.Conv2d(6, 6, 3, padding=1),
        ARLIF(),
        nn.GroupNorm(2, 6),
        layers.Flatten(),
        nn.LayerNorm(384),
        layers.Linear(384, 5),
    )
    network, violations = check(net, (2, 8, 8))
    assert network is None
    for layer, why in (
        ("1 (ReLU)", "no spikes"),
        ("4 (GroupNorm)", "batch norm"),
        ("6 (LayerNorm)", "batch norm"),
    ):
        assert any(v.startswith(layer) and why in v for v in violations), (layer, violations)
    assert len(violations) == 3


def test_a_real_valued_stream_is_refused() -> None:
    net = Residual(Sum(nn.Sequential(conv(6, 6), conv(6, 6)), nn.Identity()), 6, 8)
    _, violations = check(net, (2, 8, 8))
    assert any("block.a.1" in v and "real-valued stream" in v for v in violations)


class Branches(nn.Module):
    """Two linear branches of the input that `join` makes one current; a neuron; a head."""

    def __init__(self, join: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.a, self.b, self.join = layers.Linear(4, 4), layers.Linear(4, 4), join
        self.neuron, self.head = LIF(), layers.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.neuron(self.join(self.a(x), self.b(x))))


@pytest.mark.parametrize(
    "join",
    [
        operator.add,
        operator.iadd,
        torch.add,
        lambda a, b: a.add(b),
        lambda a, b: torch.add(a, b, alpha=1),
    ],
)
def test_every_form_of_a_plain_sum_maps(join: Callable[[Tensor, Tensor], Tensor]) -> None:
    assert check(Branches(join), (4,))[1] == ()


def test_a_value_may_be_added_to_itself() -> None:
    net = Branches(lambda a, b: a + a).eval()
    x = 3 * torch.randn(T, N, 4)
    with torch.no_grad():
        logits, _ = run(linearize(net, (4,)), x)
        torch.testing.assert_close(logits.float(), net(x))


@pytest.mark.parametrize(
    "view", [lambda a: a, lambda a: a.detach(), lambda a: a.float().contiguous()]
)
def test_a_sum_in_place_that_changes_what_is_read_again_is_refused(
    view: Callable[[Tensor], Tensor],
) -> None:
    def join(a: Tensor, b: Tensor) -> Tensor:
        kept = view(a)
        a += b
        return kept + a

    (violation,) = check(Branches(join), (4,))[1]
    assert "read again behind it; write a = a + b" in violation


@pytest.mark.parametrize(
    "join", [lambda a, b: torch.add(a, b, alpha=2), lambda a, b: a.add(b, alpha=0.5)]
)
def test_a_sum_that_scales_a_branch_is_refused(join: Callable[[Tensor, Tensor], Tensor]) -> None:
    (violation,) = check(Branches(join), (4,))[1]
    assert "alpha=" in violation


def test_flatten_counts_only_with_its_first_dimension() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.neuron, self.head = LIF(), layers.Linear(32, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.neuron(x).flatten(end_dim=2))

    assert "flatten" in check(Net(), (2, 4, 4))[1][0]


class Averaged(nn.Module):
    """A neuron, the mean over time, then layers."""

    def __init__(self, *then: nn.Module) -> None:
        super().__init__()
        self.neuron, self.then = LIF(), nn.Sequential(*then)

    def forward(self, x: Tensor) -> Tensor:
        return self.then(self.neuron(x).mean(0))


def test_a_mean_over_time_at_the_end_maps() -> None:
    net = Averaged(nn.Flatten(), nn.Dropout(), nn.Linear(32, 5)).eval()
    x = 3 * torch.randn(T, N, 2, 4, 4)
    with torch.no_grad():
        logits, _ = run(linearize(net, (2, 4, 4)), x)
        torch.testing.assert_close(logits.float().mean(0), net(x))


@pytest.mark.parametrize("behind", [LIF(), layers.BatchNorm1d(32), layers.Repeat(2)])
def test_nothing_that_needs_time_follows_a_mean_over_it(behind: nn.Module) -> None:
    net = Averaged(nn.Flatten(), nn.Linear(32, 32), behind, layers.Linear(32, 5))
    (violation,) = check(net, (2, 4, 4))[1]
    assert violation.startswith("then.2")
    assert "time steps" in violation


def test_flatten_keeps_time_and_batch() -> None:
    wrong = (nn.Sequential(LIF(), nn.Flatten(), nn.Linear(32, 5)), Averaged(layers.Flatten()))
    for net in wrong:
        assert "start_dim" in check(net, (2, 4, 4))[1][0]
