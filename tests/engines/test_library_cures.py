"""What another library says of a file that it cannot run, with what to do, which works."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import nir
import numpy as np
import pytest
import torch
from snntorch import import_nir
from support.other_libraries import READERS, imported, outputs
from torch import nn

import arlif
from arlif import layers
from arlif.core.real_neurons import RealLifReset, RealSynaptic
from arlif.neurons.layer import NeuronLayer
from arlif.neurons.recurrent import Recurrent
from export.nir import write_nir_lif
from hw_sim.engines.libraries import in_norse, in_snntorch, in_spikingjelly
from hw_sim.engines.libraries.frame_by_frame import graph_of, packages, quietly, with_cure

CURES = {"snntorch": in_snntorch.CURES, "spikingjelly": in_spikingjelly.CURES}
EACH = np.linspace(0.8, 1.2, 6)


def hard(decay: float = 0.5) -> arlif.LIF:
    return arlif.LIF(decay, 1.0, "hard")


NEURONS: dict[str, Callable[[], list[nn.Module]]] = {
    "keeps all": lambda: [hard(1.0)],
    "keeps nothing": lambda: [hard(0.0)],
    "each its own": lambda: [NeuronLayer(RealLifReset(EACH / 2, EACH))],
    "current of a moment": lambda: [NeuronLayer(RealSynaptic(0.0, 0.5, 1.0))],
    "resets elsewhere": lambda: [NeuronLayer(RealLifReset(0.5, 1.0, reset=-0.5))],
    "loop": lambda: [Recurrent(hard(), layers.Linear(6, 6))],
    "delay": lambda: [hard(), layers.Delay(2)],
}
LAST, MEAN = [layers.Integrator(0.9), layers.Last()], [layers.Integrator(0.9)]
SAID = [
    ("snntorch", "keeps all", "a decay below 1"),
    ("snntorch", "each its own", "the same constants"),
    ("snntorch", "loop", "it reads no loops"),
    ("snntorch", "delay", "no delays"),
    ("spikingjelly", "keeps nothing", "a decay above 0"),
    ("spikingjelly", "each its own", "the same constants"),
    ("spikingjelly", "current of a moment", "decays above 0"),
    ("spikingjelly", "resets elsewhere", "reset to where their potentials leak to"),
    ("spikingjelly", "delay", "no delays"),
]


def network(neurons: list[nn.Module], ends: list[nn.Module]) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(layers.Linear(4, 6), *neurons, layers.Linear(6, 3), *ends).eval()


def said_by(library: str, path: Path, x: torch.Tensor) -> str:
    with pytest.raises((AssertionError, AttributeError, ValueError)) as failure:
        outputs(imported(library, path), x)
    return with_cure(failure.value, CURES[library])


@pytest.mark.parametrize(("library", "kind", "cure"), SAID)
def test_an_error_of_a_library_says_what_to_do(
    library: str, kind: str, cure: str, tmp_path: Path
) -> None:
    net, path = network(NEURONS[kind](), []), tmp_path / "lif.nir"
    x = 2 * torch.rand(8, 5, 4)
    write_nir_lif(net, path, (4,))
    said = said_by(library, path, x)
    assert cure in said
    if "take the engine norse" in said:
        with torch.no_grad():
            want = net(x)
        assert torch.allclose(outputs(imported("norse", path), x), want, atol=1e-4)


@pytest.mark.parametrize("library", CURES)
def test_a_library_without_integrators_reads_their_mean(library: str, tmp_path: Path) -> None:
    path, x = tmp_path / "lif.nir", 2 * torch.rand(8, 5, 4)
    write_nir_lif(network([hard()], LAST), path, (4,))
    assert "the mean of the potentials over time" in said_by(library, path, x)
    net = network([hard()], MEAN)
    write_nir_lif(net, path, (4,))
    with torch.no_grad():
        want = net(x).mean(0)
    got = outputs(imported(library, path), x).mean(0)
    assert torch.equal(got.argmax(-1), want.argmax(-1))


def test_what_is_not_known_is_said_as_it_is() -> None:
    assert with_cure(ValueError("out of\ncheese"), in_snntorch.CURES) == "out of"


def looped(weight: float) -> nir.NIRGraph:
    """Four neurons, each driven far above its threshold, whose spikes return with a weight."""
    neurons = nir.LIF(np.full(4, 1e-3), np.full(4, 10.0), np.zeros(4), np.ones(4))
    weights = {"fc": nir.Linear(5 * np.eye(4)), "back": nir.Linear(weight * np.eye(4))}
    ends = {
        "input": nir.Input({"input": np.array([4])}),
        "output": nir.Output({"output": np.array([4])}),
    }
    pairs = [("input", "fc"), ("fc", "lif"), ("lif", "back"), ("back", "lif"), ("lif", "output")]
    return nir.NIRGraph({**ends, **weights, "lif": neurons}, pairs)


def test_snntorch_hands_what_enters_a_loop_to_its_weights() -> None:
    """With weights of 0 nothing arrives, so that no neuron fires: why the engine refuses loops."""
    with quietly():
        network = import_nir.import_from_nir(looped(0.0))
    spikes, _ = network(torch.ones(1, 4))
    assert not spikes[0].any()
    with pytest.raises(ValueError, match=f"^lif: {in_snntorch.LOOP}$") as refused:
        in_snntorch.read(import_nir, looped(0.0))
    assert with_cure(refused.value, in_snntorch.CURES).endswith("engine norse or spikingjelly")


def test_a_loop_as_we_write_it_is_refused(tmp_path: Path) -> None:
    for kind, loops in (("loop", True), ("delay", False), ("keeps nothing", False)):
        write_nir_lif(network(NEURONS[kind](), []), tmp_path / "lif.nir", (4,))
        graph = nir.read(tmp_path / "lif.nir")
        try:
            in_snntorch.read(import_nir, graph)
            said = ""
        except (AssertionError, ValueError) as error:
            said = str(error)
        assert (in_snntorch.LOOP in said) is loops


class Residual(nn.Module):
    """Two branches into one neuron, through as many layers of their own as are asked for."""

    def __init__(self, shortcut: bool) -> None:
        super().__init__()
        self.stem = nn.Sequential(layers.Linear(4, 6), hard())
        self.long = nn.Sequential(layers.Linear(6, 6), hard(), layers.Linear(6, 6))
        self.short = layers.Linear(6, 6) if shortcut else None
        self.join = nn.Sequential(hard(), layers.Linear(6, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        return self.join(self.long(x) + self.short(x) if self.short else self.long(x))


def test_norse_lets_a_branch_come_late(tmp_path: Path) -> None:
    """Why its engine refuses branches that meet: it computes another network; the others do not."""
    torch.manual_seed(0)
    path, x = tmp_path / "lif.nir", 3 * torch.rand(8, 5, 4)
    (reader,) = packages("norse", "norse.torch")
    for shortcut in (False, True):
        net = Residual(shortcut).eval()
        write_nir_lif(net, path, (4,))
        with torch.no_grad():
            want = net(x)
        assert want.std() > 0.05
        assert torch.allclose(outputs(imported("snntorch", path), x), want, atol=1e-5)
        got = outputs(imported("norse", path), x)
        assert (got.shape == want.shape and torch.allclose(got, want, atol=1e-5)) is not shortcut
        with quietly():
            try:
                in_norse.read(reader, nir.read(path))
                said = ""
            except ValueError as error:
                said = with_cure(error, in_norse.CURES)
        late = f"join_0: {in_norse.BRANCHES}; take the engine snntorch or spikingjelly"
        assert said == late * shortcut


@pytest.mark.parametrize(
    ("neurons", "ends", "named"),
    [([hard()], LAST, "3 (LI)"), (NEURONS["delay"](), [], "output_wait (Delay)")],
)
def test_norse_leaves_nodes_out(
    neurons: list[nn.Module], ends: list[nn.Module], named: str, tmp_path: Path
) -> None:
    """Why its engine refuses them: of an integrator it returns the current."""
    path, x = tmp_path / "lif.nir", 3 * torch.rand(8, 5, 4)
    (reader,) = packages("norse", "norse.torch")
    net = network(neurons, ends)
    write_nir_lif(net, path, (4,))
    with pytest.raises(ValueError, match=in_norse.LEFT_OUT) as refused:
        in_norse.read(reader, graph_of(path))
    assert named in str(refused.value)
    assert "the mean of the potentials" in with_cure(refused.value, in_norse.CURES)
    if ends:
        with torch.no_grad():
            current = net[:3](x) / (1 - 0.9)  # as weights of the portable convention are
        assert torch.allclose(outputs(imported("norse", path), x), current, atol=1e-4)


def test_norse_takes_loops(tmp_path: Path) -> None:
    path, x = tmp_path / "lif.nir", 3 * torch.rand(8, 5, 4)
    (reader,) = packages("norse", "norse.torch")
    net = network(NEURONS["loop"](), [])
    write_nir_lif(net, path, (4,))
    with quietly():
        read = in_norse.read(reader, nir.read(path))
    with torch.no_grad():
        assert torch.allclose(outputs(read, x), net(x), atol=1e-4)


@pytest.mark.parametrize("library", READERS)
def test_a_pools_padding_is_left_out(library: str, tmp_path: Path) -> None:
    """Why engines refuse it: what is pooled has other places then."""
    path, x = tmp_path / "lif.nir", 2 * torch.rand(8, 5, 2, 6, 6)
    for padding, size in ((1, 4), (0, 3)):
        net = nn.Sequential(
            layers.Conv2d(2, 3, 1),
            hard(),
            layers.AvgPool2d(2, padding=padding),
            layers.Conv2d(3, 4, 1),
            hard(),
            layers.Flatten(),
            layers.Linear(4 * size * size, 3),
        ).eval()
        write_nir_lif(net, path, (2, 6, 6))
        places: list[int] = []
        read = imported(library, path)
        weights = read.get_submodule("4_synapse")
        weights.register_forward_hook(lambda _, given, out, seen=places: seen.append(out.shape[-1]))
        with contextlib.suppress(RuntimeError):  # of the layers behind, which are made for more
            outputs(read, x)
        assert places[0] == 3
        if padding:
            with pytest.raises(
                ValueError, match="4_pool: it leaves a pool's padding out; pool with"
            ):
                graph_of(path)
        else:
            assert graph_of(path).nodes
