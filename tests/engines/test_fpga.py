"""Resources of FPGAs: what yosys and nextpnr say is counted right, and what lacks is named."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from support.networks_integer import example_network
from support.verilog_projects import exported

from arlif.base.errors import ArlifError, SimulationError
from hw_sim.engines.deployed.fpga import Fit, clock_of, counted, fitted, logic_cells, used
from hw_sim.engines.deployed.fpga_devices import DEVICES, ECP5, ICE40_HX, XC7

OLD = """
=== top ===

   Number of wires:                 12
   Number of cells:                 20
     SB_CARRY                        3
     SB_DFF                          4
     SB_DFFSR                        5
     SB_LUT4                         7
     SB_RAM40_4K                     1
"""
NEW = """
=== top ===

       12 wires
       20 cells
        3   SB_CARRY
        4   SB_DFF
        5   SB_DFFSR
        7   SB_LUT4
        1   SB_RAM40_4K
"""


@pytest.mark.parametrize("text", [OLD, NEW], ids=["yosys 0.23", "later ones"])
def test_cells_are_counted_in_both_orders(text: str) -> None:
    found = used(ICE40_HX, counted(text))
    assert found == {"LUT": 7, "FF": 9, "BRAM": 1, "DSP": 0}


def test_cells_of_every_family_count() -> None:
    text = (
        "   RAMB36E1   3\n   RAMB18E1   2\n   LUT6   5\n   LUT2   1\n   FDRE   4\n   RAM64M   2\n"
    )
    assert used(XC7, counted(text)) == {"LUT": 14, "FF": 4, "BRAM": 8, "DSP": 0}
    text = "   LUT4   5\n   CCU2C   2\n   TRELLIS_FF   6\n   DP16KD   1\n   MULT18X18D   2\n"
    assert used(ECP5, counted(text)) == {"LUT": 9, "FF": 6, "BRAM": 1, "DSP": 2}


def test_a_flip_flop_shares_the_cell_of_a_lut_that_only_it_reads() -> None:
    def cell(kind: str, given: list[int], out: int) -> dict[str, Any]:
        names = ["D"] if kind == "SB_DFF" else [f"I{n}" for n in range(len(given))]
        made = "Q" if kind == "SB_DFF" else "O"
        ways = dict.fromkeys(names, "input") | {made: "output"}
        wires = {name: [bit] for name, bit in zip(names, given, strict=True)} | {made: [out]}
        return {"type": kind, "port_directions": ways, "connections": wires}

    cells = {
        "and": cell("SB_LUT4", [1, 2], 3),
        "behind it": cell("SB_DFF", [3], 4),
        "shared": cell("SB_LUT4", [4, 2], 5),
        "beside another reader": cell("SB_DFF", [5], 6),
        "behind nothing": cell("SB_DFF", [6], 7),
    }
    ports = {"q": {"direction": "output", "bits": [5, 7]}}
    assert logic_cells({"modules": {"top": {"cells": cells, "ports": ports}}}) == 4


def test_what_lacks_is_named_with_its_amount() -> None:
    fit = Fit("ice40-hx8k", {"LUT": 7681, "FF": 10, "BRAM": 40, "DSP": 0}, (90.0, 70.0, 80.0))
    assert fit.lacks == {"LUT": 1, "BRAM": 8}
    assert fit.clock == 80.0
    assert Fit("ice40-hx8k", {"LUT": 1}, ()).clock is None


def test_the_slowest_clock_counts() -> None:
    assert clock_of('{"fmax": {"clk": {"achieved": 81.5, "constraint": 100.0}}}') == 81.5
    assert clock_of('{"a": {"achieved": 90}, "b": {"achieved": 70.25}}') == 70.25
    with pytest.raises(SimulationError, match="no clock"):
        clock_of("{}")


def test_devices_name_all_resources_and_unknown_ones_are_refused(tmp_path: Path) -> None:
    for device in DEVICES.values():
        assert device.has.keys() == {*device.family.cells, *(["LC"] * device.family.joined)}
    with pytest.raises(ArlifError, match="no FPGA is called 'hx1k'; there are ice40-hx8k"):
        fitted(tmp_path / "network.v", "hx1k")


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("yosys") is None, reason="there is no yosys (apt-get install yosys)"
)
@pytest.mark.parametrize("target", ["ice40-hx8k", "ecp5-25", "xc7a35"])
def test_a_network_is_synthesized(target: str, tmp_path: Path) -> None:
    fit = fitted(exported(example_network(), tmp_path, lanes=1) / "network.v", target)
    assert not fit.lacks
    assert fit.used["LUT"] > 100
    assert fit.used["FF"] > 100
    assert fit.used.get("LC", 10_000) > max(fit.used["LUT"], fit.used["FF"])
