"""A simulation that fails or hangs ends with a message, in time, and leaves nothing behind."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from support.raw_neurons import lif_soft

from arlif.base.errors import SimulationError
from arlif.base.workers import ROOT
from arlif.core.formats import FixedPointFormat
from arlif.core.maps import Dense
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from hw_sim.engines.lava import requirements, simulate
from hw_sim.engines.lava.job import Job
from hw_sim.engines.lava.supervise import samples_done

SHARED_MEMORY = Path("/dev/shm")

SABOTAGE = """
import os, sys, time
from arlif.core.integer_neurons import IntegerNeuron
step, calls = IntegerNeuron.step, []
def broken(self, ops, state, x):
    calls.append(x)
    if len(calls) == 3:
        {act}
    return step(self, ops, state, x)
if "hw_sim.engines.lava.worker" in sys.orig_argv:
    IntegerNeuron.step = broken
"""


def network():
    neuron = lif_soft(FixedPointFormat(), 8, decay=128, threshold=256)
    gain, bias = np.full(2, 200, np.uint8), np.zeros(2, np.int32)
    maps = (Dense(np.ones((2, 2), int)),)
    return QuantizedNetwork(
        Input((2,), 1.0, 0, 1),
        tuple(Population(name, (2,), neuron, gain, 0, bias) for name in ("first", "second")),
        (
            Projection(INPUT, "first", maps),
            Projection("first", "second", maps),
            Projection("second", READOUT, maps),
        ),
        Readout(np.zeros(2, np.int32)),
        time_steps=8,
    )


def run(time_limit_s):
    start = time.monotonic()
    try:
        return simulate(network(), np.ones((4, 2), np.int8), 8, batch=1, time_limit_s=time_limit_s)
    finally:
        run.seconds = time.monotonic() - start


@pytest.fixture
def sabotage(tmp_path, monkeypatch):
    """Python executes sitecustomize.py when it starts: the worker's neurons misbehave."""

    def act(code):
        (tmp_path / "sitecustomize.py").write_text(SABOTAGE.format(act=code))
        monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{ROOT}")

    return act


@pytest.fixture
def nothing_left():
    before = _segments()
    yield
    assert not _of_lava(psutil.Process())
    # Another test's simulation removes a segment shortly after it lets go of it; a leak stays.
    new = _segments() - before
    assert not _wait_for(lambda: _orphans(new), lambda left: not left)


def _segments():
    """Python's own shared memory and semaphores, which Lava uses; not those of other tests."""
    names = ("psm_", "sem.mp-")
    return {path for path in SHARED_MEMORY.iterdir() if path.name.startswith(names)}


def _command(process):
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def _of_lava(process):
    """Its children, and theirs, of a simulation: not the programs that importing asks shortly."""
    return [child for child in process.children(recursive=True) if "lava" in _command(child)]


def _orphans(segments):
    """Segments that no living process maps, unlike those of simulations that still run."""
    mapped = set()
    for maps in Path("/proc").glob("[0-9]*/maps"):
        try:
            mapped.update(line.rsplit(" ", 1)[-1] for line in maps.read_text().splitlines())
        except OSError:
            continue
    return {segment for segment in segments if segment.exists() and str(segment) not in mapped}


@pytest.mark.lava
@pytest.mark.usefixtures("nothing_left")
def test_an_exception_in_a_model_names_the_layer(sabotage):
    sabotage("raise ValueError('boom')")
    with pytest.raises(SimulationError, match="failed in Lava process first") as caught:
        run(60)
    assert "ValueError: boom" in str(caught.value)


@pytest.mark.lava
@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("act", "told"),
    [("os._exit(3)", "stopped with exit code 3"), ("os.kill(os.getpid(), 9)", "killed by SIGKILL")],
)
def test_a_process_that_dies_ends_the_simulation_at_once(sabotage, act, told):
    sabotage(act)
    with pytest.raises(
        SimulationError, match=rf"Lava process (first|second): process \d+ .*{told}"
    ):
        run(60)
    assert run.seconds < 20


@pytest.mark.lava
@pytest.mark.usefixtures("nothing_left")
def test_a_killed_worker_is_told_from_a_failed_one(sabotage):
    sabotage("os.kill(os.getppid(), 9)")
    with pytest.raises(SimulationError, match="Lava was killed by SIGKILL; is memory short"):
        run(60)


@pytest.mark.lava
@pytest.mark.usefixtures("nothing_left")
def test_a_model_that_hangs_ends_at_the_time_limit(sabotage):
    sabotage("time.sleep(600)")
    with pytest.raises(SimulationError, match="longer than the limit of 5 s"):
        run(5)
    assert run.seconds < 5 + 8


@pytest.mark.lava
@pytest.mark.usefixtures("nothing_left")
def test_a_good_simulation_leaves_nothing_behind():
    assert run(60).readout.shape == (4, 2)


@pytest.mark.lava
@pytest.mark.usefixtures("nothing_left")
def test_an_interrupt_leaves_nothing_behind():
    def interrupt(done, total):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(network(), np.ones((400, 2), np.int8), 8, batch=1, progress=interrupt)


def test_a_missing_lava_comes_with_the_cure(monkeypatch):
    monkeypatch.setattr(requirements, "PINNED", {"lava-nc": "9.9.9"})
    with pytest.raises(SimulationError, match=r"needs lava-nc 9\.9\.9.*arlif lava install"):
        run(60)


def test_a_package_that_is_not_there_has_no_release():
    assert requirements.installed("no-such-package-of-arlif") is None


CALLER = """
import numpy as np
from hw_sim.engines.lava.install import _tiny
from hw_sim.engines.lava import simulate
network, inputs = _tiny()
simulate(network, inputs, network.time_steps)
"""


@pytest.mark.lava
@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("least", [1, 6], ids=["starting", "running"])
def test_a_killed_caller_takes_its_simulation_along(sabotage, least):
    sabotage("time.sleep(600)")
    caller = subprocess.Popen([sys.executable, "-c", CALLER])
    try:
        process = psutil.Process(caller.pid)
        workers = _wait_for(lambda: _of_lava(process), lambda found: len(found) >= least)
        assert len(workers) >= least
    finally:
        caller.kill()
        caller.wait()
    assert not _wait_for(lambda: [w for w in workers if w.is_running()], lambda left: not left)


def _wait_for(look, enough, seconds=30):
    deadline = time.monotonic() + seconds
    while not enough(found := look()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def test_progress_is_read_while_its_file_is_being_made(tmp_path):
    np.save(tmp_path / "whole.npy", np.array([3]))
    whole = (tmp_path / "whole.npy").read_bytes()
    assert samples_done(tmp_path) == 0
    for size in range(len(whole)):
        (tmp_path / Job.DONE).write_bytes(whole[:size])
        assert samples_done(tmp_path) == 0
    (tmp_path / Job.DONE).write_bytes(whole)
    assert samples_done(tmp_path) == 3
