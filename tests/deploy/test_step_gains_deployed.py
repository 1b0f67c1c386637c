"""TEBN's gains per time step in C and in logic: the reference engine's numbers, at every step."""

from pathlib import Path

import pytest
from support.c_projects import require_equal, simulated
from support.networks_small import images, net_with_gains, quantized
from support.verilog_projects import exported, needs_icarus
from support.verilog_projects import simulated as in_icarus

from arlif.core.network import QuantizedNetwork
from arlif.neurons import ARLIF, LIF
from export.c import COptions, Style
from hw_sim.engines.integer import reference
from hw_sim.engines.simulation import Record

SHAPE = (1, 8, 8)
NEURONS = {"arlif": ARLIF(0.5, 0.4), "lif-soft": LIF(0.75, 0.4), "lif-hard": LIF(0.75, 0.4, "hard")}


def network(name: str, gains: list[float]) -> QuantizedNetwork:
    """Seven time steps: those behind the last gain have the last one."""
    return quantized(net_with_gains(NEURONS[name], gains), SHAPE, time_steps=7)


@pytest.mark.parametrize(
    ("name", "style"),
    [("arlif", Style.EVENT), ("lif-soft", Style.FUSED), ("lif-hard", Style.DENSE)],
)
def test_c_has_every_number_of_the_reference(name: str, style: Style, tmp_path: Path) -> None:
    told = network(name, [0.75, 1.25, 0.5, 1.0])
    raw = told.input.encode(images(SHAPE, 3, seed=2)[0].numpy())
    require_equal(told, raw, simulated(told, raw, tmp_path, COptions(style, vectors=1)))
    record = Record(("4",))
    spikes, plain = (
        reference.simulate(n, raw, 7, record).traces["4"].spikes
        for n in (told, network(name, [1.0] * 4))
    )
    assert (spikes != plain).any(), "the gains change nothing: the comparison says nothing"


@needs_icarus
def test_logic_passes_its_vectors(tmp_path: Path) -> None:
    said = in_icarus(exported(network("arlif", [0.75, 1.25, 0.5, 1.0]), tmp_path))
    assert "PASS" in said
