"""Networks without populations, or that answer with potentials, through the verbs of a run."""

import json
from pathlib import Path

import numpy as np
import pytest
from support.command_line import Cli
from support.raw_neurons import lif_soft
from support.small_runs import save

from arlif.core.formats import FixedPointFormat
from arlif.core.maps import Dense
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    OverTime,
    Population,
    Projection,
    QuantizedNetwork,
    Reading,
    Readout,
)
from export.nir import write_nir
from hw_sim.engines.traces import read_traces

STATE = FixedPointFormat(16, 8)
WEIGHT = Dense(np.array([[100, -30, 7], [-127, 127, 0]]))


def without_populations() -> QuantizedNetwork:
    """A readout of the input alone: nothing that could be recorded."""
    source, readout = Input((3,), 1.0, -1, 1), Readout(np.array([5, -5]))
    return QuantizedNetwork(source, (), (Projection(INPUT, READOUT, (WEIGHT,)),), readout, 3)


def read_by_its_largest() -> QuantizedNetwork:
    """A readout at which nothing arrives, and which compares at every step."""
    neuron = lif_soft(STATE, 8, 128, 300)
    population = Population("p", (2,), neuron, np.full(2, 200), 4, np.zeros(2))
    readout = Readout(np.array([5, -5]), 1.0, Reading("p", "u", OverTime.LARGEST))
    source, into = Input((3,), 1.0, -1, 1, static=False), Projection(INPUT, "p", (WEIGHT,))
    return QuantizedNetwork(source, (population,), (into,), readout, 3)


@pytest.mark.parametrize("network", [without_populations(), read_by_its_largest()])
def test_every_verb_takes_it(network: QuantizedNetwork, tmp_path: Path, cli: Cli) -> None:
    run, steps = tmp_path / "run", 1 if network.input.static else 3
    values = np.random.default_rng(0).integers(-1, 2, (steps, 5, 3)).astype(np.float32)
    given = ("--inputs", save(tmp_path / "x.npy", values))
    write_nir(network, tmp_path / "network.nir")
    for verb in (
        ("import", tmp_path / "network.nir", run),
        ("export", run),
        ("simulate", run, *given),
        ("simulate", run, *given, "--engine", "onnx"),
    ):
        assert cli(*verb)[0] == 0
    code, out, _ = cli("compare", run, "--got", "onnx", "--json")
    compared = json.loads(out)
    assert (code, compared["equal"], compared["readouts_compared"]) == (0, True, 10)
    for verb in ("energy", "map", "report"):
        assert cli(verb, run)[0] == 0
    billed = json.loads((run / "energy.json").read_text())
    assert {layer["layer"] for layer in billed["layers"]} == {
        *(p.name for p in network.populations),
        READOUT,
    }
    assert cli("verify", run, *given, "--engine", "onnx")[0] == 0


SCRIPT = """import torch, arlif
from arlif import layers

def build():
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        layers.Linear(8, 9), arlif.LIF(0.5, 0.3), layers.Linear(9, 4), layers.Integrator(0.9), END
    )
    return net.eval()
"""


@pytest.mark.parametrize("end", ["Last", "Largest"])
def test_answers_that_are_potentials_go_through_every_verb(end: str, tmp_path: Path, cli: Cli):
    """Integrators fire on no engine, and are no layer of the float network."""
    script, inputs, run = tmp_path / "net.py", tmp_path / "x.npy", tmp_path / "run"
    script.write_text(SCRIPT.replace("END", f"layers.{end}()"))
    save(inputs, np.random.default_rng(0).random((6, 10, 8), np.float32))
    calibrated = ("--time-steps", "6", "--calibrate", inputs)
    assert cli("import", f"{script}:build", run, *calibrated)[0] == 0
    code, out, err = cli(
        *("verify", run, "--inputs", inputs, "--engine", "float", "--engine", "onnx", "--json")
    )
    assert (code, err) == (0, "")
    rows = {row["engine"]: row for row in json.loads(out)["engines"]}
    layers = read_traces(run / "traces/integer.h5").traces.keys()
    assert read_traces(run / "traces/float.h5").traces.keys() < layers
    assert rows["onnx"]["outcome"] == "equal"
    assert rows["float"]["compared"]["decisions_different"] <= 1
    found = json.loads(out)["verdict"]["energy_uj"]
    assert min(found.values()) > 0
    assert cli("compare", run, "--want", "float", "--got", "integer")[0] == 0
    assert cli("report", run)[0] == 0
