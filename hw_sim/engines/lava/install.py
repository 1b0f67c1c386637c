"""Installing Lava beside current Python and checking that it works."""

import importlib.util
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from arlif.base.errors import ArlifError, SimulationError, require
from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import IntegerNeuron
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
from arlif.core.real_neurons import RealLifSoft
from hw_sim.engines.integer.reference import simulate as simulate_reference
from hw_sim.engines.lava.hook import MENDS, mended_source
from hw_sim.engines.lava.launch import simulate
from hw_sim.engines.lava.requirements import CURE, NEEDED, PINNED, installed
from hw_sim.engines.lava.shared_memory import SHARED_MEMORY, free

SHARED_MEMORY_MIB = 64
TIME_LIMIT_S = 120.0


@dataclass(frozen=True)
class Finding:
    """One thing that Lava needs: what was found, whether it will do, and if not the cure."""

    what: str
    found: str
    ok: bool
    cure: str = ""


def install() -> None:
    """Install Lava into this Python environment with pip. Raises SimulationError."""
    pins = [f"{name}=={release}" for name, release in PINNED.items()]
    _pip("--no-deps", "--ignore-requires-python", *pins)
    missing = [name for name in NEEDED if installed(name) is None]
    if missing:
        _pip(*missing)


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "install", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    require(
        done.returncode == 0,
        f"{' '.join(command)} failed:\n{done.stderr.strip()[-1000:]}\n"
        "check the network and that this environment has pip (python -m ensurepip)",
        SimulationError,
    )


def check() -> list[Finding]:
    """Everything Lava needs, and where all of it is there, a real simulation."""
    findings = [_python(), _numpy(), *(_package(name) for name in (*PINNED, *NEEDED))]
    findings += [_mend(module) for module in MENDS]
    findings.append(_shared_memory())
    return [*findings, _simulation()] if all(f.ok for f in findings) else findings


def _finding(what: str, found: str, ok: bool, cure: str) -> Finding:
    return Finding(what, found, ok, "" if ok else cure)


def _python() -> Finding:
    found = platform.python_version()
    return _finding("python", found, sys.version_info >= (3, 11), "use Python 3.11 or later")


def _numpy() -> Finding:
    major, minor = (int(n) for n in re.findall(r"\d+", np.__version__)[:2])
    cure = "run: pip install 'numpy<2.4'"
    return _finding("numpy", np.__version__, (major, minor) < (2, 4), cure)


def _package(name: str) -> Finding:
    found, wanted = installed(name), PINNED.get(name)
    ok = found is not None and wanted in (None, found)
    return _finding(name, found or "not installed", ok, CURE)


def _mend(module: str) -> Finding:
    try:
        mended_source(module, _file(module).read_text(encoding="utf-8"))
    except (ArlifError, OSError) as error:
        return _finding(module, str(error), False, CURE)
    return _finding(module, "known text", True, "")


def _file(module: str) -> Path:
    """Where a module's source lies, without importing its packages."""
    package, *names = module.split(".")
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place, *names)
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file
    raise SimulationError(f"there is no module {module}")


def _shared_memory() -> Finding:
    found = free() // 2**20 if SHARED_MEMORY.is_dir() else 0
    cure = f"give {SHARED_MEMORY} {SHARED_MEMORY_MIB} MiB or more (docker run --shm-size)"
    return _finding("shared memory", f"{found} MiB free", found >= SHARED_MEMORY_MIB, cure)


def _simulation() -> Finding:
    network, inputs = _tiny()
    want = simulate_reference(network, inputs, network.time_steps)
    try:
        got = simulate(network, inputs, network.time_steps, time_limit_s=TIME_LIMIT_S)
    except ArlifError as error:
        return _finding("simulation", str(error), False, "report this as a bug")
    same = np.array_equal(got.readout, want.readout) and np.array_equal(
        got.counts["neurons"], want.counts["neurons"]
    )
    found = "equals the reference engine" if same else "differs from the reference engine"
    return _finding("simulation", found, same, "report this as a bug")


def _tiny() -> tuple[QuantizedNetwork, np.ndarray[tuple[int, ...], np.dtype[np.int8]]]:
    """Two neurons, of which one fires; the smallest network there is."""
    one = np.ones((2, 1), np.int8)
    neuron = IntegerNeuron.of(RealLifSoft, FixedPointFormat(), 8, {"decay": 128, "threshold": 256})
    population = Population(
        "neurons", (2,), neuron, np.array([200, 20], np.uint8), 0, np.zeros(2, np.int32)
    )
    network = QuantizedNetwork(
        Input((1,), 1.0, 0, 1),
        (population,),
        (Projection(INPUT, "neurons", (Dense(one),)), Projection("neurons", READOUT, ())),
        Readout(np.zeros(2, np.int32)),
        time_steps=4,
    )
    return network, np.ones((1, 1), np.int8)
