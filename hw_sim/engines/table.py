"""Every engine behind one call: from the file it reads and real test inputs to a simulation."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from arlif.core.equality import fingerprint
from arlif.run_folder import Engine
from arlif.training import load_trained
from export.lava import read_net
from export.nir import read_nir
from hw_sim.engines import onnx as onnx_engine
from hw_sim.engines.floating_point import simulate_float
from hw_sim.engines.in_batches import in_batches
from hw_sim.engines.integer.fast import FastEngine
from hw_sim.engines.lava import simulate as simulate_lava
from hw_sim.engines.options import EngineOptions
from hw_sim.engines.simulation import Record, Simulation, raw_inputs

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Outcome:
    """What an engine answers.

    network: the fingerprint of what the file held, where it can be told. clipped: the share of
    input values beyond the range of the network's input; 0 where the engine takes real numbers.
    """

    simulation: Simulation
    network: str | None = None
    clipped: float = 0.0


@dataclass(frozen=True)
class Work:
    """What an engine is asked for.

    path: the file to read. real: test inputs, time first. traced: how many of the first samples to
    record. progress: called with (samples done, samples).
    """

    path: Path
    real: Tensor
    time_steps: int
    traced: int
    options: EngineOptions
    progress: Progress


def run_float(work: Work) -> Outcome:
    """The trained torch network."""
    module, _ = load_trained(work.path.parent)
    return Outcome(simulate_float(module, work.real, work.traced))


def run_integer(work: Work) -> Outcome:
    """The fast integer engine on a native .nir file."""
    network = read_nir(work.path)
    engine = FastEngine(network, work.options.device)
    simulation = in_batches(
        lambda part, record: engine.simulate(part, work.time_steps, record),
        raw_inputs(network, work.real),
        network.input.static,
        Record.everything(network),
        work.traced,
        work.progress,
    )
    return Outcome(simulation, fingerprint(network), network.input.clipped(work.real))


def run_lava(work: Work) -> Outcome:
    """Lava's CPU simulator on a .net file; every sample is recorded where any is."""
    network = read_net(work.path)
    simulation = simulate_lava(
        network,
        raw_inputs(network, work.real),
        work.time_steps,
        Record.everything(network) if work.traced else Record(),
        time_limit_s=work.options.lava.time_limit_s,
        models=work.options.lava.models,
        workers=work.options.lava.workers,
        progress=work.progress,
    )
    return Outcome(simulation, fingerprint(network), network.input.clipped(work.real))


def run_onnx(work: Work) -> Outcome:
    """ONNX Runtime on an integer .onnx file; it outputs spikes, not states."""
    graph = onnx_engine.load(work.path)
    simulation = in_batches(
        lambda part, record: graph.simulate(part, work.time_steps, record),
        raw_inputs(graph, work.real),
        graph.input.static,
        Record(graph.populations),
        work.traced,
        work.progress,
    )
    return Outcome(simulation, clipped=graph.input.clipped(work.real))


ENGINES: dict[Engine, Callable[[Work], Outcome]] = {
    Engine.FLOAT: run_float,
    Engine.INTEGER: run_integer,
    Engine.LAVA: run_lava,
    Engine.ONNX: run_onnx,
}
