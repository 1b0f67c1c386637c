"""The whole pipeline on real data, as the demo leaves it, and what broken files of it give."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from rich.console import Console
from support.command_line import Cli
from support.noted import note

from arlif.run_folder import Run
from export.lava import read_net
from export.nir import load_plain, read_nir
from hw_sim.energy.bill import energy_report
from hw_sim.engines.floating_point import simulate_float
from hw_sim.engines.integer.fast import simulate
from hw_sim.engines.simulation import raw_inputs
from hw_sim.engines.traces import read_traces
from hw_sim.pipeline.samples import Selection


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has been through the whole demo."""
    folder = tmp_path_factory.mktemp("demo") / "run"
    done = subprocess.run(
        [sys.executable, "-m", "arlif", "demo", str(folder)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "epoch 1 of " in done.stdout
    assert "report:" in done.stdout
    return folder


@pytest.fixture
def run(demo: Path, tmp_path: Path) -> Path:
    """A copy of the demo's run that a test may damage."""
    return Path(shutil.copytree(demo, tmp_path / "run"))


@pytest.mark.lava
def test_the_demo_keeps_accuracy_and_every_spike(demo: Path) -> None:
    report = json.loads((demo / "report.json").read_text())
    engines = {row["engine"]: row for row in report["engines"]}
    assert engines["float"]["accuracy"] >= 0.96
    assert abs(engines["integer"]["accuracy"] - engines["float"]["accuracy"]) <= 0.005
    assert engines["integer"]["samples"] == engines["float"]["samples"] == 450
    assert engines["lava"]["samples"] >= 32
    compared = {row["got"]: row for row in report["comparisons"]}
    for engine in ("lava", "onnx", "c"):
        assert compared[engine]["equal"]
        assert compared[engine]["spikes_compared"] > 100_000
        assert compared[engine]["spikes_different"] == 0
    assert compared["lava"]["states_compared"] > 0
    assert compared["lava"]["same_network"] is True


@pytest.mark.lava
def test_lavas_own_lif_runs_the_plain_view_as_arlif_reads_it(demo: Path) -> None:
    samples, steps = Selection(limit=32).load(Run(demo))
    real = samples.real.expand(steps, *samples.real.shape[1:])
    with torch.no_grad():
        want = simulate_float(load_plain(demo / "lif.nir").module, real, traced=32)
    got = read_traces(demo / "traces/lava-lif.h5")
    for name, trace in want.traces.items():
        spikes = got.traces[name].spikes
        assert np.array_equal(spikes, trace.spikes.reshape(spikes.shape))
    assert np.array_equal(got.decisions, want.decisions)


@pytest.mark.lava
def test_the_report_is_self_contained_and_agrees_with_its_json(demo: Path) -> None:
    page = (demo / "report.html").read_text()
    report = json.loads((demo / "report.json").read_text())
    assert not re.search(r'(src|href|url)\s*[=(]\s*["\']?(https?:)?//', page)
    assert "<script" not in page
    assert page.count("<svg") == len(report["plots"]) > 9
    for row in report["engines"]:
        assert f"{100 * row['accuracy']:.2f} %" in page


@pytest.mark.lava
def test_one_broken_weight_is_found(run: Path, cli: Cli) -> None:
    with h5py.File(run / "network.net", "r+") as file:
        weight = next(
            item
            for name in file["layer"]
            if name != "0" and (item := file["layer"][name].get("weight")) is not None
        )
        broken = weight[()]
        index = np.unravel_index(np.abs(broken.astype(int)).argmax(), broken.shape)
        broken[index] = -broken[index]
        weight[...] = broken
    note(run, "network.net")
    right, wrong = read_nir(run / "network.nir"), read_net(run / "network.net")
    assert right != wrong
    assert cli("simulate", run, "--engine", "lava")[0] == 0
    code, out, _ = cli("compare", run, "--json")
    result = json.loads(out)
    assert code == 1
    assert not result["equal"]
    assert result["same_network"] is False
    first = result["first"]
    assert first["layer"] == right.populations[0].name
    assert first["step"] == 0
    code, out, _ = cli("compare", run)
    assert code == 1
    for part in (first["layer"], f"step {first['step']}", "neuron", "different networks"):
        assert part in out


@pytest.mark.lava
def test_energy_and_cores_of_a_run(run: Path, cli: Cli) -> None:
    code, out, _ = cli("energy", run, "--model", "paper", "--json")
    energy = json.loads(out)
    assert code == 0
    rows = (run / "energy.csv").read_text().splitlines()
    assert len(rows) == len(energy["layers"]) + 2  # a head and the total
    layers = sum(layer["energy_uj"]["paper"]["mean"] for layer in energy["layers"])
    assert layers == pytest.approx(energy["total"]["energy_uj"]["paper"]["mean"])
    code, _, err = cli("energy", run, "--model", "abacus")
    assert code == 2
    assert "abacus" in err
    code, out, _ = cli("map", run, "--json")
    assert code == 0
    mapping = json.loads(out)
    assert mapping["cores"] >= 3
    _, said, _ = cli("map", run)
    assert all(text in said for text in (mapping["source"], *mapping["assumptions"]))


@pytest.mark.lava
def test_energy_is_counted_on_the_network_that_the_engine_ran(run: Path, cli: Cli) -> None:
    with h5py.File(run / "network.net", "r+") as file:
        weight = file["layer/1/arlif/projection/0/map/0/weight"]
        weight[...] = np.sign(weight[()])
    assert "network.net was damaged or changed" in cli("simulate", run, "--engine", "lava")[2]
    note(run, "network.net")
    assert cli("simulate", run, "--engine", "lava", "--samples", "2")[0] == 0
    code, out, _ = cli("energy", run, "--engine", "lava", "--json")
    assert code == 0
    on_lava = json.loads(out)
    network = read_net(run / "network.net")
    samples, steps = Selection(limit=2).load(Run(run))
    inputs = raw_inputs(network, samples.real)
    want = energy_report(network, inputs, simulate(network, inputs, steps), steps)
    assert want["total"] == on_lava["total"]
    assert cli("export", run)[0] == 0
    code, _, err = cli("energy", run, "--engine", "lava")
    assert code == 2
    assert "was made from another network.net" in err


@pytest.mark.lava
def test_tables_fit_80_columns(run: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    simulated = Path(shutil.copytree(run, run.parent / "simulated"))
    terminal = Console(width=80, force_terminal=True, color_system=None)
    monkeypatch.setattr("hw_sim.cli.output.MESSAGES", terminal)
    for arguments in (
        ("recipes",),
        ("summary", "cifar10-resnet18-t4"),
        ("data", "list"),
        ("lava", "check"),
        ("evaluate", run),
        ("quantize", run, "--samples", "9"),
        ("energy", "--table3", "--rate", "0.2"),
        ("map", run),
        ("calibrate", run, "--samples", "32"),
        ("sweep", run, "--samples", "8", "--weight-bits", "8", "--time-steps", "4"),
        ("energy", simulated),
        ("report", simulated),
    ):
        code, out, _ = cli(*arguments)
        lines = out.splitlines()
        heads = [number for number, line in enumerate(lines) if line.startswith("┏")]
        assert code == 0
        assert heads
        assert "…" not in out, arguments
        assert all(lines[number + 2].startswith("┡") for number in heads), arguments
        assert all(len(line) <= 80 for line in lines if line[:1] in "┏┃┡│└"), arguments


@pytest.mark.lava
def test_a_sweep_lands_in_the_report(run: Path, cli: Cli) -> None:
    arguments = ("--weight-bits", "2,8", "--time-steps", "1,4", "--samples", "64", "--json")
    code, out, _ = cli("sweep", run, *arguments)
    assert code == 0
    rows = {(row["weight_bits"], row["time_steps"]): row for row in json.loads(out)["rows"]}
    assert set(rows) == {(2, 1), (2, 4), (8, 1), (8, 4)}
    assert rows[8, 4]["accuracy"] > rows[2, 4]["accuracy"]
    assert cli("report", run)[0] == 0
    assert "Bit widths and time steps" in (run / "report.html").read_text()
    assert cli("sweep", run, "--weight-bits", "many")[0] == 2


@pytest.mark.lava
def test_an_imported_network_runs_on_the_users_inputs(run: Path, tmp_path: Path, cli: Cli) -> None:
    imported, inputs = tmp_path / "imported", tmp_path / "inputs.npy"
    np.save(inputs, np.random.default_rng(0).random((1, 6, 1, 8, 8), np.float32))
    assert cli("import", run / "network.net", imported)[0] == 0
    assert read_nir(imported / "network.nir") == read_nir(run / "network.nir")
    code, _, err = cli("simulate", imported)
    assert code == 2
    assert "--inputs" in err
    code, out, _ = cli("simulate", imported, "--inputs", inputs, "--json")
    assert code == 0
    assert json.loads(out)["samples"] == 6
    assert cli("import", tmp_path / "missing.nir", imported)[0] == 2


@pytest.mark.lava
def test_results_of_an_older_network_are_not_compared(run: Path, cli: Cli) -> None:
    assert cli("quantize", run, "--weight-bits", "4")[0] == 0
    code, _, err = cli("compare", run)
    assert code == 2
    assert "older" in err


def damaged(run: Path, name: str, how: str) -> None:
    path = run / name
    if how == "missing":
        path.unlink()
    elif how == "truncated":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif how == "foreign":
        with h5py.File(path, "w") as file:
            file["something"] = np.arange(3)
    elif how == "not hdf5":
        path.write_text("hello")


@pytest.mark.lava
@pytest.mark.parametrize("how", ["missing", "truncated", "foreign", "not hdf5"])
@pytest.mark.parametrize(
    ("name", "verb"),
    [
        ("network.nir", ("simulate",)),
        ("network.nir", ("export",)),
        ("network.net", ("simulate", "--engine", "lava")),
        ("network.onnx", ("simulate", "--engine", "onnx")),
        ("traces/lava.h5", ("compare",)),
        ("model.pt", ("quantize",)),
        ("config.json", ("simulate",)),
    ],
)
def test_a_damaged_file_is_one_clear_line(
    run: Path, cli: Cli, name: str, verb: tuple[str, ...], how: str
) -> None:
    damaged(run, name, how)
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    code, _, err = cli(verb[0], run, *verb[1:])
    assert code == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert Path(name).name in err or str(run) in err
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before


@pytest.mark.lava
def test_weights_that_are_not_numbers_are_refused(run: Path, cli: Cli) -> None:
    weights = torch.load(run / "model.pt", weights_only=True)
    name = next(name for name in weights if name.endswith("weight"))
    weights[name].view(-1)[0] = float("nan")
    torch.save(weights, run / "model.pt")
    note(run, "model.pt")
    code, _, err = cli("quantize", run)
    assert code == 2
    assert "NaN" in err
