"""NeuronLayer: a class of the user's own as a torch module."""

import copy
import io
import pickle
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from arlif import Neuron, NeuronLayer, constant, layers, learned
from arlif.base.errors import ArlifError
from arlif.quantize.torch_graph import trace


class Adaptive(Neuron):
    """LIF whose threshold rises with its spikes; it learns where it starts, and by how much."""

    state = ("u", "a")
    decay: float = constant(0.9, low=0, high=1)
    slow: float = constant(0.95, low=0, high=1, per="neuron")
    threshold: float = learned(1.0, low=0.1, per="channel")
    rise: float = learned(0.2, low=0, high=2)

    def step(self, ops, state, x):
        h = ops.saturate(ops.multiply(state.u, self.decay) + x)
        s = ops.fire(h, self.threshold + state.a)
        a = ops.saturate(ops.multiply(state.a, self.slow) + ops.select(s, self.rise, 0))
        return s, (ops.saturate(h - ops.select(s, self.threshold, 0)), a)


def by_hand(x, threshold, rise, decay=0.9, slow=0.95):
    """The equations in plain numbers: x [T, ...] of one channel."""
    u, a, spikes = np.zeros(x.shape[1:]), np.zeros(x.shape[1:]), []
    for now in x:
        h = decay * u + now
        s = h >= threshold + a
        u, a = h - s * threshold, slow * a + s * rise
        spikes.append(s)
    return np.stack(spikes)


def currents(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def test_every_channel_fires_by_its_own_threshold():
    layer = NeuronLayer(Adaptive()).double()
    x = currents(12, 2, 3, 4, 4)
    layer(x)
    assert layer.get_parameter("threshold").shape == (3, 1, 1)
    assert layer.get_parameter("rise").shape == ()
    with torch.no_grad():
        layer.threshold.copy_(torch.tensor([0.5, 1.0, 2.0]).view(3, 1, 1))
        layer.rise.fill_(0.3)
        got = layer(x).numpy()
    rates = []
    for channel, threshold in enumerate((0.5, 1.0, 2.0)):
        want = by_hand(x[:, :, channel].numpy(), threshold, 0.3)
        assert np.array_equal(got[:, :, channel], want)
        rates.append(want.mean())
    assert rates[0] > rates[1] > rates[2] > 0


def test_every_channel_learns_by_its_own_gradient():
    layer, x = NeuronLayer(Adaptive()), currents(8, 2, 3, 4, 4).float()
    spikes = layer(x)
    (gradient,) = torch.autograd.grad(spikes[:, :, 1].sum(), layer.threshold)
    assert gradient.shape == (3, 1, 1)
    assert gradient[1] != 0
    assert not gradient[[0, 2]].any()


def test_constants_may_be_one_per_neuron_and_follow_the_module():
    slow = np.linspace(0, 0.9, 5)
    layer = NeuronLayer(Adaptive(slow=slow), shape=(5,))
    assert layer.get_parameter("threshold").shape == (5,)
    assert layer.double().real_neuron().slow.dtype == torch.float64
    assert list(layer.state_dict()) == ["threshold", "rise"]
    x = currents(12, 2, 5)
    with torch.no_grad():
        got = layer(x).numpy()
    for neuron, factor in enumerate(slow):
        want = by_hand(x[..., neuron].numpy(), 1.0, 0.2, slow=np.float32(factor))
        assert np.array_equal(got[..., neuron], want)


@pytest.mark.parametrize("shape", [(3,), (3, 4, 4)])
def test_the_shape_that_is_given_is_the_one_that_is_found(shape: tuple[int, ...]):
    given, found = NeuronLayer(Adaptive(), shape), NeuronLayer(Adaptive())
    found(torch.zeros(2, 1, *shape))
    for name, tensor in given.state_dict().items():
        assert torch.equal(tensor, found.state_dict()[name])


def copied(layer: nn.Module) -> nn.Module:
    return copy.deepcopy(layer)


def pickled(layer: nn.Module) -> nn.Module:
    return pickle.loads(pickle.dumps(layer))


def stored(layer: nn.Module) -> nn.Module:
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def loaded(layer: nn.Module) -> nn.Module:
    other = NeuronLayer(Adaptive())
    other.load_state_dict(layer.state_dict())
    return other


@pytest.mark.parametrize("make", [copied, pickled, stored, loaded, copy.copy])
def test_a_copy_fires_alike(make: Callable[[nn.Module], nn.Module]):
    layer, x = NeuronLayer(Adaptive()), currents(8, 2, 3, 4, 4).float()
    layer(x)
    with torch.no_grad():
        layer.threshold.mul_(torch.tensor([0.5, 1.0, 2.0]).view(3, 1, 1))
    other = make(layer)
    assert torch.equal(other(x), layer(x))
    assert isinstance(other.get_parameter("threshold"), nn.Parameter)


@pytest.mark.parametrize("make", [copied, pickled, stored])
def test_a_layer_that_knows_no_shape_yet_is_copied_too(make: Callable[[nn.Module], nn.Module]):
    other = make(NeuronLayer(Adaptive()))
    assert other(torch.zeros(2, 1, 3, 4, 4)).shape == (2, 1, 3, 4, 4)
    assert other.get_parameter("threshold").shape == (3, 1, 1)


def test_what_needs_the_shape_says_so():
    layer = NeuronLayer(Adaptive())
    for use in (layer.learned, layer.real_neuron, layer.state_dict, layer.keep_bounds):
        with pytest.raises(ArlifError, match=r"threshold of Adaptive is one per channel.* run the"):
            use()


@pytest.mark.filterwarnings("ignore:.*should not be instantiated")  # torch's own, of Functions
def test_a_compiled_layer_fires_alike():
    layer, x = NeuronLayer(Adaptive(), (3,)), currents(8, 2, 3).float()
    assert torch.equal(torch.compile(layer, backend="eager", fullgraph=True)(x), layer(x))


def test_fx_sees_one_layer():
    net = nn.Sequential(layers.Linear(4, 3), NeuronLayer(Adaptive()), layers.Linear(3, 2))
    net(torch.zeros(2, 1, 4))
    assert [node.target for node in trace(net).nodes if node.op == "call_module"] == ["0", "1", "2"]


def test_training_stays_in_bounds_and_comes_back_from_them():
    layer = NeuronLayer(Adaptive(), (3,))
    with torch.no_grad():
        layer.threshold.copy_(torch.tensor([-1.0, 0.5, 3.0]))
        layer.rise.fill_(9.0)
    assert torch.equal(layer.learned()["threshold"], torch.tensor([0.1, 0.5, 3.0]))
    layer.keep_bounds()
    assert torch.equal(layer.threshold, torch.tensor([0.1, 0.5, 3.0]))
    assert layer.rise == 2
    layer.learned()["rise"].backward()
    assert layer.rise.grad == 1


def test_a_step_may_take_a_product_of_constants():
    class Scaled(Neuron):
        state = ("u",)
        gain: float = learned(0.5, low=0, high=4, per="channel")

        def step(self, ops, state, x):
            h = ops.saturate(state.u + ops.multiply(x, self.gain))
            s = ops.fire(h, 1)
            return s, (ops.select(s, 0, h),)

    layer = NeuronLayer(Scaled(), (2,))
    assert layer(torch.ones(2, 1, 2)).squeeze(1).tolist() == [[0, 0], [1, 1]]
