"""One wrong number in network.c is found by compare: the layer, the step and the neuron."""

import re
from pathlib import Path

import numpy as np
import pytest
from support.networks_integer import example_network

from arlif.core.maps import SumPool2d
from export.c import Style
from export.c.c_types import channels_last
from export.nir import write_nir
from hw_sim.engines.integer import reference
from hw_sim.engines.simulation import Record
from hw_sim.pipeline import Selection, compare_run, export_run, import_run, simulate_run

NETWORK = example_network()
RAW = np.random.default_rng(7).integers(-100, 101, (4, *NETWORK.input.shape))
OUTPUTS, PLACES = 5, 27


@pytest.fixture(params=[Style.DENSE, Style.EVENT, Style.FUSED])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A run with its network as C, simulated by the integer engine."""
    write_nir(NETWORK, tmp_path / "network.nir")
    np.save(tmp_path / "inputs.npy", (RAW[None] * NETWORK.input.scale).astype(np.float32))
    folder = tmp_path / "run"
    import_run(tmp_path / "network.nir", folder)
    export_run(folder, ("c",), {"style": request.param})
    simulate_run(folder, "integer", Selection(inputs=tmp_path / "inputs.npy"), traced=4)
    return folder


def plant(run: Path, name: str, index: int) -> None:
    """Change one number of an array in network.c by 100."""
    path = run / "c" / "network.c"
    text = path.read_text()
    found = re.search(rf"static const int8_t {name}\[\d+\] = {{([^}}]*)}};", text)
    assert found, name
    values = [int(number) for number in found[1].split(",")]
    values[index] += 100 if values[index] <= 0 else -100
    planted = f"{text[: found.start(1)]}{', '.join(map(str, values))}{text[found.end(1) :]}"
    path.write_text(planted)


def located(run: Path) -> tuple[str, int, tuple[int, ...]]:
    """The layer, the step and the neuron that compare names."""
    simulate_run(run, "c", Selection(inputs=run.parent / "inputs.npy"), traced=4)
    result = compare_run(run, got="c")
    assert (result["equal"], result["edited"]) == (False, ["c/network.c"])
    first = result["first"]
    assert f"layer {first['layer']}, step {first['step']}, neuron" in result["message"]
    return first["layer"], first["step"], tuple(first["neuron"])


def test_a_wrong_bias(run: Path) -> None:
    plant(run, "p1_bias", 3)
    assert located(run) == ("mixed", 0, (3,))


def test_a_wrong_weight(run: Path) -> None:
    """It is wrong from the step on in which its source fires for the first time, in any sample."""
    record = Record.everything(NETWORK)
    spikes = reference.simulate(NETWORK, RAW, NETWORK.time_steps, record).traces["conv"].spikes
    pooled = [SumPool2d((2, 2), (2, 2))(step.astype(np.float64)) for step in spikes]
    fires = channels_last(np.stack(pooled), (3, 3, 3)).max(1) > 0
    begins = np.where(fires.any(0), fires.argmax(0), -1)
    place, output = int(begins.argmax()), 2
    assert begins[place] > 0
    (kind,) = re.findall(r"(add|scatter|dot)1_weights\[\d+\] = ", (run / "c/network.c").read_text())
    index = output * PLACES + place if kind == "dot" else place * OUTPUTS + output
    plant(run, f"{kind}1_weights", index)
    assert located(run) == ("mixed", begins[place], (output,))
