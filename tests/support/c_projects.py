"""Exported C under strict compilers and sanitizers, held to the reference engine."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arlif.core.network import QuantizedNetwork
from export.c import write_c
from export.c.c_options import COptions
from hw_sim.engines.deployed.c_engine import build
from hw_sim.engines.deployed.host_options import HostOptions
from hw_sim.engines.integer import reference
from hw_sim.engines.simulation import Record, Simulation

CHECKED = HostOptions(sanitize=True)
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
COMPILERS = [
    pytest.param(
        name, marks=pytest.mark.skipif(not shutil.which(name), reason=f"{name} is not installed")
    )
    for name in ("gcc", "clang")
]


def require_clean(project: Path, compiler: str) -> None:
    """Fail where a compiler has anything to say of network.c or selftest.c."""
    for extra in (["network.c"], ["network.c", "selftest.c", "-DARLIF_RECORD=selftest_record"]):
        done = subprocess.run(
            [compiler, *STRICT, "-fsyntax-only", *extra],
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def simulated(
    network: QuantizedNetwork,
    inputs: Any,
    folder: Path,
    options: COptions = COptions(),
    host: HostOptions = CHECKED,
) -> Simulation:
    """What the exported program does."""
    write_c(network, folder / "c" / "network.c", options)
    (folder / "build").mkdir(exist_ok=True)
    program = build(folder / "c" / "network.c", folder / "build", host)
    return program.simulate(inputs, network.time_steps, Record.everything(network))


def require_equal(network: QuantizedNetwork, inputs: Any, got: Simulation) -> None:
    """Fail unless every logit, count, spike and state is the reference's."""
    record = Record.everything(network)
    want = reference.simulate(network, inputs, network.time_steps, record)
    np.testing.assert_array_equal(got.readout, want.readout)
    for name, trace in want.traces.items():
        np.testing.assert_array_equal(got.counts[name], want.counts[name])
        np.testing.assert_array_equal(got.traces[name].spikes, trace.spikes)
        assert got.traces[name].states.keys() == trace.states.keys()
        for state, values in trace.states.items():
            np.testing.assert_array_equal(got.traces[name].states[state], values)
