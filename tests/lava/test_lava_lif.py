"""lif.nir on Lava's own LIF, Dense and Conv: spikes as arlif reads them, or the reason why not."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import nir
import numpy as np
import pytest
import torch
from support.mapped_memory import mapped
from torch import Tensor, nn

import arlif
from arlif import layers
from arlif.base.errors import LoweringError, SimulationError
from export.nir import load_plain, write_nir_lif
from hw_sim.engines.floating_point import simulate_float
from hw_sim.engines.lava import lif_launch, shared_memory
from hw_sim.engines.lava.lif_launch import simulate_lif
from hw_sim.engines.lava.plain_graph import PlainNetwork, plain_network, read_plain

STEPS, SAMPLES, SHAPE = 5, 3, (2, 6, 8)


class Branching(nn.Module):
    """Biases in front of pools, strides, groups, a shortcut, a neuron that never leaks."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Sequential(
            layers.Conv2d(2, 4, 3, padding=(0, 1)), arlif.LIF(0.5, 0.3, "hard")
        )
        self.conv = nn.Sequential(
            layers.Conv2d(4, 6, (1, 3), padding=(0, 1), groups=2),
            arlif.LIF(0.9, 0.3, "hard"),
            layers.Conv2d(6, 6, 3, 2, padding=1),
        )
        self.short = nn.Sequential(layers.Conv2d(4, 6, 1), layers.AvgPool2d(2))
        self.join = arlif.LIF(1.0, 0.2, "hard")
        self.head = nn.Sequential(layers.Flatten(), layers.Linear(48, 5))

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        classes: Tensor = self.head(self.join(self.conv(x) + self.short(x)))
        return classes


def flat() -> nn.Module:
    """Without pictures."""
    torch.manual_seed(1)
    return nn.Sequential(layers.Linear(7, 9), arlif.LIF(0.7, 0.2, "hard"), layers.Linear(9, 4))


class Summed(nn.Module):
    """The readout adds what two layers of unequal depth send through weights of their own."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.stem = nn.Sequential(layers.Linear(7, 9), arlif.LIF(0.7, 0.2, "hard"))
        self.deep = nn.Sequential(layers.Linear(9, 6), arlif.LIF(0.7, 0.2, "hard"))
        self.ends = nn.ModuleList([layers.Linear(9, 4), layers.Linear(6, 4)])

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        classes: Tensor = self.ends[0](x) + self.ends[1](self.deep(x))
        return classes


CASES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "branches": (Branching, SHAPE),
    "flat": (flat, (7,)),
    "summed": (Summed, (7,)),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Tensor]:
    """A file, and inputs [T, N, *shape] for it."""
    build, shape = CASES[request.param]
    write_nir_lif(build().eval(), tmp_path / "lif.nir", shape)
    return tmp_path / "lif.nir", torch.rand(STEPS, SAMPLES, *shape)


def by_the_equations(network: PlainNetwork, real: np.ndarray) -> dict[str, np.ndarray]:
    """What Lava documents of its processes, in numpy: all that layers send, [T, N, *shape]."""
    found = {}
    for n in range(real.shape[1]):
        sent = {network.entry: real[:, n].astype(np.float64)}
        for layer in network.layers:
            v, out = np.zeros(layer.shape), np.zeros((len(real), *layer.shape))
            for t in range(len(real)):
                a_in = np.zeros(layer.shape)
                for start, links in layer.chains:
                    x = sent[start][t]
                    for link in links:
                        x = link(x) - link(np.zeros(link.shape))  # Lava's links have no bias
                    a_in += x
                v = v * (1 - layer.decay) + a_in + layer.bias
                out[t] = v > layer.threshold if layer.fires else a_in + layer.bias
                v[out[t] == 1] = 0
            sent[layer.name] = out
        for name in sent.keys() - {network.entry}:
            found.setdefault(name, []).append(sent[name])
    return {name: np.stack(parts, 1) for name, parts in found.items()}


def test_the_graph_in_lavas_equations_spikes_as_arlif_reads_it(case: tuple[Path, Tensor]):
    path, real = case
    network = read_plain(path)
    got = by_the_equations(network, real.numpy())
    with torch.no_grad():
        want = simulate_float(load_plain(path).module, real, traced=SAMPLES)
    for name, trace in want.traces.items():
        assert 0.05 < trace.spikes.mean() < 0.95
        assert np.array_equal(got[name].reshape(trace.spikes.shape), trace.spikes)
    summed = got[network.layers[-1].name].sum(0).reshape(SAMPLES, -1)
    np.testing.assert_allclose(summed, want.readout, atol=1e-5)
    for layer in network.layers:  # every chain into a layer takes as long
        depth = {other.name: other.depth for other in network.layers} | {network.entry: 0}
        assert {depth[start] + len(links) for start, links in layer.chains} == {layer.depth}


@pytest.mark.lava
@pytest.mark.slow  # the demo's test runs this engine, too
def test_lava_itself_spikes_as_arlif_reads_it(case: tuple[Path, Tensor]):
    path, real = case
    real = real.repeat(1, 150, *(1 for _ in real.shape[2:]))  # runs long enough to be looked at
    seen: list[tuple[int, int, int]] = []

    def look(done: int, total: int) -> None:
        seen.append((done, total, mapped(lif_launch.WORKER)))

    got = simulate_lif(path, real.numpy(), STEPS, 2, progress=look)
    with torch.no_grad():
        want = simulate_float(load_plain(path).module, real, traced=2)
    for name, trace in want.traces.items():
        assert np.array_equal(got.traces[name].spikes.reshape(trace.spikes.shape), trace.spikes)
        counts = want.counts[name]
        assert np.array_equal(got.counts[name].reshape(counts.shape), counts)
    np.testing.assert_allclose(got.readout, want.readout, atol=1e-5)
    assert seen[-1][:2] == (150 * SAMPLES, 150 * SAMPLES)
    assert max(found for _, _, found in seen) == lif_launch.memory(read_plain(path))
    with pytest.raises(SimulationError, match=r"the limit of 0\.01 s"):
        simulate_lif(path, real.numpy(), STEPS, 0, time_limit_s=0.01)


def ones(value: float, shape: tuple[int, ...] = (3,)) -> np.ndarray:
    return np.full(shape, value, np.float32)


def lif(**given: np.ndarray) -> nir.LIF:
    usual = {"tau": 2e-4, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0}
    return nir.LIF(**({name: ones(value) for name, value in usual.items()} | given))


def graph(**nodes: nir.NIRNode) -> nir.NIRGraph:
    """A chain of nodes between the input and the output."""
    ends = {"input": nir.Input(np.array([3])), "output": nir.Output(np.array([3]))}
    order = ["input", *nodes, "output"]
    return nir.NIRGraph(ends | nodes, list(pairwise(order)), type_check=False)


def test_everything_that_lava_cannot_do_is_named_at_once():
    with pytest.raises(LoweringError) as refusal:
        plain_network(
            graph(
                wait=nir.Delay(ones(1e-4)),
                one=lif(v_reset=ones(-1)),
                two=lif(tau=np.array([1e-4, 2e-4, 3e-4], np.float32), v_threshold=np.arange(3.0)),
                read=nir.LI(tau=ones(2e-4), r=ones(1), v_leak=ones(0)),
            )
        )
    said = str(refusal.value)
    assert "wait: only LIF, IF, weights and sum pools are brought to Lava, and no Delay" in said
    assert "one: it resets to another value than 0" in said
    assert "two: v_threshold and tau differ within the layer" in said
    assert "read: it is read as a potential (LI)" in said


def test_loops_are_refused():
    looped = graph(
        there=nir.Affine(np.eye(3, dtype=np.float32), ones(0)),
        neuron=lif(),
        back=nir.Affine(np.eye(3, dtype=np.float32), ones(0)),
    )
    looped.edges = [*looped.edges, ("back", "neuron")]
    with pytest.raises(LoweringError, match="has a loop"):
        plain_network(looped)


def test_leaks_and_resistances_are_in_weights_and_biases():
    weight = np.eye(3, dtype=np.float32)
    neuron = lif(r=ones(3), v_leak=np.array([0, 1, 2], np.float32))
    (layer, _) = plain_network(graph(link=nir.Affine(weight, ones(0.5)), neuron=neuron)).layers
    ((_, (link,)),) = layer.chains
    assert layer.decay == pytest.approx(0.5)
    np.testing.assert_allclose(link.weight, 1.5 * weight, rtol=1e-6)
    np.testing.assert_allclose(layer.bias, 0.75 + 0.5 * np.arange(3), rtol=1e-6)


def test_full_shared_memory_is_said_before(
    case: tuple[Path, Tensor], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(shared_memory, "free", lambda: 1000)
    monkeypatch.setattr(lif_launch, "require_lava", lambda: None)
    path, real = case
    with pytest.raises(SimulationError, match=r"MiB of /dev/shm, 0\.0 MiB are free"):
        simulate_lif(path, real.numpy(), STEPS, 0)
