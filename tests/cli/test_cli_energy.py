"""arlif energy and map: figures of the simulation that is there, and what was assumed."""

import json
import shutil
from pathlib import Path

import pytest
from support.command_line import Cli
from support.noted import note

from arlif.artifacts import CONFIG, METRICS, MODEL
from arlif.base.plain_data import to_mapping
from arlif.networks import build
from arlif.neurons.recurrent import spiking_layers
from arlif.run_folder import Run
from arlif.training import load_recipe


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


def test_energy_of_an_earlier_simulation_is_not_reported(run: Path, cli: Cli):
    def reported() -> bool:
        assert cli("report", run)[0] == 0
        return json.loads((run / "report.json").read_text())["energy"] is not None

    assert cli("simulate", run, "--samples", "20")[0] == 0
    assert cli("energy", run)[0] == 0
    assert reported()
    assert cli("simulate", run, "--samples", "10")[0] == 0
    assert not reported()
    assert cli("energy", run)[0] == 0
    assert reported()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--rate", "0.2"), "--rate is for --table3"),
        (("--table3", "--model", "paper"), "neither --engine nor --model"),
        (("--table3", "--rate", "0.2"), "leave out --rate"),
        (("--table3",), "none of Table 3"),
        (("--model", "paper", "--model", "paper"), "different names"),
    ],
)
def test_options_of_energy_that_say_nothing_are_refused(run: Path, cli: Cli, options, complaint):
    assert cli("simulate", run, "--samples", "2")[0] == 0
    code, out, err = cli("energy", run, *options)
    assert (code, out) == (2, "")
    assert complaint in err


def test_cores_are_printed_with_what_was_assumed(run: Path, cli: Cli):
    mapping = json.loads(cli("map", run, "--cores", "loihi1", "--json")[1])
    said = cli("map", run, "--cores", "loihi1")[1]
    assert mapping["assumptions"]
    assert all(text in said for text in (mapping["source"], *mapping["assumptions"]))
    cores = [layer["cores"] for layer in mapping["layers"]]
    assert cores == [1, 1]
    assert "takes most" not in said
    assert f"{mapping['limiting_layer']} is the fullest" in said


def test_table_3_counts_on_no_engine(cli: Cli):
    for engine in ("lava", "integer"):
        code, out, err = cli("energy", "--table3", "--engine", engine)
        assert (code, out) == (2, "")
        assert "neither --engine" in err


def test_table_3_says_without_a_rate_what_needs_none(cli: Cli):
    rows = json.loads(cli("energy", "--table3", "--json")[1])
    code, out, _ = cli("energy", "--table3")
    assert code == 0
    for row in rows:
        assert row["true"]["energy_uj"] is None
        assert all(f" {figure:,.2f} " in out for figure in row["printed"].values())
        assert f" {row['events_multiply_accumulates_m']:,.2f} " in out
        assert f" {row['neuron_uj']:,.2f} " in out
    assert "give --rate, or a trained run" in out


def test_table_3_takes_the_spike_rates_of_a_trained_run(tmp_path: Path, cli: Cli):
    run = Run(tmp_path)
    recipe = load_recipe("cifar10-resnet18-t4", {"time_steps": 2})
    run.write_json(CONFIG, to_mapping(recipe))
    run.path(MODEL).write_bytes(b"read by nobody here")
    layers = spiking_layers(build(recipe.network()))
    always = "1,0.5,0.5,0.5,9"
    columns = "epoch,train_loss,test_loss,test_accuracy,seconds"
    run.path(METRICS).write_text(
        f"{','.join([columns, *(f'rate/{name}' for name in layers)])}\n"
        f"{','.join([always, *('0.1' for _ in layers)])}\n"
    )
    (row,) = json.loads(cli("energy", tmp_path, "--table3", "--json")[1])
    every = json.loads(cli("energy", "--table3", "--rate", "0.1", "--json")[1])
    (same,) = (other for other in every if other["name"] == row["name"])
    assert row["true"]["accumulates_m"] == pytest.approx(same["true"]["accumulates_m"])
    assert row["missing"] == ""


def test_nothing_is_minus_zero(run: Path, cli: Cli):
    assert cli("simulate", run, "--samples", "4")[0] == 0
    assert cli("energy", run)[0] == 0
    energy = json.loads((run / "energy.json").read_text())
    energy["estimates"][0] |= {"border": -0.01, "error": -1e-6}
    (run / "energy.json").write_text(json.dumps(energy))
    note(run, "energy.json")
    assert cli("report", run)[0] == 0
    page = (run / "report.html").read_text()
    assert "<td>-0.0" not in page
    assert "<td>0.00 %</td>" in page
