"""Networks read by the last or the largest potential: floats, integers, training, files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from support.integrators import between
from torch import Tensor, nn

import arlif
from arlif import layers
from arlif.base.errors import LoweringError
from arlif.core.integer_neurons import PRESETS
from arlif.core.network import OverTime, QuantizedNetwork
from arlif.quantize import Precision, calibrate_input, linearize, quantize
from arlif.quantize.qat import QatNetwork
from export.nir import load_nir, write_nir_lif
from export.onnx.float_graph import write_onnx_float
from hw_sim.comparison.fitting import fit
from hw_sim.engines.floating_point import simulate_float
from hw_sim.engines.integer.fast import simulate

T, N = 25, 16
LAST = layers.Last()
WAYS: dict[str, tuple[OverTime, Callable[[Tensor], Tensor]]] = {
    "Last": (OverTime.LAST, layers.Last()),
    "Largest": (OverTime.LARGEST, layers.Largest()),
    "x[-1]": (OverTime.LAST, lambda x: x[-1]),
    "x[-1:]": (OverTime.LAST, lambda x: x[-1:]),
    "amax": (OverTime.LARGEST, lambda x: x.amax(0)),
    "torch.amax": (OverTime.LARGEST, lambda x: torch.amax(x, dim=0)),
    "max()[0]": (OverTime.LARGEST, lambda x: x.max(0)[0]),
    "max().values": (OverTime.LARGEST, lambda x: x.max(dim=0).values),
    "torch.max()[0]": (OverTime.LARGEST, lambda x: torch.max(x, 0)[0]),
}
INTEGRATORS: dict[str, Callable[[], nn.Module]] = {
    "LI": lambda: layers.Integrator(0.9),
    "LI that leaks up": lambda: layers.Integrator(0.8, 0.05),
    "LI, a decay for each class": lambda: layers.Integrator(between(4), 0.1),
    "CubaLI": lambda: layers.Integrator(0.9, 0.05, 0.7),
    "CubaLI, decays for each class": lambda: layers.Integrator(between(4), 0.0, between(4)),
    "CubaLI whose potential never leaks": lambda: layers.Integrator(1.0, 0.1, 0.7),
    "current decay alone": lambda: layers.Integrator(0.0, 0.1, 0.7),
    "LI, weights": lambda: nn.Sequential(layers.Integrator(0.9), layers.Linear(4, 4)),
    "CubaLI, weights": lambda: nn.Sequential(
        layers.Integrator(0.9, 0.05, 0.7), layers.Linear(4, 4)
    ),
    "the currents themselves": nn.Identity,
}


class Net(nn.Module):
    """Weights, LIF, weights, integrators; `end` says what is returned of their potentials."""

    def __init__(self, integrators: nn.Module, end: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.fc1, self.lif = layers.Linear(6, 12), arlif.LIF(0.8, 1.0, "hard")
        self.fc2, self.li, self.end = layers.Linear(12, 4), integrators, end

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.li(self.fc2(self.lif(self.fc1(x)))))


def made(
    integrators: Callable[[], nn.Module], end: Callable[[Tensor], Tensor] = LAST
) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(2)
    net = Net(integrators(), end).double().eval()
    nn.init.uniform_(net.fc1.weight, -0.5, 1.0)
    return net, (torch.rand(T, N, 6) < 0.4).double()


def fitting(net: nn.Module, x: Tensor) -> tuple[QuantizedNetwork, dict[str, object]]:
    linear = linearize(net, (6,))
    source = calibrate_input(x.numpy(), (6,), static=False)
    found = fit(net, linear, source, x, T, Precision(), may_widen=True)
    assert not found.warnings
    return found.network, found.found


@pytest.mark.parametrize("end", [layers.Last(), layers.Largest()], ids=["last", "largest"])
@pytest.mark.parametrize("name", INTEGRATORS)
def test_integers_read_the_floats_potential(name: str, end: nn.Module) -> None:
    """Spikes are the same here, so that logits differ by rounding alone."""
    net, x = made(INTEGRATORS[name], end)
    network, found = fitting(net, x)
    over = OverTime.LAST if isinstance(end, layers.Last) else OverTime.LARGEST
    assert network.readout.reading is not None
    assert network.readout.reading.over is over
    assert found["layers"]["lif"]["changed"] == 0
    want = simulate_float(net, x).readout
    got = simulate(network, network.input.encode(x.numpy()), T).readout * network.readout.scale
    assert np.abs(got - want).max() < 0.002 * np.abs(want).max()
    assert found["decisions_changed"] == 0


@pytest.mark.parametrize("name", WAYS)
def test_every_way_of_saying_it_is_one_network(name: str) -> None:
    over, end = WAYS[name]
    same = layers.Last() if over is OverTime.LAST else layers.Largest()
    (net, x), (other, _) = made(INTEGRATORS["LI"], end), made(INTEGRATORS["LI"], same)
    source = calibrate_input(x.numpy(), (6,), static=False)
    found, want = (quantize(linearize(n, (6,)), source, Precision(), T) for n in (net, other))
    assert found == want
    assert str(found.readout.reading) == f"the {over.value} v of li"


def test_the_last_potential_of_what_never_leaks_is_the_sum() -> None:
    """As ever: the readout adds up what arrives, and nothing saturates."""
    net, _ = made(lambda: layers.Integrator(1.0))
    whole, _ = made(lambda: layers.Integrator(1.0), lambda x: x)
    for each in (net, whole):
        linear = linearize(each, (6,))
        assert linear.summed is not None
        assert [p.name for p in linear.populations] == ["lif"]


REFUSED: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "weights behind": (nn.Sequential(layers.Last(), nn.Linear(4, 3)), "which may only end the net"),
    "a sum behind": (lambda x: x[-1] + x[-1], "which may only end the network"),
    "another step": (lambda x: x[0], r"the last, x\[-1\], or the largest"),
    "another axis": (lambda x: x.amax(2), r"the last, x\[-1\], or the largest"),
    "the places": (lambda x: x.max(0)[1], "has no integer counterpart"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_reads_something_else_is_refused(name: str) -> None:
    end, message = REFUSED[name]
    net, _ = made(INTEGRATORS["LI"], end)
    with pytest.raises(LoweringError, match=message):
        linearize(net, (6,))


def test_frames_of_potentials_are_no_answer() -> None:
    net = nn.Sequential(layers.Conv2d(1, 2, 3), layers.Integrator(0.5), layers.Last())
    with pytest.raises(LoweringError, match="one value per class"):
        linearize(net, (1, 5, 5))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", ["LI, a decay for each class", "CubaLI"])
def test_training_computes_with_the_integers(name: str, preset: str) -> None:
    net, x = made(INTEGRATORS[name], layers.Largest())
    source = calibrate_input(x.numpy(), (6,), static=False)
    qat = QatNetwork(linearize(net, (6,)), source, Precision(PRESETS[preset]), T)
    network, labels = qat.quantized(), torch.arange(N) % 4
    found = simulate(network, source.encode(x.numpy()), T)
    scale = float(np.float32(network.readout.scale))
    np.testing.assert_array_equal(qat(x)[0].detach().numpy(), found.readout * scale)
    losses = []
    optimizer = torch.optim.Adam(qat.parameters(), 0.02)
    for _ in range(6):
        loss = nn.functional.cross_entropy(qat(x).mean(0), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.97 * losses[0]


@pytest.mark.parametrize("name", WAYS)
def test_the_float_graph_reads_it(name: str, tmp_path: Path) -> None:
    for integrators in (INTEGRATORS["CubaLI"], INTEGRATORS["LI, a decay for each class"]):
        net, x = made(integrators, WAYS[name][1])
        net, x = net.float(), x.float()
        write_onnx_float(net, tmp_path / "net.onnx", (6,))
        session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
        (found,) = session.run(["logits"], {"input": x.numpy()})
        np.testing.assert_allclose(found, net(x).detach().numpy(), atol=1e-5)


@pytest.mark.parametrize("over", OverTime)
@pytest.mark.parametrize("name", ["LI", "LI, a decay for each class", "CubaLI"])
def test_nir_holds_it_and_says_how_it_is_read(name: str, over: OverTime, tmp_path: Path) -> None:
    end = layers.Last() if over is OverTime.LAST else layers.Largest()
    net, x = made(INTEGRATORS[name], end)
    write_nir_lif(net.float(), tmp_path / "net.nir", (6,))
    noted = load_nir(tmp_path / "net.nir").module(x.float())
    torch.testing.assert_close(noted, net(x.float()), atol=1e-4, rtol=1e-4)


def test_an_import_chooses_what_is_read(tmp_path: Path) -> None:
    net, x = made(INTEGRATORS["LI"])
    write_nir_lif(net.float(), tmp_path / "net.nir", (6,))
    found = load_nir(tmp_path / "net.nir", over=OverTime.LARGEST).module(x.float())
    want, _ = made(INTEGRATORS["LI"], layers.Largest())
    torch.testing.assert_close(found, want(x).float(), atol=1e-4, rtol=1e-4)
