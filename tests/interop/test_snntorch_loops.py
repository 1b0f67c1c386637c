"""Networks of snnTorch with a forward of their own spike as snnTorch does, or are refused."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.foreign_loops import RETURNED, Loop, as_time_first
from support.other_libraries import snntorch
from torch import Tensor, nn

import arlif.interop.snntorch
from arlif.base.errors import LoweringError
from arlif.interop.snntorch import to_arlif
from arlif.quantize import Precision, calibrate_input, linearize, quantize
from hw_sim.engines.integer.reference import simulate
from hw_sim.engines.simulation import Record

KINDS = ("Leaky", "Lapicque", "Synaptic", "RLeaky", "RSynaptic")
RESETS = ("zero", "subtract", "none")


def neuron(kind: str, features: int, draw: Callable[..., Any], **common: Any) -> nn.Module:
    """A neuron layer with drawn constants; some are one per neuron."""

    def constant(low: float, high: float) -> Any:
        if draw(st.booleans()):
            return draw(st.sampled_from([0.25, 0.5, 0.75, 1.0]))  # potentials meet thresholds
        torch.manual_seed(draw(st.integers(0, 99)))
        return torch.empty(features).uniform_(low, high)

    common["reset_mechanism"] = draw(st.sampled_from(RESETS))
    if kind == "Lapicque":
        return snntorch.Lapicque(beta=draw(st.sampled_from([0.5, 0.9])), **common)
    if kind != "RSynaptic":
        common["reset_delay"] = draw(st.booleans())
    common["threshold"] = constant(0.3, 1.5)
    if kind.startswith("R"):
        dense = draw(st.booleans())
        own = {"all_to_all": False, "V": constant(-1, 1)}
        common |= {"linear_features": features} if dense else own
    rates = [constant(0, 1)] * (2 if kind.endswith("Synaptic") else 1)
    found: nn.Module = getattr(snntorch, kind)(*rates, **common)
    return found


def lively(network: nn.Module) -> None:
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.uniform_(layer.weight, -1, 2).mul_(8).round_().div_(8)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_a_loop_spikes_as_in_snntorch(kind: str, data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 5), min_size=2, max_size=3))
    frames = data.draw(st.sampled_from([None, 6]))
    with torch.no_grad():
        network = Loop([neuron(kind, n, data.draw) for n in sizes[1:]], sizes, frames)
        lively(network)
        network.returns = data.draw(st.sampled_from(RETURNED))
        x = torch.rand(1 if frames else 6, 5, sizes[0])
        want = as_time_first(network(x[0] if frames else x), network.returns)
        got = to_arlif(network, x)(x)
    if network.returns == "mean":
        assert torch.allclose(want, got, atol=1e-6)
    else:
        assert torch.equal(want, got)


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_reset_far_above_the_threshold(kind: str, reset: str, late: bool) -> None:
    torch.manual_seed(0)
    own: dict[str, Any] = {"R": 4.0, "C": 1.0} if kind == "Lapicque" else {"beta": torch.rand(20)}
    own |= {"alpha": torch.rand(20)} if kind.endswith("Synaptic") else {}
    own |= {"linear_features": 20} if kind.startswith("R") else {}
    own |= {} if kind in ("Lapicque", "RSynaptic") else {"reset_delay": late}
    lif = getattr(snntorch, kind)(threshold=0.3, reset_mechanism=reset, **own)
    network, x = Loop([lif], [6, 20], None), torch.rand(30, 10, 6)
    with torch.no_grad():
        network.fcs[0].weight.mul_(5)
        want = network(x)
        assert 0.02 < want.mean() < 0.98
        assert torch.equal(to_arlif(network, x)(x), want)


def step(kind: str, data: st.DataObject) -> nn.Module:
    make = lambda **more: neuron(kind, 3, data.draw, init_hidden=True, **more)  # noqa: E731
    return nn.Sequential(nn.Linear(4, 3), nn.Sequential(make()), nn.Linear(3, 3), make(output=True))


class Block(nn.Module):
    """One time step, with a shortcut."""

    def __init__(self, inner: nn.Sequential) -> None:
        super().__init__()
        self.inner, self.beside = inner, nn.Linear(4, 3)
        self.last = snntorch.Leaky(0.5, init_hidden=True)

    def forward(self, x: Tensor) -> Tensor:
        spikes: Tensor = self.last(self.inner(x.view(x.size(0), -1))[0] + self.beside(x))
        return spikes


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_one_step_spikes_as_in_snntorch(kind: str, data: st.DataObject) -> None:
    network = step(kind, data)
    network = Block(network) if data.draw(st.booleans()) else network
    x = torch.rand(7, 3, 4)
    with torch.no_grad():
        lively(network)
        arlif.interop.snntorch.reset(network)
        want = [network(frame) for frame in x]
        want = [out[0] if isinstance(out, tuple) else out for out in want]
        assert torch.equal(torch.stack(want), to_arlif(network, x)(x))


class Frames(nn.Module):
    """A loop of convolutions and pools, with `steps` of them, as tutorials write it."""

    def __init__(self, pool: str, steps: int) -> None:
        super().__init__()
        self.how, self.steps = pool, steps
        self.conv1, self.norm, self.lif1 = nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), leaky()
        self.pool, self.conv2, self.lif2 = nn.MaxPool2d(2), nn.Conv2d(4, 6, 3), leaky()
        self.fc, self.lif3, self.drop = nn.Linear(24, 5), leaky(), nn.Dropout(0.2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mem1, mem2, mem3 = (lif.init_leaky() for lif in (self.lif1, self.lif2, self.lif3))
        spikes, potentials = [], []
        for step in range(self.steps):
            spk, mem1 = self.lif1(self.norm(self.conv1(x[step])), mem1)
            match self.how:
                case "layer":
                    spk = self.pool(spk)
                case "maximum":
                    spk = nn.functional.max_pool2d(spk, 2)
                case "mean":
                    spk = nn.functional.avg_pool2d(spk, 2)
            spk, mem2 = self.lif2(self.conv2(spk), mem2)
            spk = self.drop(spk.flatten(1) if step % 2 else spk.view(spk.size(0), -1))
            spk, mem3 = self.lif3(self.fc(spk), mem3)
            spikes.append(spk)
            potentials.append(mem3)
        return torch.stack(spikes), torch.stack(potentials, dim=0)


def leaky() -> nn.Module:
    return snntorch.Leaky(0.8, threshold=0.2)


@pytest.mark.parametrize("pool", ["layer", "maximum", "mean"])
def test_frames_are_pooled_and_flattened(pool: str) -> None:
    torch.manual_seed(0)
    network, x = Frames(pool, 6).eval(), (torch.rand(6, 4, 2, 10, 10) < 0.4).float()
    with torch.no_grad():
        want, ours = network(x)[0], to_arlif(network, x)
        assert 0.05 < want.mean() < 0.95
        assert torch.equal(ours(x), want)
    linearize(ours, (2, 10, 10))


def test_a_loop_of_fewer_steps_than_are_given_is_refused() -> None:
    with pytest.raises(LoweringError, match=r"of 6 time steps .* lif1 4 times"):
        to_arlif(Frames("layer", 4).eval(), torch.rand(6, 4, 2, 10, 10))


def test_integers_of_a_loop() -> None:
    torch.manual_seed(0)
    network = Loop(
        [snntorch.Synaptic(0.5, 0.9), snntorch.RLeaky(0.8, linear_features=3)], [4, 8, 3], 9
    )
    x = torch.rand(1, 10, 4)
    ours = to_arlif(network, x)
    linear = linearize(ours, (4,))
    assert linear.static
    integers = quantize(linear, calibrate_input(x.numpy(), (4,), True), Precision(), 9)
    trace = simulate(integers, integers.input.encode(x[0].numpy()), 9, Record(("lifs_1",)))
    with torch.no_grad():
        wrong = trace.traces["lifs_1"].spikes != ours(x).numpy().astype(bool)
    assert wrong.mean() < 0.1


def test_potentials_of_neurons_that_only_integrate() -> None:
    x = torch.rand(8, 3, 4)
    lif = snntorch.Synaptic(0.5, 0.9, reset_mechanism="none")
    network = Loop([snntorch.Leaky(0.5), lif], [4, 5, 3], None)
    network.returns = "potentials"
    ours = to_arlif(network, x)
    assert torch.allclose(network(x), ours(x), atol=1e-5)
    linearize(ours, (4,))


class Wrong(nn.Module):
    """A loop with something in it that has no counterpart."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.fc, self.act = how, nn.Linear(3, 3), nn.ReLU()
        self.lif, self.alpha = snntorch.Leaky(0.5), snntorch.Alpha(0.6, 0.5)

    def forward(self, x: Tensor) -> Any:
        mem, before = self.lif.reset_mem(), torch.zeros(x.shape[1:])
        states, out = self.alpha.reset_mem(), []
        for frame in x:
            current = self.fc(frame)
            match self.how:
                case "layers":
                    current, *states = self.alpha(self.act(current), *states)
                case "twice":
                    _, mem = self.lif(current, mem)
                case "past":
                    current = current + before
                case "by hand":
                    current = current + self.fc(before)
                case "product":
                    current = current * frame
                case "state":
                    mem = mem * 0.5
            before, mem = self.lif(current, mem)
            out.append(before)
        match self.how:
            case "potential":
                return mem
            case "last":
                return before
            case "part":
                return torch.stack(out[1:])
            case "branch" if out[0].sum() >= 0:
                return torch.stack(out) * 0 + 1
            case "constant":
                return torch.zeros(3)
            case "dictionary":
                return {"spikes": torch.stack(out)}
            case "nothing":
                return None
            case "numpy":
                return torch.from_numpy(torch.stack(out).detach().numpy().copy())
        return torch.stack(out)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("layers", ["act (ReLU): ", "alpha (Alpha): ", "use Synaptic"]),
        ("twice", ["lif: ", "one neuron layer a call"]),
        ("past", ["in front of lif: ", "different time steps", "recurrent neurons"]),
        ("product", ["in front of lif: ", "mul"]),
        ("state", ["lif: ", "the state that its last call returned"]),
        ("potential", ["its membrane potential is read"]),
        ("last", ["one time step of many"]),
        ("part", ["every time step"]),
        ("branch", ["not come from the inputs"]),
        ("by hand", ["in front of lif: ", "not come from the inputs", "recurrent neurons"]),
        ("constant", ["does not depend on its input"]),
        ("dictionary", ["it returns a dict; return a tensor"]),
        ("nothing", ["it returns nothing; return a tensor"]),
        ("numpy", ["does not depend on its input", "NumPy"]),
    ],
)
def test_what_no_run_can_show_is_refused(how: str, told: list[str]) -> None:
    with pytest.raises(LoweringError) as caught:
        to_arlif(Wrong(how), torch.rand(4, 2, 3))
    for part in told:
        assert part in str(caught.value)


def test_potentials_that_spikes_reset_are_refused() -> None:
    network = Loop([snntorch.Leaky(0.5)], [4, 3], None)
    network.returns = "potentials"
    with pytest.raises(LoweringError, match=r"lifs\.0: .*reset_mechanism='none'"):
        to_arlif(network, torch.rand(4, 2, 4))


def test_a_forward_that_fails_says_so() -> None:
    network = Loop([snntorch.Leaky(0.5)], [4, 3], None)
    with pytest.raises(LoweringError, match="its forward fails on"):
        to_arlif(network, torch.rand(4, 2, 5))

    def fails(x: torch.Tensor) -> torch.Tensor:
        raise ValueError("whatever comes")

    network.forward = fails
    with pytest.raises(LoweringError, match="its forward fails ValueError: whatever comes; it mu"):
        to_arlif(network, torch.rand(4, 2, 4))
