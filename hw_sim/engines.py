"""Every engine behind one call: from the file it reads and real test inputs to a simulation."""

from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from arlif.core.equality import fingerprint
from arlif.training import load_trained
from export.lava import read_net
from export.nir import read_nir
from hw_sim import onnx_engine
from hw_sim.agreement import raw_inputs
from hw_sim.batches import in_batches
from hw_sim.engine.fast import FastEngine
from hw_sim.float_engine import simulate_float
from hw_sim.lava import simulate as simulate_lava
from hw_sim.options import EngineOptions
from hw_sim.simulation import Record, Simulation

Progress = Callable[[int, int], None]
Outcome = tuple[Simulation, str | None]
"""The simulation, and the fingerprint of the network that the file held, where it can be told."""


def run_float(
    path: Path,
    real: Tensor,
    time_steps: int,
    traced: int,
    options: EngineOptions,
    progress: Progress,
) -> Outcome:
    """The trained torch network."""
    module, _ = load_trained(path.parent)
    return simulate_float(module, real, traced), None


def run_integer(
    path: Path,
    real: Tensor,
    time_steps: int,
    traced: int,
    options: EngineOptions,
    progress: Progress,
) -> Outcome:
    """The fast integer engine on a native .nir file."""
    network = read_nir(path)
    engine = FastEngine(network, options.device)
    simulation = in_batches(
        lambda part, record: engine.simulate(part, time_steps, record),
        raw_inputs(network, real),
        network.input.static,
        Record.everything(network),
        traced,
        progress,
    )
    return simulation, fingerprint(network)


def run_lava(
    path: Path,
    real: Tensor,
    time_steps: int,
    traced: int,
    options: EngineOptions,
    progress: Progress,
) -> Outcome:
    """Lava's CPU simulator on a .net file; every sample is recorded where any is."""
    network = read_net(path)
    simulation = simulate_lava(
        network,
        raw_inputs(network, real),
        time_steps,
        Record.everything(network) if traced else Record(),
        time_limit_s=options.lava.time_limit_s,
        models=options.lava.models,
        workers=options.lava.workers,
        progress=progress,
    )
    return simulation, fingerprint(network)


def run_onnx(
    path: Path,
    real: Tensor,
    time_steps: int,
    traced: int,
    options: EngineOptions,
    progress: Progress,
) -> Outcome:
    """ONNX Runtime on an integer .onnx file; it outputs spikes, not states."""
    graph = onnx_engine.load(path)
    simulation = in_batches(
        lambda part, record: graph.simulate(part, time_steps, record),
        raw_inputs(graph, real),
        graph.input.static,
        Record(graph.populations),
        traced,
        progress,
    )
    return simulation, None


ENGINES: dict[str, Callable[[Path, Tensor, int, int, EngineOptions, Progress], Outcome]] = {
    "float": run_float,
    "integer": run_integer,
    "lava": run_lava,
    "onnx": run_onnx,
}
"""Every engine by name; what each one reads stands in arlif.run.ENGINE_INPUT."""
