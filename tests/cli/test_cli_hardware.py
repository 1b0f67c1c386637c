"""arlif export --verilog, simulate --engine verilog and prove, as users call them."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.command_line import Cli
from support.pages import DOCS
from support.small_runs import refused, save
from support.verilog_projects import needs_icarus, needs_verilator, simulated

needs_proof = pytest.mark.skipif(
    shutil.which("yosys") is None, reason="there is no yosys (apt-get install yosys)"
)


@pytest.fixture
def hardware(exported: Path, tmp_path: Path, cli: Cli) -> Path:
    """A small run, exported to Verilog with two lanes."""
    run = tmp_path / "hardware"
    shutil.copytree(exported, run)
    code, out, _ = cli("export", run, "--verilog", "--lanes", "2", "--vectors", "3")
    assert code == 0
    assert f"wrote {run / 'verilog' / 'network.v'}" in out.replace("\n", "")
    return run


@needs_icarus
def test_the_exported_folder_checks_itself(hardware: Path):
    assert "PASS: 3 vectors" in simulated(hardware / "verilog")


def test_tools_that_are_missing_are_named(hardware: Path, cli: Cli, monkeypatch):
    monkeypatch.setenv("PATH", "")
    err = refused(cli, "simulate", hardware, "--engine", "verilog", "--samples", "2")
    assert "there is no Verilator; install it with: apt-get install verilator" in err
    err = refused(cli, "prove", hardware)
    assert "there is no yosys; install it with: pip install 'arlif[fpga]', or apt-get" in err


def test_verilog_that_was_not_exported_or_is_damaged_is_refused(
    exported: Path, hardware: Path, cli: Cli
):
    err = refused(cli, "simulate", exported, "--engine", "verilog")
    assert "has no verilog/network.v; write it with: arlif export" in err
    (hardware / "verilog" / "network.json").write_text("{}")
    err = refused(cli, "simulate", hardware, "--engine", "verilog")
    assert "network.json was damaged or changed after it was written, and only sources" in err
    assert "--lanes needs --verilog" in refused(cli, "export", exported, "--lanes", "2")


@needs_proof
def test_a_run_is_proven(exported: Path, cli: Cli):
    pytest.importorskip("bitwuzla", reason="there is no Bitwuzla (pip install bitwuzla)")
    code, out, _ = cli("prove", exported, "--cells", "1", "--json")
    assert code == 0
    result = json.loads(out)
    assert result["proven"]
    assert {row["cells_asked"] for row in result["populations"]} == {1}


@pytest.mark.slow
@needs_verilator
@needs_proof
def test_the_page_runs_line_by_line(exported: Path, tmp_path: Path, cli: Cli):
    pytest.importorskip("bitwuzla", reason="there is no Bitwuzla (pip install bitwuzla)")
    run = tmp_path / "RUN"
    shutil.copytree(exported, run)
    page = (DOCS / "verilog.md").read_text("utf-8")
    block, *_ = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    lines = [line.split() for line in block.splitlines()]
    assert {words[1] for words in lines} == {"export", "simulate", "compare", "prove", "resources"}
    for _, verb, _, *words in lines:
        assert cli(verb, run, *(word for word in words if word != "--place"))[0] == 0


@pytest.mark.slow
@needs_verilator
def test_hardware_is_simulated_and_compared_and_a_wrong_weight_found(hardware: Path, cli: Cli):
    both = [("--engine", "integer"), ("--engine", "verilog")]
    for engine in both:
        assert cli("simulate", hardware, *engine, "--samples", "6")[0] == 0
    figures = json.loads((hardware / "traces" / "verilog.json").read_text())
    assert figures["clocks_per_inference"] > 100
    code, out, _ = cli("compare", hardware, "--got", "verilog", "--json")
    assert (code, json.loads(out)["states_different"]) == (0, 0)
    memory = hardware / "verilog" / "layer0_0_weights.hex"
    first, *rest = memory.read_text().splitlines()
    wrong = f"{int(first, 16) ^ 0x30:0{len(first)}x}"
    memory.write_text("\n".join([wrong, *rest]) + "\n")
    assert cli("simulate", hardware, "--engine", "verilog", "--samples", "6")[0] == 0
    code, out, _ = cli("compare", hardware, "--got", "verilog", "--json")
    found = json.loads(out)
    assert code == 1
    assert "step 0" in found["message"]


LATE = """import arlif, torch
from arlif import layers

def build():
    torch.manual_seed(0)
    parts = [layers.Linear(8, 300), arlif.LIF(0.5, 0.2), layers.Delay(1), layers.Linear(300, 2)]
    return torch.nn.Sequential(*parts, arlif.LIF(0.5, 0.2), layers.Linear(2, 2))
"""


@pytest.mark.slow
@needs_verilator
def test_hardware_is_watched_until_every_layer_has_ended(tmp_path: Path, cli: Cli):
    """A delay lets the answer come before the layer in front of it has made its last step."""
    script, inputs, run = tmp_path / "net.py", tmp_path / "x.npy", tmp_path / "run"
    script.write_text(LATE)
    save(inputs, np.random.default_rng(0).random((5, 6, 8), np.float32))
    calibrated = ("--time-steps", "5", "--calibrate", inputs)
    assert cli("import", f"{script}:build", run, *calibrated)[0] == 0
    code, out, _ = cli("verify", run, "--inputs", inputs, "--engine", "verilog", "--json")
    rows = {row["engine"]: row for row in json.loads(out)["engines"]}
    assert (code, rows["verilog"]["outcome"]) == (0, "equal")
    assert rows["verilog"]["compared"]["spikes_compared"] == 6 * 5 * 302
