"""Measures what survives at every door of arlif, and writes docs/interop.md when it is run."""

import tempfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import nir
import numpy as np
import onnxruntime
import torch
from torch import nn

import arlif
import arlif.interop.snntorch
from arlif.base.errors import ArlifError
from arlif.core.network import Input
from arlif.neurons import SpikingNeuron
from arlif.quantize import Precision, calibrate_input, linearize, quantize
from export.lava import read_net, write_net
from export.nir import load_nir, read_nir, write_nir, write_nir_lif
from export.nir.conventions import exact, portable, unscaled
from export.onnx import write_onnx, write_onnx_float
from hw_sim.comparison.fitting import fit, typical
from hw_sim.engines import onnx as onnx_engine
from hw_sim.engines.integer import reference
from hw_sim.engines.simulation import Record
from support import (
    foreign_loops,
    lava_dl_truth,
    norse_networks,
    snntorch_networks,
    spikingjelly_networks,
)
from support.networks_integer import example_network
from support.nir_euler import Euler
from support.nir_files import from_norse, from_snntorch, from_spikingjelly, lif
from support.other_libraries import (
    DT,
    LIBRARIES,
    SHAPE,
    differing,
    events,
    norse,
    ours,
    snntorch,
    spiking_net,
)
from support.places import DOCS

PAGE = DOCS / "interop.md"
NEURONS: dict[str, Callable[[], SpikingNeuron]] = {
    "LIF, hard reset": lambda: arlif.LIF(0.75, 0.7, "hard"),
    "LIF, soft reset": lambda: arlif.LIF(0.75, 0.7, "soft"),
    "AR-LIF": lambda: arlif.ARLIF(0.5, 1.0),
}


class Row(NamedTuple):
    """One measured way out of arlif or into it."""

    origin: str
    target: str
    network: str
    outcome: str


def spikes(wrong: int, places: int) -> str:
    """Exact or approximate, by the outputs (one neuron at one time step) that differ."""
    if wrong == 0:
        return f"exact: 0 of {places:,} outputs differ"
    return f"approximate: {100 * wrong / places:.2g} % of {places:,} outputs differ"


def refusal(action: Callable[[], Any]) -> str:
    """What arlif says when it refuses."""
    try:
        action()
    except ArlifError as error:
        return f"refused: {str(error).split(': ', 1)[-1] if '.nir' in str(error) else error}"
    raise AssertionError("nothing was refused")


def nir_out(folder: Path) -> Iterator[Row]:
    """Files of ours in other libraries and in our reader."""
    path, x = folder / "out.nir", events()
    for convention in (portable, unscaled, exact):
        for name, neuron in NEURONS.items():
            net = spiking_net(neuron)
            write_nir_lif(net, path, SHAPE, convention)
            want = ours(net, x)
            door = f"`.nir`, {convention.__name__}"
            back = differing(want, ours(load_nir(path).module, x))
            yield Row(f"arlif, {door}", "arlif", name, spikes(*back))
            for library, run in LIBRARIES.items() if convention is not exact else ():
                yield Row(f"arlif, {door}", library, name, spikes(*differing(want, run(path, x))))


def nir_in(folder: Path) -> Iterator[Row]:
    """Files of other libraries in our reader."""
    path = folder / "in.nir"
    for library, write in zip(
        LIBRARIES, (from_snntorch, from_norse, from_spikingjelly), strict=True
    ):
        torch.manual_seed(0)
        x, want, dt = write(path)
        with torch.no_grad():
            got = load_nir(path, dt).module(x)
        outcome = spikes(int((want != got).sum()), want.numel())
        yield Row(f"{library}, `.nir`", "arlif", "LIF, hard reset", outcome)
    yield from nir_equations(path)
    nodes = {"input": nir.Input(np.array([3])), "lif": lif(3), "output": nir.Output(np.array([3]))}
    nir.write(path, nir.NIRGraph(nodes, [*pairwise(nodes)], type_check=False))
    yield Row("any, `.nir`", "arlif", "LIF, dt not given", refusal(lambda: load_nir(path)))
    middle = nir.CubaLI(*(np.full(3, v) for v in (1e-3, 1e-3, 1.0, 0.0)))
    nodes = {"input": nodes["input"], "li": middle, "lif": lif(3), "output": nodes["output"]}
    nir.write(path, nir.NIRGraph(nodes, [*pairwise(nodes)], type_check=False))
    refused = refusal(lambda: linearize(load_nir(path, DT).module, (3,)))
    yield Row("any, `.nir`", "arlif", "CubaLI between neurons", refused)


def nir_equations(path: Path) -> Iterator[Row]:
    """NIR's neurons against Euler steps of their equations: floats, then integers of an import."""
    rng = np.random.default_rng(0)

    def drawn(kind: type, **ranges: tuple[float, float]) -> Any:
        return kind(**{name: rng.uniform(*ends, 6) for name, ends in ranges.items()})

    leaky = {"tau": (1e-3, 3e-3), "r": (0.5, 2.0), "v_leak": (-0.3, 0.3)}
    fires = {"v_threshold": (0.5, 1.5), "v_reset": (-0.5, 0.3)}
    slow = {"tau_syn": (5e-4, 2e-3), "tau_mem": (1e-3, 3e-3), "r": (0.5, 2.0), "w_in": (1.0, 3.0)}
    cells = {
        "LIF, all constants per neuron": drawn(nir.LIF, **leaky, **fires),
        "IF": drawn(nir.IF, r=(2e3, 5e3), **fires),
        "CubaLIF, all constants per neuron": drawn(
            nir.CubaLIF, **slow, v_leak=(-0.3, 0.3), **fires
        ),
        "Threshold": drawn(nir.Threshold, threshold=(0.5, 3.0)),
    }
    x = (rng.random((300, 20, 5)) < 0.3).astype(np.float32)
    for name, cell in cells.items():
        for loop in (False, True):
            nodes = {"input": nir.Input(np.array([5])), "output": nir.Output(np.array([6]))}
            nodes |= {"w": nir.Linear(rng.normal(0, 8, (6, 5)).astype(np.float32)), "n": cell}
            edges = [("input", "w"), ("w", "n"), ("n", "output")]
            if loop:
                nodes |= {"back": nir.Linear(rng.normal(0, 3, (6, 6)).astype(np.float32))}
                edges += [("n", "back"), ("back", "n")]
            title = f"{name}, recurrent" if loop else name
            yield from euler_steps(path, nir.NIRGraph(nodes, edges, type_check=False), x, title)
    middle = nir.LI(*(np.full(6, v) for v in (2e-3, 2.0, 0.1)))
    nodes = {"input": nir.Input(np.array([5])), "w": nodes["w"], "li": middle}
    nodes |= {"h": nir.Linear(rng.normal(0, 8, (6, 6)).astype(np.float32))}
    nodes |= {"n": cells["LIF, all constants per neuron"], "output": nir.Output(np.array([6]))}
    graph = nir.NIRGraph(nodes, [*pairwise(nodes)], type_check=False)
    yield from euler_steps(path, graph, x, "LI, weights, LIF")


def euler_steps(path: Path, graph: Any, x: Any, title: str) -> Iterator[Row]:
    """What neurons n of a graph do, in floats and as integers of an import."""
    nir.write(path, graph)
    want = Euler(path, DT).run(x)[1]["n"] > 0
    network = load_nir(path, DT)
    with torch.no_grad():
        got = network.module(torch.from_numpy(x)).numpy() > 0
    yield Row("any, `.nir`", "arlif, floats", title, spikes(int((got != want).sum()), want.size))
    linear = linearize(network.module, (5,))
    source = Input((5,), 1.0, 0, 127, static=False)
    shown = typical(linear, len(x))
    made = fit(network.module, linear, source, shown, len(x), Precision(), True).network
    record = reference.simulate(made, made.input.encode(x), len(x), Record.everything(made))
    wrong = spikes(int((record.traces["n"].spikes != want).sum()), want.size)
    yield Row("any, `.nir`", "arlif, integers", title, wrong)


def modules_in() -> Iterator[Row]:
    """Trained networks of other libraries as arlif networks, in memory."""
    x = events(steps=16)
    for name, neuron in snntorch_networks.CASES.items():
        net = snntorch_networks.network(neuron)
        snntorch_networks.train(net, x)
        net.eval()
        with torch.no_grad():
            want = snntorch_networks.run(net, x)
            wrong = int((arlif.interop.snntorch.to_arlif(net)(x) != want).sum())
        yield Row("snnTorch, in memory", "arlif", name, spikes(wrong, want.numel()))
    for name, neuron in norse_networks.NEURONS.items():
        net = norse_networks.trained(neuron, x)
        with torch.no_grad():
            want = norse_networks.run(net, x)
            wrong = int((norse_networks.to_arlif(net)(x) != want).sum())
        yield Row("Norse, in memory", "arlif", name, spikes(wrong, want.numel()))
    for library, target, name, wrong, places in foreign_loops.measured():
        yield Row(f"{library}, in memory", target, name, spikes(wrong, places))
    other = nn.Sequential(nn.ReLU(), snntorch.Alpha(0.6, 0.5))
    refused = refusal(lambda: arlif.interop.snntorch.to_arlif(other))
    yield Row("snnTorch, in memory", "arlif", "ReLU, Alpha", refused)
    other = norse.torch.SequentialState(norse.torch.LIFAdExCell(), norse.torch.LIFRefracCell())
    refused = refusal(lambda: norse_networks.to_arlif(other))
    yield Row("Norse, in memory", "arlif", "LIFAdExCell, LIFRefracCell", refused)


def spikingjelly_in() -> Iterator[Row]:
    """Trained networks of SpikingJelly as arlif networks, in memory."""
    origin = "SpikingJelly, in memory"
    for name, wrong, places in spikingjelly_networks.measured(events(steps=16)):
        yield Row(origin, "arlif", name, spikes(wrong, places))
    said = refusal(lambda: spikingjelly_networks.to_arlif(spikingjelly_networks.refused()))
    yield Row(origin, "arlif", "QIFNode, MaskedPSN", said)


def files_of_integers(folder: Path) -> Iterator[Row]:
    """Quantized networks through our own lossless files, and onnxruntime."""
    net, x = spiking_net(NEURONS["AR-LIF"]), events()
    source = calibrate_input(x.numpy(), SHAPE, static=False)
    trained = quantize(linearize(net, SHAPE), source, Precision(), len(x))
    networks = {"quantized AR-LIF": trained, "quantized AR-LIF and LIF": example_network()}
    for name, network in networks.items():
        write_nir(network, folder / "n.nir")
        write_net(network, folder / "n.net")
        for door, read in (("nir", read_nir), ("net", read_net)):
            assert read(folder / f"n.{door}") == network
            outcome = "exact: equal networks, array for array"
            yield Row(f"arlif, `.{door}`", "arlif", name, outcome)
        shape = network.input.shape
        lead = (8,) if network.input.static else (network.time_steps, 8)
        raw = np.random.default_rng(0).integers(0, network.input.high, (*lead, *shape))
        write_onnx(network, folder / "n.onnx")
        want = reference.simulate(network, raw.astype(np.int8), network.time_steps)
        got = onnx_engine.simulate(folder / "n.onnx", raw.astype(np.int8), network.time_steps)
        pairs = [(want.readout, got.readout), *((c, got.counts[n]) for n, c in want.counts.items())]
        assert all(np.array_equal(a, b) for a, b in pairs)
        outcome = "exact: equal spike counts and readout"
        yield Row("arlif, `.onnx`, integers", "onnxruntime", name, outcome)


def lava_dl() -> Iterator[Row]:
    """Ground truth that lava-dl carries: stored spikes of its networks on Loihi and in SLAYER."""
    folder = lava_dl_truth.folder()
    outcome = "exact: equal to the {} that lava-dl stores"
    lava_dl_truth.check_tinynet(folder, reference)
    yield Row("lava-dl, `.net`", "arlif", "tiny.net", outcome.format("spikes"))
    lava_dl_truth.check_pilotnet_lif(folder)
    yield Row("lava-dl, `.net`", "arlif", "pilotnet_lif", outcome.format("spikes, u and v"))


def onnx_of_floats(folder: Path) -> Iterator[Row]:
    """Float graphs in onnxruntime: the last layer's spikes."""
    x = events()
    for name, neuron in NEURONS.items():
        net = spiking_net(neuron)
        write_onnx_float(net, folder / "f.onnx", SHAPE)
        session = onnxruntime.InferenceSession(folder / "f.onnx")
        with torch.no_grad():
            want = net(x).numpy()
        feed = {session.get_inputs()[0].name: x.numpy()}
        got = next(o for o in session.run(None, feed) if o.shape == want.shape)
        wrong = int((want != got).sum())
        yield Row("arlif, `.onnx`, floats", "onnxruntime", name, spikes(wrong, want.size))


def rows() -> list[Row]:
    """Everything, measured now."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [
            *files_of_integers(folder),
            *lava_dl(),
            *onnx_of_floats(folder),
            *nir_out(folder),
            *nir_in(folder),
            *modules_in(),
            *spikingjelly_in(),
        ]


def table(measured: list[Row]) -> str:
    """The rows as Markdown."""
    lines = ["| from | into | network | what survives |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(' '.join(cell.split()) for cell in row)} |" for row in measured]
    return "\n".join(lines)


def page(measured: list[Row]) -> str:
    """docs/interop.md with its table replaced."""
    return replaced(PAGE.read_text(encoding="utf-8"), BEGIN, END, table(measured))


def replaced(text: str, begin: str, end: str, part: str) -> str:
    """A page with what stands between two marks replaced."""
    head, _, rest = text.partition(begin)
    return f"{head}{begin}\n\n{part}\n\n{end}{rest.partition(end)[2]}"


BEGIN, END = "<!-- begin: measured -->", "<!-- end: measured -->"

if __name__ == "__main__":
    PAGE.write_text(page(rows()), encoding="utf-8")
