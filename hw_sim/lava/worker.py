"""Runs one job in a process of its own: python -m hw_sim.lava.worker FOLDER CALLER."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np

from export.lava import read_net
from hw_sim.lava.build import build
from hw_sim.lava.job import Job
from hw_sim.lava.options import Models
from hw_sim.lava.processes.synapse import Synapse


def run(folder: Path) -> None:
    """Simulate the job in `folder` on Lava; results go into its files."""
    # Not above: importing hw_sim.lava.processes has to mend Lava first.
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg

    job = Job.read(folder)
    inputs = np.load(folder / job.INPUTS, mmap_mode="r", allow_pickle=False)
    last, steps = build(read_net(folder / job.NETWORK), inputs, job, folder)
    config = Loihi2SimCfg(select_tag="fixed_pt", exception_proc_model_map=_swaps(job.models))
    # Lava's default of 64 messages per channel takes 32 times the shared memory.
    last.run(RunSteps(num_steps=steps), config, compile_config={"pypy_channel_size": 2})
    last.stop()


def _swaps(models: Models) -> dict[type, type]:
    """Process models that take the place of those that Lava would choose."""
    if models is Models.FAST:
        return {}
    from hw_sim.lava.stock import StockSynapse

    return {Synapse: StockSynapse}


def die_with(caller: int) -> None:
    """End this process group once the process that started it is gone."""
    while os.getppid() == caller:
        time.sleep(1)
    os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=die_with, args=(int(sys.argv[2]),), daemon=True).start()
    run(Path(sys.argv[1]))
