"""Networks laid out for small FPGAs: memories that become logic are the same memories."""

from dataclasses import replace

import pytest
from support.networks_integer import example_network
from support.networks_small import digits_like
from support.verilog_projects import exported, needs_icarus, simulated

from arlif.base.errors import ArlifError, NetworkError
from export.verilog.devices import CHIPS, ICE40_BLOCK, Chip
from export.verilog.for_chip import laid_out, room
from export.verilog.manifest import manifest
from export.verilog.project import memory_bits
from export.verilog.verilog_folder import write_verilog
from export.verilog.verilog_options import VerilogOptions

NAME = "ice40-hx8k"


def test_blocks_are_counted_by_width_and_depth() -> None:
    chip = Chip(100, 10, ICE40_BLOCK)
    assert [chip.needed(*size) for size in ((256, 16), (257, 16), (10, 17), (1024, 17))] == [
        1,
        2,
        2,
        5,
    ]
    assert chip.needed(1, 1) == 1


def test_as_many_lanes_as_fit_and_fewer_where_a_layer_is_not_the_slowest() -> None:
    network = digits_like(1)[0]
    plan = laid_out(network, NAME)
    assert (plan.fpga, manifest(plan).fpga) == (NAME, NAME)
    lanes = [layer.lanes for layer in plan.layers]
    rooms = [room(layer, CHIPS[NAME]) for layer in plan.layers]
    assert sum(r.blocks for r in rooms) <= CHIPS[NAME].blocks
    assert sum(r.cells for r in rooms) <= CHIPS[NAME].cells
    assert max(lanes) > min(lanes) == 1


@needs_icarus
@pytest.mark.parametrize("blocks", [22, 30])
def test_golden_vectors_pass_with_memories_in_logic(blocks: int, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(CHIPS, NAME, Chip(10**6, blocks, ICE40_BLOCK))
    write_verilog(digits_like(1)[0], tmp_path / "network.v", VerilogOptions(4, 1, NAME))
    assert 'STYLE("logic")' in (tmp_path / "network.v").read_text()
    assert bool([*tmp_path.glob("*_tail.hex")]) == (blocks == 22)
    assert "PASS: 1 vectors" in simulated(tmp_path)


def test_rows_of_weights_in_logic_are_still_counted_as_weights(monkeypatch) -> None:
    monkeypatch.setitem(CHIPS, NAME, Chip(10**6, 22, ICE40_BLOCK))
    network = digits_like(1)[0]
    split = [layer for layer in laid_out(network, NAME, 4).layers if layer.heads]
    assert split
    for layer in split:
        assert memory_bits(layer) == memory_bits(replace(layer, heads={}))


def test_what_does_not_fit_is_refused_by_layer_with_its_amounts(monkeypatch) -> None:
    network = example_network()
    monkeypatch.setitem(CHIPS, NAME, Chip(900, 32, ICE40_BLOCK))
    with pytest.raises(NetworkError, match=r"with 1 lanes .* of 900 cells .*conv \d+ blocks"):
        laid_out(network, NAME)
    monkeypatch.setitem(CHIPS, NAME, Chip(10**6, 0, ICE40_BLOCK))
    assert sum(room(layer, CHIPS[NAME]).blocks for layer in laid_out(network, NAME).layers) == 0


def test_only_small_fpgas_are_a_choice() -> None:
    with pytest.raises(ArlifError, match="--fpga is ice40-hx8k or ice40-up5k, not 'xc7a35'"):
        VerilogOptions(fpga="xc7a35")


def test_a_chip_changes_no_other_export(tmp_path) -> None:
    network = example_network()
    exported(network, tmp_path)
    assert 'STYLE("logic")' not in (tmp_path / "network.v").read_text()
