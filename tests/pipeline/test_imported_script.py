"""A run of a network that a user's file builds: its float network is built again, or refused."""

from pathlib import Path

import numpy as np
import pytest
from support.noted import note_with_followers

from arlif.artifacts import IMPORT
from arlif.base.errors import ArlifError, SimulationError
from arlif.run_folder import Run
from hw_sim.engines.table import FLOAT
from hw_sim.engines.traces import read_traces
from hw_sim.pipeline import Selection, export_run, import_run, quantize_run, simulate_run

SCRIPT = """
import arlif, torch
from arlif import layers

def build():
    return torch.nn.Sequential(
        layers.Linear(5, 7), arlif.LIF(0.8, 1.0, "hard"), layers.Linear(7, 2)
    )

def recordings():
    generator = torch.Generator().manual_seed(0)
    return [((torch.rand(6, 5, generator=generator) < 0.5).float(), n % 2) for n in range(10)]
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(SCRIPT)
    built, shown = tmp_path / "mine.py:build", tmp_path / "mine.py:recordings"
    found = import_run(built, tmp_path / "run", 6, calibrate=shown)
    assert (found["input_shape"], found["time_steps"]) == ([5], 6)
    return tmp_path / "run"


def simulated(run: Path, engine: str = "float") -> np.ndarray:
    simulate_run(run, engine, Selection(inputs=run.parent / "mine.py:recordings"))
    if engine != "float":
        return np.zeros(0)
    return read_traces(Run(run).path(FLOAT.traces)).readout


def test_its_weights_are_those_of_the_import(run: Path) -> None:
    """The file draws new ones whenever it is run."""
    first = simulated(run)
    np.testing.assert_array_equal(simulated(run), first)
    assert quantize_run(run)["float_accuracy"] == quantize_run(run)["float_accuracy"]
    script = run.parent / "mine.py"
    script.write_text(f"# a remark\n{SCRIPT}")
    np.testing.assert_array_equal(simulated(run), first)


NEURON = """
from arlif import Neuron, NeuronLayer, constant

class Twofold(Neuron):
    state = ("u", "slow")
    decay: float = constant(0.5, low=0, high=1)

    def step(self, ops, state, x):
        slow = ops.saturate(ops.multiply(state.slow, 0.75) + x)
        h = ops.saturate(ops.multiply(state.u, self.decay) + slow)
        s = ops.fire(h, 1.0)
        return s, (ops.select(s, 0, h), slow)
"""


def test_a_neuron_in_the_file_may_return_its_state_as_a_tuple(tmp_path: Path) -> None:
    """As docs/neurons.md writes one; it reads its state by name at every step."""
    layer = "layers.Linear(5, 7), NeuronLayer(Twofold()),"
    script = SCRIPT.replace('layers.Linear(5, 7), arlif.LIF(0.8, 1.0, "hard"),', layer)
    (tmp_path / "mine.py").write_text(NEURON + script)
    shown = tmp_path / "mine.py:recordings"
    found = import_run(tmp_path / "mine.py:build", tmp_path / "run", 6, calibrate=shown)
    assert 0.01 < found["layers"]["1"]["rate"] < 1
    assert found["layers"]["1"]["changed"] < 0.05
    simulated(tmp_path / "run", "integer")


@pytest.mark.parametrize(
    ("ends", "time_steps", "warned"),
    [
        ("layers.Integrator(0.9)", 6, True),
        ("layers.Integrator(0.5, current_decay=0.8)", 6, True),
        ("layers.Integrator(0.9)", 101, False),
        ("layers.Integrator(0.9), layers.Last()", 6, False),
        ("layers.Integrator(1.0)", 6, False),
        ("arlif.LIF()", 6, False),
    ],
)
def test_a_mean_of_slow_potentials_is_warned_of(
    tmp_path: Path, ends: str, time_steps: int, warned: bool
) -> None:
    (tmp_path / "mine.py").write_text(SCRIPT.replace("Linear(7, 2)", f"Linear(7, 2), {ends}"))
    np.save(tmp_path / "x.npy", np.ones((time_steps, 3, 5)))
    built = tmp_path / "mine.py:build"
    found = import_run(built, tmp_path / "run", time_steps, calibrate=tmp_path / "x.npy")
    said = [line for line in found["warnings"] if "the answer is the mean of potentials" in line]
    assert len(said) == warned


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("LIF(0.8", "LIF(0.7", "builds another network than .* was imported from; take back"),
        ("LIF(0.8, 1.0, 'hard')", "ARLIF()", "or import it into .*run again"),
        ("(5, 7)", "(5, 8)", "builds another network than"),
        ("def build", "def built", "has no function 'build'"),
    ],
)
def test_a_file_that_builds_another_network_is_refused(
    run: Path, old: str, new: str, complaint: str
) -> None:
    text = SCRIPT.replace('"', "'")
    assert old in text
    (run.parent / "mine.py").write_text(text.replace(old, new))
    with pytest.raises(ArlifError, match=complaint):
        simulated(run)
    simulated(run, "integer")


def test_a_file_that_is_gone_is_named(run: Path) -> None:
    script = run.parent / "mine.py"
    script.rename(run.parent / "other.py")
    with pytest.raises(ArlifError, match=r"mine.py:build, which is gone; bring it back"):
        quantize_run(run)


def test_a_damaged_record_is_one_line(run: Path) -> None:
    Run(run).path(IMPORT).write_text("[]")
    note_with_followers(run, IMPORT.name)
    with pytest.raises(ArlifError, match=r"import.json holds no JSON object; write it again"):
        simulated(run)
    Run(run).path(IMPORT).write_text('{"file": 5}')
    note_with_followers(run, IMPORT.name)
    with pytest.raises(ArlifError, match=r"import.json: "):
        simulated(run)


def test_a_library_that_cannot_run_the_file_says_what_to_do(run: Path) -> None:
    pytest.importorskip("snntorch")
    pytest.importorskip("nirtorch")
    (run.parent / "mine.py").write_text(SCRIPT.replace("LIF(0.8", "LIF(1.0"))
    built, shown = run.parent / "mine.py:build", run.parent / "mine.py:recordings"
    import_run(built, run.parent / "kept", 6, calibrate=shown)
    quantize_run(run.parent / "kept")
    export_run(run.parent / "kept")
    with pytest.raises(SimulationError, match=r"snntorch cannot run .*; give .* a decay below 1"):
        simulate_run(run.parent / "kept", "snntorch", Selection(inputs=shown))
