"""Networks of SpikingJelly convert without a spike that changes, or are refused by name."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spikingjelly.activation_based import base, functional, layer, neuron, surrogate
from support.other_libraries import events
from support.spikingjelly_networks import NEURONS, Classifier, chain, run, trained
from torch import Tensor, nn

from arlif import layers
from arlif.base.errors import LoweringError
from arlif.interop.spikingjelly import to_arlif
from arlif.quantize import Precision, calibrate_input, linearize, quantize
from hw_sim.engines.integer.reference import simulate
from hw_sim.engines.simulation import Record


def converted_exactly(net: nn.Module, x: Tensor, mode: str) -> Tensor:
    """What both send, which must be equal."""
    with torch.no_grad():
        want = run(net, x, mode)
        got = to_arlif(net)(x)
    assert torch.equal(want, got)
    return want


@pytest.mark.parametrize("name", NEURONS)
def test_trained_chains_convert_exactly(name: str) -> None:
    x = events(steps=12)
    net = trained(chain, name, x, "m")
    want = converted_exactly(net, x, "m")
    assert 1e-3 < want.mean() < 0.9
    functional.set_step_mode(net, "s")
    assert torch.equal(converted_exactly(net, x, "s"), want)


@pytest.mark.parametrize("mode", ["s", "m"])
@pytest.mark.parametrize("name", ["LIFNode", "IFNode, soft reset", "ParametricLIFNode"])
def test_spikes_added_to_spikes_reach_the_integers(name: str, mode: str) -> None:
    x = events(steps=12)
    net = trained(Classifier, name, x, mode)
    want = converted_exactly(net, x, mode)
    assert want.mean() > 1e-3
    linear = linearize(to_arlif(net), (2, 8, 8))
    terms = {p.name: [t.source for t in p.current.terms] for p in linear.populations}
    assert terms["blocks_1_sn"] == ["blocks_0_sn", "stem_2"]
    assert terms["out"] == ["blocks_1_sn", "blocks_0_sn", "stem_2"]
    source = calibrate_input(x.numpy(), (2, 8, 8), False)
    integers = quantize(linear, source, Precision(), 12)
    raw = integers.input.encode(x.numpy())
    spikes = simulate(integers, raw, 12, Record(("out",))).traces["out"].spikes
    assert np.mean(spikes != want.numpy().astype(bool)) < 0.1


@settings(max_examples=25, deadline=None)
@given(
    tau=st.floats(1.01, 50),
    v=st.floats(0.05, 3),
    below=st.none() | st.floats(-1, 0.04),
    decay_input=st.booleans(),
    kind=st.sampled_from([neuron.LIFNode, neuron.ParametricLIFNode, neuron.IFNode]),
    seed=st.integers(0, 2**31),
)
def test_constants(
    tau: float, v: float, below: float | None, decay_input: bool, kind: type, seed: int
) -> None:
    """In float64, where no rounding decides a spike."""
    torch.manual_seed(seed)
    x = torch.randn(24, 6, 16, dtype=torch.float64) * 2 + 0.5
    given_ = {} if kind is neuron.IFNode else {"decay_input": decay_input}
    first = () if kind is neuron.IFNode else (tau,)
    net = nn.Sequential(kind(*first, v_threshold=v, v_reset=below, **given_).double())
    functional.set_step_mode(net, "m")
    converted_exactly(net, x, "m")


def container_net() -> nn.Module:
    return nn.Sequential(
        layer.SeqToANNContainer(nn.Conv2d(2, 8, 3), nn.BatchNorm2d(8)),
        neuron.LIFNode(2.0, True, 0.1, step_mode="m"),
        layer.MultiStepContainer(nn.Flatten(), nn.Linear(288, 20), neuron.IFNode(0.3)),
        layer.StepModeContainer(False, "m", nn.Linear(20, 10)),
        layer.StepModeContainer(True, "m", neuron.LIFNode(3.0, True, 0.1)),
        layer.Delay(2, "m"),
    )


def test_containers() -> None:
    torch.manual_seed(0)
    assert converted_exactly(container_net().eval(), 20 * events(steps=8), "m").any()


def test_max_pools_are_or() -> None:
    torch.manual_seed(0)
    net = seq(
        layer.Conv2d(2, 4, 3, padding=1),
        neuron.IFNode(0.3),
        layer.MaxPool2d(3, 2, 1),
        layer.Conv2d(4, 4, 3),
        neuron.LIFNode(2.0, True, 0.1),
        layer.Flatten(),
        layer.Linear(16, 3),
    )
    x = events(steps=8)
    assert converted_exactly(net.eval(), x, "m").any()
    assert len(linearize(to_arlif(net), (2, 8, 8)).populations) == 2


def test_nothing_of_the_network_changes() -> None:
    net = container_net()
    before = {name: type(part) for name, part in net.named_modules()}
    ours = to_arlif(net)
    assert {name: type(part) for name, part in net.named_modules()} == before
    assert ours.get_submodule("0.0").weight is net[0][0].weight
    assert isinstance(net[0][0], nn.Conv2d)
    assert ours.training
    assert not to_arlif(net.eval()).get_submodule("0.1").training


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.neurons = neuron.IFNode(step_mode="m")
        self.again = self.neurons
        self.fc = layer.Linear(4, 4, step_mode="m")

    def forward(self, x: Tensor) -> Tensor:
        return self.again(self.fc(self.neurons(x)))


def test_a_module_under_two_names_stays_one() -> None:
    ours = to_arlif(Twice())
    assert ours.neurons is ours.again
    with pytest.raises(LoweringError, match="called more than once"):
        linearize(ours, (4,))


class Memory(base.MemoryModule):
    def single_step_forward(self, x: Tensor) -> Tensor:
        return x


def seq(*parts: nn.Module, mode: str = "m") -> nn.Module:
    net = nn.Sequential(*parts)
    functional.set_step_mode(net, mode)
    return net


def smooth() -> nn.Module:
    return neuron.IFNode(surrogate_function=surrogate.ATan(spiking=False))


def hooked() -> nn.Module:
    node = neuron.IFNode()
    node.register_forward_hook(lambda *_: None)
    return node


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: seq(layer.Linear(3, 3), neuron.QIFNode(), nn.Sequential(neuron.KLIFNode())),
            [r"1 (QIFNode): its membrane is not linear", "2.0 (KLIFNode): it cuts", "train with"],
        ),
        (lambda: seq(neuron.MaskedPSN(2, 4)), ["0 (MaskedPSN)", "all time steps at once"]),
        (lambda: seq(neuron.PSN(4)), ["0 (PSN)", "all time steps at once", "train with LIFNode"]),
        (lambda: seq(neuron.NonSpikingIFNode()), ["0 (NonSpikingIFNode)", "train with LIFNode"]),
        (lambda: seq(neuron.EIFNode()), ["0 (EIFNode)", "not linear"]),
        (lambda: seq(Memory()), ["0 (Memory)", "no counterpart"]),
        (lambda: seq(layer.LinearRecurrentContainer(neuron.IFNode(), 3, 3)), ["Recurrent"]),
        (lambda: neuron.IFNode(0.5, 0.5), ["the network (IFNode)", "not above"]),
        (lambda: neuron.SimpleIFNode(v_reset=-1.0), ["starts at 0", "v_reset=0"]),
        (lambda: seq(smooth()), ["spiking to True"]),
        (lambda: seq(hooked()), ["0: forward hooks"]),
        (lambda: seq(layer.GroupNorm(1, 2)), ["0 (GroupNorm)", "use batch norm"]),
        (lambda: seq(nn.ReLU(), mode="s"), ["0 (ReLU)", "no spikes"]),
        (lambda: seq(layer.Flatten(2)), ["start_dim=1"]),
        (lambda: seq(nn.Flatten(1), layer.BatchNorm1d(3)), ["0 (Flatten)", "start_dim=2"]),
        (
            lambda: seq(nn.Conv2d(1, 2, 3), neuron.IFNode(0.3)),
            ["0 (Conv2d)", "SeqToANNContainer"],
        ),
        (
            lambda: seq(layer.SeqToANNContainer(nn.Identity(), neuron.IFNode())),
            ["0 (SeqToANNContainer): it calls 1 on time and batch as one"],
        ),
        (
            lambda: nn.Sequential(
                neuron.IFNode(), neuron.LIFNode(step_mode="m"), neuron.LIFNode(step_mode="m")
            ),
            ["0 (IFNode): its step mode is 's' where 'm' is needed", "set_step_mode(net, 'm')"],
        ),
        (lambda: seq(layer.TLastSeqToANNContainer(nn.Linear(3, 3))), ["TLastSeqToANNContainer"]),
        (
            lambda: seq(neuron.CUBALIFNode(v_reset=None)),
            ["0 (CUBALIFNode): its v_reset must be 0, not None"],
        ),
    ],
)  # fmt: skip
def test_what_does_not_convert_is_named(make, words: list[str]) -> None:
    with pytest.raises(LoweringError) as refused:
        to_arlif(make())
    for word in words:
        assert word in str(refused.value)


class OwnLoop(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(layer.Linear(4, 3), neuron.IFNode())

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x) + self.net(x)


class Shown(OwnLoop):
    def forward(self, x: Tensor) -> Tensor:
        return self.net(x.unsqueeze(0).repeat(4, 1, 1))


@pytest.mark.parametrize(("net", "words"), [(OwnLoop(), "all time steps"), (Shown(), "Repeat")])
def test_loops_of_their_own_are_refused_by_the_walk(net: nn.Module, words: str) -> None:
    with pytest.raises(LoweringError, match=words):
        linearize(to_arlif(net), (4,))


def test_ours_among_theirs_stay() -> None:
    net = nn.Sequential(layers.Linear(4, 3), neuron.IFNode(step_mode="m"))
    assert to_arlif(net).get_submodule("0") is net[0]
