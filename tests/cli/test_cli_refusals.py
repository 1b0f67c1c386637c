"""What the verbs refuse rather than answer wrongly, and the cure that they name."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from support.command_line import Cli
from support.noted import note
from support.small_runs import SMALL, images, refused, save

import arlif
from arlif.artifacts import NIR
from arlif.base.errors import MissingToolError
from arlif.base.options import NoOptions
from hw_sim.cli import main
from hw_sim.engines.simulation import Trace
from hw_sim.engines.table import Engine
from hw_sim.engines.traces import read_traces, write_traces


@pytest.fixture
def run(exported: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(exported, tmp_path / "run"))


def test_simulations_of_different_inputs_are_not_compared(run: Path, tmp_path: Path, cli: Cli):
    assert cli("simulate", run, "--samples", "20")[0] == 0
    assert cli("simulate", run, "--engine", "onnx", "--inputs", images(tmp_path))[0] == 0
    assert "different inputs; simulate both again" in refused(cli, "compare", run, "--got", "onnx")
    assert not (run / "compare.json").exists()
    assert cli("simulate", run, "--engine", "onnx", "--samples", "7")[0] == 0
    code, out, _ = cli("compare", run, "--got", "onnx", "--json")
    assert (code, json.loads(out)["samples"]) == (0, 7)


def test_a_comparison_of_earlier_simulations_is_not_reported(run: Path, cli: Cli):
    def reported() -> int:
        assert cli("report", run)[0] == 0
        return len(json.loads((run / "report.json").read_text())["comparisons"])

    for engine in ("integer", "onnx"):
        assert cli("simulate", run, "--engine", engine, "--samples", "3")[0] == 0
    assert cli("compare", run, "--got", "onnx")[0] == 0
    assert reported() == 1
    assert cli("simulate", run, "--samples", "2")[0] == 0
    assert reported() == 0


@pytest.mark.parametrize("recorded", [0, 2, 32])
def test_energy_is_not_counted_on_inputs_that_have_changed(
    run: Path, tmp_path: Path, cli: Cli, recorded: int
):
    inputs = images(tmp_path)
    before = np.load(inputs)
    assert cli("simulate", run, "--inputs", inputs, "--trace", str(recorded))[0] == 0
    assert cli("energy", run)[0] == 0
    for number in (0, 4):
        changed = before.copy()
        changed[:, number] = 1 - changed[:, number]
        np.save(inputs, changed)
        assert "inputs have changed since" in refused(cli, "energy", run)
    np.save(inputs, before)
    assert cli("energy", run)[0] == 0


def test_engines_that_left_other_layers_or_steps_are_named(run: Path, cli: Cli):
    for engine in ("integer", "onnx"):
        assert cli("simulate", run, "--engine", engine, "--samples", "2")[0] == 0
    figures, traces = run / "traces/onnx.json", run / "traces/onnx.h5"
    whole, cure = figures.read_text(), "write both again with: arlif simulate"
    rates = dict.fromkeys(["other", "layers"], 0.5)
    figures.write_text(json.dumps({**json.loads(whole), "spike_rate": rates}))
    note(run, "traces/onnx.json")
    for verb in (("compare", run, "--got", "onnx"), ("report", run)):
        err = refused(cli, *verb)
        assert "onnx.json is of the layers other, layers," in err
        assert cure in err
    found = read_traces(traces)
    name, trace = next(iter(found.traces.items()))
    states = {state: values[1:] for state, values in trace.states.items()}
    late = Trace(trace.spikes[1:], states)
    counts = {name: late.spikes.sum(0, found.counts[name].dtype)}
    found = replace(found, traces={name: late}, counts=found.counts | counts)
    write_traces(found, traces)
    of_late = {
        "spikes_per_inference": counts[name].sum() / 2,
        "spike_rate": found.rates(len(late.spikes)),
    }
    figures.write_text(json.dumps({**json.loads(whole), **of_late}))
    note(run, "traces/onnx.json", "traces/onnx.h5")
    for verb in (("compare", run, "--got", "onnx"), ("report", run)):
        err = refused(cli, *verb)
        assert f"layer {name} has other steps or neurons in {traces} than in" in err
        assert cure in err


def test_figures_of_another_version_are_not_compared(run: Path, cli: Cli):
    for engine in ("integer", "onnx"):
        assert cli("simulate", run, "--engine", engine, "--samples", "2")[0] == 0
    whole = (run / "traces/onnx.json").read_text()
    wrong = {"source": 3, "inputs": [1], "samples": "2", "right": 5, "spike_rate": None}
    (run / "traces/onnx.json").write_text(json.dumps({**json.loads(whole), **wrong}))
    note(run, "traces/onnx.json")
    for verb in (("compare", run, "--got", "onnx"), ("report", run)):
        err = refused(cli, *verb)
        assert all(field in err for field in wrong)
        assert f"write it again with: arlif simulate {run} --engine onnx" in err
    (run / "traces/onnx.json").write_text("{}")
    err = refused(cli, "compare", run, "--got", "onnx")
    assert f"arlif simulate {run} --engine onnx" in err


def test_an_export_of_an_older_network_is_not_simulated(run: Path, cli: Cli):
    assert cli("quantize", run, "--weight-bits", "4", "--samples", "9")[0] == 0
    for engine in ("onnx", "lava"):
        assert f"arlif export {run}" in refused(cli, "simulate", run, "--engine", engine)
    assert not (run / "traces").exists()
    assert cli("simulate", run)[0] == 0


def test_an_export_that_changes_nothing_keeps_simulations(run: Path, imported: Path, cli: Cli):
    assert cli("simulate", run, "--engine", "onnx", "--samples", "2")[0] == 0
    assert cli("export", run, "--float")[0] == 0
    assert cli("energy", run, "--engine", "onnx")[0] == 0
    (run / "network.onnx").write_text("damaged")
    assert f"arlif export {run}" in refused(cli, "energy", run, "--engine", "onnx")
    assert cli("export", run)[0] == 0
    assert cli("energy", run, "--engine", "onnx")[0] == 0
    assert "imported network" in refused(cli, "export", imported, "--float")
    assert not (imported / "network.net").exists()


@pytest.mark.parametrize(
    "verb", [("simulate",), ("export",), ("map",), ("evaluate", "--engine", "integer")]
)
def test_integers_of_an_older_model_are_not_used(run: Path, cli: Cli, verb: tuple[str, ...]):
    weights = torch.load(run / "model.pt", weights_only=True)
    torch.save({name: -value for name, value in weights.items()}, run / "model.pt")
    note(run, "model.pt")
    before = (run / "network.net").stat().st_mtime_ns
    assert f"arlif quantize {run}" in refused(cli, verb[0], run, *verb[1:])
    assert (run / "network.net").stat().st_mtime_ns == before


def test_integers_of_a_model_that_is_trained_again_are_not_used(run: Path, cli: Cli):
    (run / "model.pt").unlink()
    assert f"arlif train {run} --resume" in refused(cli, "simulate", run, "--engine", "onnx")


@pytest.mark.parametrize(
    ("array", "complaint"),
    [
        (np.zeros((1, 0, 1, 8, 8)), "holds no numbers"),
        (np.full((1, 2, 1, 8, 8), np.nan), "holds NaN"),
        (np.full((1, 2, 1, 8, 8), -1e39), "beyond float32"),
        (np.zeros((1, 2, 1, 8, 8), complex), "real numbers"),
        (np.zeros((3, 2, 1, 8, 8)), "must be [1, N, 1, 8, 8]"),
        (np.zeros((2, 8)), "must be [1, N, 1, 8, 8]"),
    ],
)
def test_inputs_without_meaning_are_refused(
    run: Path, tmp_path: Path, cli: Cli, array: np.ndarray, complaint: str
):
    file = save(tmp_path / "inputs.npy", array)
    assert complaint in refused(cli, "simulate", run, "--inputs", file)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--labels", "nope.npy"), "give --inputs too"),
        (("--inputs", "nope.npy"), "there is no nope.npy"),
        (("--inputs", "nope.npy", "--data", "."), "--inputs or --data, not both"),
        (("--workers", "2"), "--workers needs --engine lava, not integer"),
        (("--lava-models", "stock", "--engine", "onnx"), "--lava-models needs --engine lava"),
        (("--time-limit", "5"), "--time-limit needs --engine lava, not integer"),
        (("--device", "cuda", "--engine", "lava"), "needs --engine integer"),
    ],
)
def test_options_that_say_nothing_are_refused(
    run: Path, cli: Cli, options: tuple[str, ...], complaint: str
):
    err = refused(cli, "simulate", run, *options)
    assert complaint in err
    assert "Errno" not in err


def test_inputs_beyond_the_calibrated_range_are_told(run: Path, tmp_path: Path, cli: Cli):
    for engine in ("integer", "onnx"):
        simulate = ("simulate", run, "--engine", engine, "--inputs")
        assert "warning" not in cli(*simulate, images(tmp_path))[1]
        wide = images(tmp_path, largest=255.0)
        assert "beyond the range that the network was calibrated on" in cli(*simulate, wide)[1]
        share = (np.load(wide) > 1.01).mean()
        told = json.loads(cli(*simulate, wide, "--json")[1])["clipped"]
        assert told == pytest.approx(share, abs=0.01)


def test_a_stopped_run_is_to_be_resumed(run: Path, cli: Cli):
    (run / "model.pt").unlink()
    for verb in ("check", "quantize", "evaluate"):
        assert refused(cli, verb, run).endswith(f"write it with: arlif train {run} --resume\n")
    assert cli("train", run, "--resume")[0] == 0
    assert cli("check", run)[0] == 0


def test_every_preset_is_named_and_checked(run: Path, tmp_path: Path, cli: Cli):
    assert "compact16, loihi24, stock-lava or" in refused(cli, "quantize", run, "--preset", "foo")
    stock = ("--preset", "stock-lava")
    code, out, _ = cli("check", run, *stock)
    assert code == 1
    assert "train with neuron lif-hard" in out
    assert "8-bit weights" in refused(cli, "check", run, *stock, "--weight-bits", "4")
    plain = tmp_path / "plain"
    assert cli("train", plain, *SMALL, "--set", "neuron.name=lif-hard")[0] == 0
    code, out, _ = cli("check", plain, *stock)
    assert (code, "everything maps" in out) == (0, True)
    assert cli("quantize", plain, *stock, "--samples", "9")[0] == 0


def test_a_wrong_field_and_a_missing_recipe_are_told_what_there_is(tmp_path: Path, cli: Cli):
    for change in ("lr=nan", "lr=1"):
        err = refused(cli, "train", tmp_path / "run", "--set", change)
        assert "there are epochs, batch_size, stages, seed" in err
        assert "learning_rate" in err
    err = refused(cli, "train", tmp_path / "run", "--set", "neuron.nam=lif")
    assert "there are name, decay" in err
    err = refused(cli, "train", tmp_path / "run", "--recipe", "nope.toml")
    assert err == "error: cannot read the recipe nope.toml: No such file or directory\n"


def test_a_package_that_is_not_installed_is_named_with_its_cure(
    run: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "filelock", None)
    cure = "arlif needs the package filelock, which is not installed; install it with: pip install "
    assert cli("energy", run) == (2, "", f"error: {cure}filelock\n")
    monkeypatch.setitem(sys.modules, "hw_sim.pipeline", None)
    with pytest.raises(ModuleNotFoundError, match=r"hw_sim\.pipeline"):  # a fault of ours
        main(["energy", str(run)])


def test_a_training_without_a_package_leaves_an_old_run_as_it_is(
    run: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    monkeypatch.delitem(sys.modules, "arlif.training.scalars", raising=False)
    for name in [name for name in sys.modules if name.startswith("tensorboard.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    err = refused(cli, "train", run, *SMALL, "--overwrite")
    assert err.endswith("install it with: pip install tensorboard\n")
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_an_engine_whose_package_is_not_installed_says_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home_of_toy.py").write_text("import nowhere_to_be_found.part\n")
    monkeypatch.syspath_prepend(tmp_path)
    work: Any = SimpleNamespace(options=NoOptions())
    with pytest.raises(MissingToolError, match="toy needs the package nowhere_to") as caught:
        Engine("toy", NIR, "home_of_toy").run(work)
    assert caught.value.cure == "pip install nowhere_to_be_found"


def test_an_error_is_one_line_whatever_it_names(tmp_path: Path, cli: Cli):
    err = refused(cli, "map", tmp_path / "a\n\x1b[2Jb\u2028c")
    assert "/a\\n\\x1b[2Jb\\u2028c; arlif import" in err


def test_the_version_is_printed(cli: Cli):
    assert cli("--version") == (0, f"arlif {arlif.__version__}\n", "")


def test_help_says_which_verb_comes_next(cli: Cli):
    out = " ".join(cli("--help")[1].split())
    assert "train, quantize, export, simulate, compare, energy, report." in out
