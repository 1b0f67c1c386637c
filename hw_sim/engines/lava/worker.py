"""Runs one job in a process of its own: python -m hw_sim.engines.lava.worker FOLDER CALLER."""

import os
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

from arlif.base.workers import end_with
from export.lava import read_net
from hw_sim.engines.lava.deaths import dead_child, how_it_ended
from hw_sim.engines.lava.job import FAILURE, Job
from hw_sim.engines.lava.lava_options import Models
from hw_sim.engines.lava.processes.ends import Integrator, IntegratorModel, Source, SourceModel
from hw_sim.engines.lava.processes.or_of_spikes import Or, OrModel
from hw_sim.engines.lava.processes.population import Population, PopulationFixed
from hw_sim.engines.lava.processes.synapse import MatrixSynapse, Synapse
from hw_sim.engines.lava.shared_memory import SLOTS
from hw_sim.engines.lava.wiring import build

POLL_S = 0.25


def run(folder: Path) -> None:
    """Simulate the job in `folder` on Lava; results go into its files."""
    job = Job.read(folder)
    inputs = np.load(folder / job.INPUTS, mmap_mode="r", allow_pickle=False)
    processes, steps = build(read_net(folder / job.NETWORK), inputs, job, folder)
    to_the_end(processes, _models(job.models), steps, "fixed_pt")


def to_the_end(processes: list[Any], models: dict[type, type], steps: int, tag: str) -> None:
    """Run connected processes, of which each is of a class that `models` has, for some steps."""
    # Not above: importing hw_sim.engines.lava.processes has to mend Lava first.
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg

    last = processes[-1]
    # Where it is not told, Lava executes every file beside a process's own, for each process.
    chosen = {process: models[type(process)] for process in processes}
    config = Loihi2SimCfg(select_tag=tag, exception_proc_model_map=chosen)
    finished = threading.Event()
    threading.Thread(target=end_with_the_first, args=(last, finished), daemon=True).start()
    last.run(RunSteps(num_steps=steps), config, compile_config={"pypy_channel_size": SLOTS})
    finished.set()
    last.stop()


def _models(models: Models) -> dict[type, type]:
    """By process, what runs it; synapses are of Lava's own processes where these are asked for."""
    ours: dict[type, type] = {
        Source: SourceModel,
        Population: PopulationFixed,
        Or: OrModel,
        Synapse: MatrixSynapse,
        Integrator: IntegratorModel,
    }
    if models is Models.FAST:
        return ours
    from hw_sim.engines.lava.stock import StockSynapse

    return {**ours, Synapse: StockSynapse}


def end_with_the_first(last: Any, finished: threading.Event) -> None:
    """End this process, with the reason in its log, once a process of the simulation has died."""
    while not finished.wait(POLL_S):
        dead = dead_child()
        if dead is not None:
            pid, code = dead
            name = _names(last.runtime).get(pid, "(Lava's own)")
            sys.stderr.write(f"{FAILURE}{name}: process {pid} {how_it_ended(code)}\n")
            sys.stderr.flush()
            os._exit(1)


def _names(runtime: Any) -> dict[int, str]:
    """The names of Lava's processes by process id."""
    actors = runtime._messaging_infrastructure.actors
    processes = runtime._executable.proc_builders
    return {actor.pid: process.name for process, actor in zip(processes, actors, strict=False)}


if __name__ == "__main__":
    end_with(int(sys.argv[2]))
    run(Path(sys.argv[1]))
