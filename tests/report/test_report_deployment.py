"""The report's section on deployment: what is proven, and what was measured beside LIF."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.command_line import Cli
from support.networks_integer import example_network
from support.networks_small import digits_like

from arlif.artifacts import RESOURCES
from arlif.core.execution import run_steps
from arlif.core.ops import IntegerOps
from arlif.core.proven_ranges import population_ranges
from arlif.core.real_neurons import RealLifSoft
from arlif.run_folder import Run
from export.file_formats import VERILOG, C
from export.nir import write_nir
from export.verilog.manifest import read_manifest
from export.verilog.verilog_folder import write_verilog
from export.verilog.verilog_options import VerilogOptions
from hw_sim.comparison.lif_twin import lif_twin
from hw_sim.engines.deployed.toolchain import ELF_READER, UNICORN, YOSYS, ZIG
from hw_sim.pipeline.resources import written_alike
from hw_sim.report import write_report

TARGET = "stm32f411re"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of integers alone, of two AR-LIF layers."""
    write_nir(digits_like(1)[0], tmp_path / "run" / "network.nir")
    return tmp_path / "run"


def test_ranges_are_shown_whatever_was_done(run: Path) -> None:
    network, inputs = digits_like(8)
    content = write_report(Run(run))
    page = (run / "report.html").read_text()
    rows = {row["population"]: row for row in content["deployment"]["populations"]}
    assert [*rows] == [p.name for p in network.populations]
    for step in run_steps(network, inputs, network.time_steps):
        for name, moment in step.moments.items():
            row = rows[name]
            found = {"accumulator": moment.accumulator, "current": moment.current}
            shown = {key: row[key] for key in found} | row["states"]
            for key, values in (found | moment.state._asdict()).items():
                low, high = shown[key]["range"]
                assert low <= values.min() <= values.max() <= high
                assert -(1 << (shown[key]["bits"] - 1)) <= low
                assert high < 1 << (shown[key]["bits"] - 1)
            for key, state in row["states"].items():
                ends = f"[{state['range'][0]}, {state['range'][1]}]"
                assert f"{key} in {ends}: {state['bits']} of 16 bits" in page
    assert content["deployment"]["c"] is None
    assert "saturation impossible" in page
    assert "arlif resources" in page


class Watching(IntegerOps):
    """Notes whether anything was saturated."""

    saturated = False

    def saturate(self, value: Any) -> Any:
        found = super().saturate(value)
        self.saturated |= bool((found != value).any())
        return found


@pytest.mark.parametrize("louder", [1, 80])
def test_what_is_called_impossible_never_happens(louder: int) -> None:
    network, inputs = digits_like(4)
    first = network.populations[0]
    shift = first.gain_shift if louder == 1 else 0
    loud = replace(first, gain=np.minimum(first.gain.astype(int) * louder, 255), gain_shift=shift)
    network = replace(network, populations=(loud, *network.populations[1:]))
    said, happened = {}, {}
    steps = [*run_steps(network, inputs, network.time_steps)]
    for population in network.populations:
        name, neuron = population.name, population.neuron
        said[name] = population_ranges(network, name).neuron.saturates(neuron)
        ops = Watching(neuron.state_format, neuron.factor_bits)
        state = neuron.initial_state(np.zeros_like(steps[0].moments[name].current))
        for step in steps:
            _, state = neuron.step(ops, state, step.moments[name].current)
        happened[name] = ops.saturated
    assert all(said[name] for name in happened if happened[name])
    assert said[first.name] == happened[first.name] == (louder > 1)


def test_the_twin_keeps_all_but_the_neurons() -> None:
    network = example_network()
    twin = lif_twin(network)
    assert twin is not None
    assert all(p.neuron.is_a(RealLifSoft) for p in twin.populations)
    assert lif_twin(twin) is None
    assert twin.projections == network.projections
    for ours, theirs in zip(network.populations, twin.populations, strict=True):
        assert ours.neuron.constants["decay"] == theirs.neuron.constants["decay"]
        np.testing.assert_array_equal(ours.gain, theirs.gain)


@pytest.mark.skipif(
    not all(tool.command() for tool in (ZIG, UNICORN, ELF_READER)),
    reason="ziglang, unicorn or pyelftools is not installed",
)
def test_what_was_measured_stands_beside_lif(run: Path, cli: Cli) -> None:
    assert cli("export", run, "--c", "--vectors", "1")[0] == 0
    assert cli("resources", run, "--target", TARGET, "--lif")[0] == 0
    assert cli("resources", run, "--target", "nrf51822")[0] in (0, 1)
    assert cli("report", run)[0] == 0
    found = json.loads((run / "report.json").read_text())["deployment"]
    rows = {(row["target"], row["neurons"]): row for row in found["microcontrollers"]}
    assert [*rows] == [(TARGET, "Arlif"), (TARGET, "LifSoft"), ("nrf51822", "Arlif")]
    ours, lif = rows[TARGET, "Arlif"], rows[TARGET, "LifSoft"]
    assert lif["used"]["flash"] < ours["used"]["flash"]
    assert lif["instructions"]["mean"] < ours["instructions"]["mean"]
    assert found["c"]["memory_bytes"] == sum(ours["memory"].values())
    page = (run / "report.html").read_text()
    for name in found["c"]["memory"]:
        assert f"<td>{name}</td>" in page
    assert re.search(rf"<td>{TARGET}</td><td class=\"text\">LifSoft</td>", page)
    assert cli("export", run, "--c", "--vectors", "2")[0] == 0
    assert cli("report", run)[0] == 0
    again = json.loads((run / "report.json").read_text())["deployment"]
    assert len(again["microcontrollers"]) == 3  # network.c came out the same
    assert cli("export", run, "--c", "--prefix", "other")[0] == 0
    assert cli("report", run)[0] == 0
    assert not json.loads((run / "report.json").read_text())["deployment"]["microcontrollers"]


@pytest.mark.parametrize(
    "options", [VerilogOptions(2, 1), VerilogOptions(0, 1, "ice40-hx8k")], ids=["lanes", "chip"]
)
def test_the_twin_is_laid_out_as_what_it_stands_beside(options, tmp_path: Path) -> None:
    network, path = example_network(), tmp_path / VERILOG.name
    twin = lif_twin(network)
    assert twin is not None
    write_verilog(network, path, options)
    ours, lif = (
        read_manifest(p.parent / "network.json")
        for p in (path, written_alike(twin, VERILOG, path, tmp_path / "lif"))
    )
    assert (lif.lanes, lif.fpga) == (ours.lanes, ours.fpga) == (options.lanes or 3, options.fpga)
    assert lif.network != ours.network


@pytest.mark.slow
@pytest.mark.skipif(not YOSYS.command(), reason="yosys is not installed")
def test_hardware_stands_beside_lif_at_the_same_lanes(run: Path, cli: Cli) -> None:
    write_nir(example_network(), run / "network.nir")
    assert cli("export", run, "--verilog", "--lanes", "2")[0] == 0
    assert json.loads((run / "verilog" / "network.json").read_text())["lanes"] == 2
    assert cli("resources", run, "--lif")[0] in (0, 1)
    content = write_report(Run(run))
    ours, lif = content["deployment"]["fpgas"]
    assert (ours["neurons"], lif["neurons"]) == ("Arlif, LifSoft", "LifSoft")
    assert lif["used"]["LUT"] < ours["used"]["LUT"]
    assert "LUT" in (run / "report.html").read_text()


def test_a_damaged_file_is_named(run: Path, cli: Cli) -> None:
    assert cli("export", run, "--c", "--vectors", "1")[0] == 0
    made_from = Run(run).digest(C)

    def reported(content: str, noted: bool) -> tuple[int, str]:
        (run / "resources.json").write_text(content)
        if noted:
            Run(run).record(RESOURCES)
        code, _, err = cli("report", run)
        return code, err

    wrong = json.dumps({"targets": [{"made_from": made_from, "target": 5}]})
    for content in ("[]", "{", wrong):
        code, err = reported(content, noted=True)
        assert (code, err.count("\n"), "resources.json" in err) == (2, 1, True), content
    assert reported('{"targets": []}', noted=True)[0] == 0
    code, err = reported(wrong, noted=False)
    assert (code, "resources.json" in err) == (2, True)
    assert reported(json.dumps({"targets": [{"made_from": "of another"}]}), noted=True)[0] == 0
