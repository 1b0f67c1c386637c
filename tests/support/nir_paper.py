"""The NIR paper's three tasks, measured; writes their section of docs/interop.md when it is run.

Pedersen et al., Nature Communications 15, 8122 (2024); files and recordings from its repository.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nir
import numpy as np
import torch
from numpy.typing import NDArray

from arlif.core.network import QuantizedNetwork
from hw_sim.engines import lava
from hw_sim.engines import onnx as onnx_engine
from hw_sim.engines.floating_point import simulate_float
from hw_sim.engines.integer.fast import FastEngine
from hw_sim.engines.simulation import Record
from support.interop_page import PAGE, replaced
from support.nir_euler import Euler, Values
from support.nir_import import one_step, simulated, take
from support.other_libraries import DT, norse, quietly, stepped
from support.places import SHARED

PAPER = SHARED / "data" / "nir-paper"
LIF, CNN = PAPER / "01_lif", PAPER / "02_cnn" / "cnn_sinabs.nir"
BRAILLE = PAPER / "03_rnn" / "braille_noDelay_bias_zero.nir"
DIGITS = SHARED / "data" / "nmnist-small" / "Test"
BEGIN, END = "<!-- begin: NIR paper -->", "<!-- end: NIR paper -->"


def exact_spikes(path: Path, x: NDArray[np.float64]) -> list[int]:
    """Steps with a spike of the one LIF of a file, its equation solved within every step.

    The input is constant for a step: v(t + dt) = v e^(-dt/tau) + r W x (1 - e^(-dt/tau)).
    """
    nodes = nir.read(path, type_check=False).nodes.values()
    cell = next(node for node in nodes if isinstance(node, nir.LIF))
    weight = next(float(n.weight.item()) for n in nodes if isinstance(n, nir.Affine | nir.Linear))
    kept = float(np.exp(-DT / np.float64(cell.tau.item())))
    v, found = 0.0, []
    for step, given in enumerate(x):
        v = v * kept + float(cell.r.item()) * weight * given * (1 - kept)
        if v > cell.v_threshold.item():
            v = 0.0
            found.append(step)
    return found


def lif_rows() -> Iterator[str]:
    """Steps with a spike, of each file in each tool; then random input."""
    given = np.loadtxt(LIF / "lif_exact.csv", delimiter=",")
    x = given[:, :1, None].astype(np.float32)
    yield "| | `lif_norse.nir` | `lif_rockpool.nir` |\n|---|---|---|"
    paths = [LIF / f"{name}.nir" for name in ("lif_norse", "lif_rockpool")]
    taken = [take(path, DT, len(x)) for path in paths]

    def steps(spikes: Any) -> str:
        return ", ".join(map(str, np.flatnonzero(np.asarray(spikes).ravel()))) or "none"

    def row(title: str, cells: list[str]) -> str:
        return f"| {title} | {' | '.join(cells)} |"

    exact = [", ".join(map(str, exact_spikes(path, given[:, 0]))) for path in paths]
    yield row("exact solution of the file's equation", exact)
    yield row("Euler steps in float64", [steps(Euler(p, DT).run(x)[0]) for p in paths])
    floats = [simulate_float(t.module, torch.from_numpy(x), 1).traces for t in taken]
    yield row("arlif, floats", [steps(next(iter(f.values())).spikes) for f in floats])
    runs = [simulated(t.integers, x) for t in taken]
    yield row("arlif, integers", [steps(next(iter(r.traces.values())).spikes) for r in runs])
    assert all(equal_on_lava(t.integers, x) for t in taken)
    yield row(
        "arlif, integers on Lava", [steps(next(iter(r.traces.values())).spikes) for r in runs]
    )
    now = [_in_norse(path, x) for path in paths]
    yield row("Norse, which takes r as 1", [steps(spikes) for spikes in now])
    for title, name in RECORDED.items():
        recorded = np.loadtxt(LIF / f"lif_{name}.csv", delimiter=",")
        assert np.array_equal(recorded[:, 0], given[:, 0])
        yield row(f"{title}, recorded for the paper", [steps(recorded[:, 2]), "not recorded"])
    long = [take(path, DT, 2000) for path in paths]
    for rate in (0.2, 0.6):
        random = (np.random.default_rng(2).random((2000, 8, 1)) < rate).astype(np.float32)
        cells = []
        for path, each in zip(paths, long, strict=True):
            want = Euler(path, DT).run(random)[0] > 0
            got = next(iter(simulated(each.integers, random).traces.values())).spikes
            cells.append(
                f"{int(got.sum()):,} spikes for {int(want.sum()):,}, "
                f"{percent(np.mean(got != want))} of steps differ"
            )
        yield row(f"integers beside Euler, 2,000 steps of random input, p = {rate}", cells)


RECORDED = {
    "exact solution": "exact",
    "Norse": "norse",
    "Lava, fixed point": "lava_cpu_fixed",
    "Loihi 2": "lava_loihi_fixed",
    "SpiNNaker2": "spinnaker2",
}


def _in_norse(path: Path, x: Values) -> Any:
    graph = nir.read(path, type_check=False)
    name = next(n for n, node in graph.nodes.items() if isinstance(node, nir.LIF))
    with quietly():
        net = norse.torch.from_nir(graph, dt=DT)
    return stepped(net, torch.from_numpy(x), (name,))[name]


def equal_on_lava(network: QuantizedNetwork, x: Values) -> bool:
    """Whether Lava and ONNX spike as the integer engine does, and Lava has its states."""
    raw, record = network.input.encode(x), Record.everything(network)
    want = FastEngine(network).simulate(raw, len(x), record)
    got = lava.simulate(network, raw, len(x), record)
    graph = onnx_engine.simulate(network, raw, len(x))
    same = np.array_equal(want.readout, graph.readout) and np.array_equal(want.readout, got.readout)
    for name, trace in want.traces.items():
        same &= np.array_equal(trace.spikes, got.traces[name].spikes)
        same &= np.array_equal(want.counts[name], graph.counts[name])
        same &= all(np.array_equal(v, got.traces[name].states[n]) for n, v in trace.states.items())
    return bool(same)


def digit_frames() -> tuple[Values, NDArray[np.int64]]:
    """N-MNIST recordings as 300 frames of 1 ms, [300, N, 2, 34, 34], and their digits."""
    files = sorted(DIGITS.glob("*/*.bin"))
    x = np.zeros((300, len(files), 2, 34, 34), np.float32)
    for index, file in enumerate(files):
        b = np.frombuffer(file.read_bytes(), np.uint8).reshape(-1, 5).astype(np.int64)
        times = ((b[:, 2] & 127) << 16 | b[:, 3] << 8 | b[:, 4]) // 1000
        inside = times < len(x)
        places = (times, np.full(len(b), index), b[:, 2] >> 7, b[:, 1], b[:, 0])
        np.add.at(x, tuple(place[inside] for place in places), 1)
    return x, np.array([int(file.parent.name) for file in files])


def cnn_rows() -> Iterator[str]:
    """Accuracy of the convolutional network."""
    x, labels = digit_frames()
    taken = take(CNN, 1.0, len(x))
    real = torch.from_numpy(x)
    answers: dict[str, list[Any]] = {"floats": [], "integers": []}
    wrong: dict[str, list[float]] = {}
    for start in range(0, len(labels), 20):
        part = real[:, start : start + 20]
        want = simulate_float(taken.module, part, part.shape[1])
        got = simulated(taken.integers, part.numpy())
        answers["floats"].append(want.readout.argmax(1))
        answers["integers"].append(got.decisions)
        for name, trace in want.traces.items():
            share = np.mean(trace.spikes != got.traces[name].spikes)
            wrong.setdefault(name, []).append(float(share))
    decisions = {name: np.concatenate(parts) for name, parts in answers.items()}
    yield "| | accuracy |\n|---|---|"
    yield "| Norse, in the paper, on all 10,000 test recordings | 98.1 % |"
    for name, found in decisions.items():
        right = int((found == labels).sum())
        yield f"| arlif, {name}, on {len(labels)} of them | {right} of {len(labels)} |"
    changed = int((decisions["floats"] != decisions["integers"]).sum())
    worst = max(float(np.mean(shares)) for shares in wrong.values())
    alone = max(share for _, share in one_step(taken, x[:, :: len(labels) // 4]).values())
    yield (
        f"\nIntegers change {changed} decisions and at most {percent(worst)} of a layer's "
        f"neuron-steps, the last one's; one step after the float state, {percent(alone)}. An IF "
        "forgets nothing, so what one layer changes grows about tenfold in the next."
    )


def braille_rows() -> Iterator[str]:
    """The recurrent network on 100 random inputs."""
    rates = np.linspace(0.1, 0.9, 100)[:, None]
    x = (np.random.default_rng(1).random((256, 100, 12)) < rates).astype(np.float32)
    want, sent = Euler(BRAILLE, DT).run(x)
    taken = take(BRAILLE, DT, len(x))
    floats = simulate_float(taken.module, torch.from_numpy(x), x.shape[1])
    got = simulated(taken.integers, x)
    yield "| | hidden layer | last layer | decisions |\n|---|---|---|---|"
    layers = {"lif1_lif": "lif1.lif", "lif2": "lif2"}

    def differing(traces: Any) -> list[str]:
        shares = [np.mean(traces[a].spikes != (sent[b] > 0)) for a, b in layers.items()]
        return [f"{percent(share)} differ" for share in shares]

    def row(title: str, cells: list[str], decisions: Any) -> str:
        last = "" if decisions is None else f"{int((decisions != answers).sum())} of 100 differ"
        return f"| {title} | {' | '.join(cells)} | {last} |"

    answers = want.sum(0).argmax(1)
    yield row("fires", [percent((sent[name] > 0).mean()) for name in layers.values()], None)
    yield row("floats beside Euler in float64", differing(floats.traces), floats.readout.argmax(1))
    step = one_step(taken, x)
    cells = [f"{percent(step[name][1])} differ" for name in layers]
    yield row("integers, one step after the float state", cells, None)
    yield row("integers, whole runs", differing(got.traces), got.decisions)
    assert equal_on_lava(taken.integers, x[:, ::25])
    yield (
        "\nLava, the integer engine and ONNX give every bit alike (4 of the inputs). In a "
        "recurrent network a spike that moves by one step moves others, so whole runs may drift "
        "apart."
    )


def percent(share: float) -> str:
    """With as many digits as tell one neuron-step from none here."""
    return f"{100 * float(share):.2g} %"


def section() -> str:
    """The section of the page."""
    torch.set_num_threads(1)
    parts = []
    for title, rows in TASKS.items():
        parts += [f"### {title}", "\n".join(rows())]
    return "\n\n".join(parts)


TASKS = {
    "One LIF neuron: steps with an output spike": lif_rows,
    "A convolutional network of IF neurons on N-MNIST": cnn_rows,
    "A recurrent network of CubaLIF neurons for Braille": braille_rows,
}

if __name__ == "__main__":
    PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), BEGIN, END, section()), "utf-8")
