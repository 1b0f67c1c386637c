"""arlif sweep: points that are measured once, kept, continued and compared."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.command_line import Cli
from support.noted import note
from support.small_runs import POINT, SMALL, refused

from arlif.training import read_recipe
from hw_sim.pipeline import sweep
from hw_sim.pipeline.samples import load_samples, load_spread


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


def test_sweeps_of_other_samples_are_not_compared(run: Path, tmp_path: Path, cli: Cli):
    other = Path(shutil.copytree(run, tmp_path / "other"))
    assert cli("sweep", run, *POINT, "--samples", "30")[0] == 0
    assert cli("sweep", other, *POINT, "--samples", "20")[0] == 0
    code, _, err = cli("report", run, "--beside", other)
    assert code == 2
    assert "30 samples of digits" in err
    assert "20 samples of digits" in err
    assert cli("sweep", other, *POINT, "--samples", "30")[0] == 0
    assert cli("report", run, "--beside", other)[0] == 0
    assert "energy per inference, integer (uJ)" in (run / "report.html").read_text()
    assert "energy per inference, paper (uJ)" not in (run / "report.html").read_text()
    (run / "sweep.json").write_text("[]")
    code, _, err = cli("report", run)
    assert code == 2
    assert "arlif sweep" in err


def points(run: Path) -> list[tuple[int, int]]:
    rows = json.loads((run / "sweep.json").read_text())["rows"]
    return [(row["weight_bits"], row["time_steps"]) for row in rows]


def test_a_stopped_sweep_goes_on_where_it_was(run: Path, tmp_path: Path, cli: Cli, monkeypatch):
    measured = []
    real = sweep._point

    def point(*given):
        precision, steps = given[4:6]
        if len(measured) == 2:
            raise KeyboardInterrupt
        measured.append((precision.weight_bits, steps))
        return real(*given)

    options = ("--weight-bits", "4,8,4", "--time-steps", "1,2", "--samples", "20")
    monkeypatch.setattr(sweep, "_point", point)
    assert cli("sweep", run, *options)[0] == 130
    assert points(run) == measured == [(4, 1), (4, 2)]
    assert cli("report", run)[0] == 0
    assert "The sweep is not finished, with 2 of 4 points" in (run / "report.html").read_text()
    other = Path(shutil.copytree(run, tmp_path / "other"))
    code, _, err = cli("report", run, "--beside", other)
    assert (code, "2 of 4 points; run it again: arlif sweep" in err) == (2, True)
    measured.clear()
    _, out, _ = cli("sweep", run, *options)
    assert "2 of 4 points already" in out
    assert measured == [(8, 1), (8, 2)]
    assert points(run) == [(4, 1), (4, 2), (8, 1), (8, 2)]
    monkeypatch.setattr(sweep, "_point", real)
    _, out, _ = cli("sweep", run, *POINT, "--samples", "10")
    assert "starts anew: samples differ" in out
    assert points(run) == [(8, 1)]


def test_a_sweep_of_other_points_keeps_those_that_are_measured(run: Path, cli: Cli, monkeypatch):
    assert cli("sweep", run, "--weight-bits", "4,8", "--time-steps", "1", "--samples", "20")[0] == 0
    before = json.loads((run / "sweep.json").read_text())["rows"]
    code, out, _ = cli(
        "sweep", run, "--weight-bits", "8,6", "--time-steps", "1", "--samples", "20", "--json"
    )
    assert code == 0
    asked = json.loads(out)["rows"]
    assert [row["weight_bits"] for row in asked] == [8, 6]
    assert asked[0] == before[1]
    monkeypatch.setattr(sweep, "_point", None)  # nothing is measured again
    assert cli("sweep", run, *POINT, "--samples", "20")[0] == 0
    assert json.loads((run / "sweep.json").read_text())["rows"] == [before[0], asked[1], asked[0]]
    assert cli("report", run)[0] == 0


def test_sweeps_are_compared_where_they_have_points_in_common(run: Path, tmp_path: Path, cli: Cli):
    other, apart = (Path(shutil.copytree(run, tmp_path / name)) for name in ("other", "apart"))
    for folder, bits in ((run, "4,8"), (other, "6,8"), (apart, "6")):
        options = ("--weight-bits", bits, "--time-steps", "1", "--samples", "20")
        assert cli("sweep", folder, *options)[0] == 0
    assert cli("report", run, "--beside", other)[0] == 0
    neurons = json.loads((run / "report.json").read_text())["neurons"]
    assert neurons["points"] == 1
    cheapest = [point for network in neurons["networks"] for point in network["cheapest"].values()]
    assert {point["weight_bits"] for point in cheapest} == {8}
    assert "which alone are compared: 1." in (run / "report.html").read_text()
    code, _, err = cli("report", run, "--beside", apart)
    assert (code, "no point in common; sweep again" in err) == (2, True)


def test_a_sweep_sees_samples_of_every_class(run: Path):
    recipe = read_recipe(run)
    some = load_spread(recipe, None, 30)
    assert np.bincount(some.labels).tolist() == [3] * 10
    assert sorted(some.labels[:10]) == list(range(10))
    whole, stored = (f(recipe, None, 10_000) for f in (load_spread, load_samples))
    assert np.array_equal(whole.labels, stored.labels)


def test_seeds_give_mean_and_spread_and_other_recipes_are_refused(
    run: Path, tmp_path: Path, cli: Cli
):
    second, other, twin = (tmp_path / name for name in ("second", "other", "twin"))
    assert cli("train", second, *SMALL, "--set", "seed=7")[0] == 0
    assert cli("train", other, *SMALL, "--set", "neuron.name=lif-soft", "--set", "seed=7")[0] == 0
    shutil.copytree(run, twin)
    options = ("--weight-bits", "4,8", "--time-steps", "1", "--samples", "20")
    code, out, _ = cli("sweep", run, *options, "--seeds", second, "--json")
    assert code == 0
    found = json.loads(out)
    sweeps = [json.loads((each / "sweep.json").read_text())["rows"] for each in (run, second)]
    assert len(found["rows"]) == 2
    for row, alone in zip(found["rows"], zip(*sweeps, strict=True), strict=True):
        assert row["accuracy"]["mean"] == pytest.approx(np.mean([a["accuracy"] for a in alone]))
        for model, spread in row["energy_uj"].items():
            std = np.std([a["energy_uj"][model] for a in alone], ddof=1)
            assert spread["std"] == pytest.approx(std) != 0
    assert [each["seed"] for each in found["runs"]] == [2022, 7]
    assert found["runs"][0]["model"] != found["runs"][1]["model"]
    _, out, _ = cli("sweep", run, *options, "--seeds", second, "--csv")
    assert "±" in out
    for wrong, said in ((other, "differs in neuron"), (twin, "each of another seed")):
        before = sorted(tmp_path.rglob("sweep.json"))
        error = refused(cli, "sweep", run, *options, "--seeds", f"{second},{wrong}")
        assert said in error
        assert "arlif train RUN --set seed=N" in error
        assert sorted(tmp_path.rglob("sweep.json")) == before
    assert "there is no run" in refused(cli, "sweep", run, *options, "--seeds", tmp_path / "no")
    assert "such as RUN2,RUN3" in refused(cli, "sweep", run, *options, "--seeds", f"{second},")
    content = json.loads((second / "sweep.json").read_text())
    for row in content["rows"]:
        row["energy_uj"] = {"integer": row["energy_uj"]["integer"]}
    (second / "sweep.json").write_text(json.dumps(content))
    note(second, "sweep.json")
    code, _, error = cli("sweep", run, *options, "--seeds", second)
    assert (code, error.count("\n")) == (2, 1)
    assert f"priced by the same cost models, not {run}: " in error
