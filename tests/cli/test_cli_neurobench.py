"""arlif neurobench: the harness's dictionary of a run, ours beside it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.command_line import Cli

from arlif.training import load_trained, read_recipe


def test_the_json_holds_the_harness_own_dictionary(trained: Path, cli: Cli):
    harness = pytest.importorskip("support.neurobench_twin").harness
    found = json.loads(cli("neurobench", trained, "--samples", "30", "--batch", "8", "--json")[1])
    recipe, (net, _) = read_recipe(trained), load_trained(trained)
    dataset = recipe.load_data()
    real = dataset.network_input(dataset.test)[:, :30]
    labels = np.asarray(dataset.test.labels[:30])
    assert found["neurobench"] == harness(net, real, labels, recipe.time_steps, 8)
    assert (found["samples"], found["batch_size"]) == (30, 8)


def test_our_column_is_the_bill_of_the_integers(trained: Path, tmp_path: Path, cli: Cli):
    run = Path(shutil.copytree(trained, tmp_path / "run"))
    assert cli("simulate", run, "--samples", "20")[0] == 0
    total = json.loads(cli("energy", run, "--json")[1])["total"]
    ours = json.loads(cli("neurobench", run, "--samples", "20", "--json")[1])["arlif"]
    assert ours["SynapticOperations"]["Effective_ACs"] == total["accumulates"]
    assert ours["SynapticOperations"]["Effective_MACs"] == total["multiply_accumulates"]
    assert ours["MembraneUpdates"] == total["updates"]


def test_every_figure_and_every_reason_is_printed(trained: Path, cli: Cli):
    code, out, _ = cli("neurobench", trained, "--samples", "5")
    found = json.loads(cli("neurobench", trained, "--samples", "5", "--json")[1])
    assert code == 0
    assert all(f"{name}: {reason}" in out for name, reason in found["why"].items())
    footprint = found["neurobench"]["Footprint"]
    assert f" {footprint:,} " in out
    assert found["arlif"]["Footprint"] < footprint / 3


def test_what_has_no_labels_or_no_floats_is_refused(
    trained: Path, imported: Path, tmp_path: Path, cli: Cli
):
    np.save(tmp_path / "x.npy", np.zeros((1, 2, 1, 8, 8), np.float32))
    code, _, err = cli("neurobench", trained, "--inputs", tmp_path / "x.npy")
    assert code == 2
    assert "give --labels" in err
    code, _, err = cli("neurobench", imported, "--inputs", tmp_path / "x.npy")
    assert code == 2
    assert "integers" in err
