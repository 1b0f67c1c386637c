"""arlif recipes and arlif summary, as a user meets them."""

import json
import re

import pytest
from rich.console import Console

from arlif.networks import build
from arlif.training import Recipe, load_recipe, recipe_names, train


def test_every_recipe_is_listed_as_it_is(cli):
    code, out, _ = cli("recipes", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert code == 0
    assert tuple(rows) == recipe_names()
    for name, row in rows.items():
        recipe = load_recipe(name)
        assert row["time_steps"] == recipe.time_steps
        assert (row["dataset"], row["epochs"]) == (recipe.dataset, recipe.epochs)
        assert (row["network"], row["neuron"]) == (recipe.architecture.kind, recipe.neuron.name)


@pytest.mark.parametrize("terminal", [True, False])
def test_the_list_is_whole_in_a_pipe_and_fits_a_narrow_terminal(cli, monkeypatch, terminal):
    console = Console(width=80, force_terminal=terminal, color_system=None)
    monkeypatch.setattr("hw_sim.cli.output.MESSAGES", console)
    code, out, _ = cli("recipes")
    assert code == 0
    rows = [line for line in out.splitlines() if line.startswith("│")]
    assert {len(row) for row in rows} == {80} if terminal else len(rows[0]) > 80
    assert terminal or len(rows) == len(recipe_names())
    for name in recipe_names():
        dataset = "" if terminal else load_recipe(name).dataset
        assert re.search(rf"│ {name} +│ {dataset}", out), name


def test_a_summary_counts_what_the_network_has(cli):
    code, out, _ = cli("summary", "fashion-mnist", "--json")
    summary = json.loads(out)
    net = build(load_recipe("fashion-mnist").network())
    assert code == 0
    assert summary["parameters"] == sum(p.numel() for p in net.parameters())
    assert summary["neurons"] == 16 * 28**2 + 32 * 14**2 + 32 * 7**2 + 64
    by_hand = 9 * (16 * 28**2 + 16 * 32 * 14**2 + 32 * 32 * 7**2) + 32 * 49 * 64 + 640
    assert summary["macs"] == by_hand
    for total in ("parameters", "neurons", "macs", "flops"):
        assert summary[total] == sum(layer[total] for layer in summary["layers"])
    code, out, _ = cli("summary", "fashion-mnist")
    assert code == 0
    assert f"{by_hand:,} multiply-accumulates" in out
    assert "16 x 28 x 28" in out


def test_a_summary_of_a_changed_recipe_and_of_a_run(cli, tmp_path):
    change = "architecture.features=[4]"
    code, out, _ = cli("summary", "digits", "--set", change, "--json")
    changed = json.loads(out)
    assert code == 0
    assert changed["neurons"] == 4 * 64
    recipe = load_recipe("digits", {"architecture.features": [4], "epochs": 1})
    train(recipe, tmp_path / "run", accelerator="cpu")
    code, out, _ = cli("summary", tmp_path / "run", "--json")
    assert json.loads(out) == changed
    code, _, err = cli("summary", tmp_path / "run", "--set", change)
    assert code == 2
    assert "--set changes a recipe" in err


def test_a_summary_counts_parameters_of_every_time_step(cli):
    code, out, _ = cli("summary", "digits", "--set", "neuron.name=psn", "--json")
    recipe = load_recipe("digits", {"neuron.name": "psn"})
    assert code == 0
    assert json.loads(out)["parameters"] == sum(
        p.numel() for p in build(recipe.network()).parameters()
    )


def test_a_wrong_name_is_one_clear_line(cli):
    code, out, err = cli("summary", "digit")
    assert code == 2
    assert not out
    assert err.startswith("error: no recipe is called 'digit'; there are cifar10, cifar10-dvs")
    assert err.count("\n") == 1


def test_resume_takes_the_recipe_of_the_run(cli, tmp_path):
    small = ("--set", "architecture.features=[4]", "--set", "epochs=1")
    assert cli("train", tmp_path / "run", *small)[0] == 0
    code, out, _ = cli("train", tmp_path / "run", "--resume")
    assert code == 0
    assert "for 1 epoch in" in out
    code, _, err = cli("train", tmp_path / "run", "--resume", "--set", "epochs=2")
    assert (code, "another recipe (epochs differ)" in err) == (2, True)
    code, _, err = cli("train", tmp_path / "run", "--resume", "--recipe", "digits")
    assert (code, "another recipe (epochs, architecture differ)" in err) == (2, True)


def test_ctrl_c_outside_of_training_is_one_line(cli, tmp_path, monkeypatch):
    def interrupted(self, data_folder=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(Recipe, "load_data", interrupted)
    code, _, err = cli("train", tmp_path / "run")
    assert (code, err) == (130, "stopped\n")


def test_epochs_are_lines_where_there_is_no_terminal(cli, tmp_path, monkeypatch):
    small = ("--set", "architecture.features=[4]", "--set", "epochs=2")
    _, out, _ = cli("train", tmp_path / "run", *small)
    lines = out.splitlines()
    assert lines[0] == "digits, arlif, seed 2022"
    for number, line in enumerate(lines[1:3], 1):
        assert re.fullmatch(
            rf"epoch {number} of 2: loss \d\.\d+, test accuracy [\d.]+ %, \d+ s", line
        )
    assert lines[3].startswith("trained ")
    _, out, _ = cli("train", tmp_path / "run", "--overwrite", *small, "--json")
    assert json.loads(out)["epochs"] == 2
