"""Runs of networks that feed themselves: from recordings of sound through every verb."""

import json
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest
import torch
from support.command_line import Cli
from support.places import SHARED

from arlif.training import load_recipe, load_trained, train
from arlif.training.metrics import read_metrics
from hw_sim.crosscheck.result import Verdict
from hw_sim.crosscheck.task import Task, run_task, write_samples, write_task
from hw_sim.engines.floating_point import simulate_float
from hw_sim.engines.traces import read_traces

TINY = load_recipe(
    "fsdd",
    {
        "architecture.hidden": [6, 5],
        "time_steps": 6,
        "epochs": 1,
        "warmup_epochs": 0,
        "batch_size": 10,
    },
)


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Datasets: ten tones as digits, two recordings of each to train on and one to test."""
    folder = tmp_path_factory.mktemp("data")
    recordings = folder / "fsdd" / "recordings"
    recordings.mkdir(parents=True)
    for digit in range(10):
        for number in (0, 5, 6):
            seconds = np.arange(1300 + 100 * number) / 8000
            tone = 9000 * np.sin(2 * np.pi * (200 + 300 * digit + 9 * number) * seconds)
            with wave.open(str(recordings / f"{digit}_someone_{number}.wav"), "wb") as file:
                file.setframerate(8000)
                file.setsampwidth(2)
                file.setnchannels(1)
                file.writeframes(tone.astype("<i2").tobytes())
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, sounds: Path) -> Path:
    path = tmp_path_factory.mktemp("recurrent") / "run"
    train(TINY, path, data_folder=sounds, accelerator="cpu")
    return path


def test_it_trains(run: Path):
    (row,) = read_metrics(run)
    assert row["train_loss"] > 0
    assert {"rate/neuron1", "rate/neuron2", "alpha/neuron1", "beta/neuron2"} <= row.keys()


def test_every_verb_works_on_it(run: Path, sounds: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ARLIF_DATA", str(sounds))
    for words in (
        ("check",),
        ("calibrate",),
        ("quantize",),
        ("export",),
        ("evaluate",),
        ("evaluate", "--engine", "integer"),
        ("simulate", "--engine", "float"),
        ("simulate",),
        ("simulate", "--engine", "onnx"),
        ("compare", "--got", "onnx"),
        ("energy",),
        ("map",),
        ("report",),
    ):
        code, _, err = cli(words[0], run, *words[1:])
        assert (words, code) == (words, 0), err
    found = json.loads((run / "compare.json").read_text())
    assert all(comparison["equal"] for comparison in found.values())


def test_a_stream_of_steps_equals_the_whole_run(
    run: Path, sounds: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ARLIF_DATA", str(sounds))
    copies = [Path(shutil.copytree(run, tmp_path / name)) for name in ("whole", "stream")]
    found, traces = [], []
    for copy, words in zip(copies, ((), ("--stream",)), strict=True):
        assert cli("quantize", copy)[0] == 0
        assert cli("simulate", copy, "--trace", "10", *words)[0] == 0
        found.append(json.loads((copy / "traces" / "integer.json").read_text()))
        traces.append(read_traces(copy / "traces" / "integer.h5"))
    assert found[0]["spikes_per_inference"] > 0
    whole, stream = traces
    np.testing.assert_array_equal(whole.readout, stream.readout)
    for name in ("neuron1", "neuron2"):
        want, got = whole.traces[name], stream.traces[name]
        np.testing.assert_array_equal(want.spikes, got.spikes)
        for state, values in want.states.items():
            np.testing.assert_array_equal(values, got.states[state])
    for figures in found:
        ways = {(way["source"], way["target"]) for way in figures.pop("ways")}
        assert {("input", "neuron1"), ("neuron1", "neuron2"), ("neuron2", "readout")} <= ways
        figures.pop("measured")
    assert found[0] == found[1]


def test_a_float_graph_of_it_is_written(
    run: Path, sounds: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ARLIF_DATA", str(sounds))
    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    assert cli("quantize", copy)[0] == 0
    assert cli("export", copy, "--float")[0] == 0


def test_it_is_trained_on_as_integers(
    run: Path, sounds: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ARLIF_DATA", str(sounds))
    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    assert cli("quantize", copy, "--qat", "1")[0] == 0
    assert json.loads((copy / "quantize.json").read_text())["qat_epochs"] == 1
    assert cli("simulate", copy)[0] == 0


def test_it_is_checked_beside_its_training(run: Path, sounds: Path, tmp_path: Path):
    module, recipe = load_trained(run)
    write_samples(tmp_path, recipe.load_data(sounds), 10)
    task = Task(1, recipe, 2, 200.0)
    write_task(tmp_path / "1", task, module.state_dict())
    assert run_task(tmp_path / "1").verdict in (Verdict.PASSED, Verdict.NO_LAVA)


def test_traces_of_the_float_engine_are_those_of_the_network(run: Path, sounds: Path):
    """Counts and traces are what the readout's input says that the last layer sent."""
    net, recipe = load_trained(run)
    dataset = recipe.load_data(sounds)
    real = dataset.network_input(dataset.test)
    got = simulate_float(net, real, traced=4, batch=3)
    assert list(got.traces) == ["neuron1", "neuron2"]
    sent: list[torch.Tensor] = []
    net.get_submodule("head").register_forward_pre_hook(lambda _, inputs: sent.append(inputs[0]))
    with torch.no_grad():
        net(real)
    np.testing.assert_array_equal(got.counts["neuron2"], sent[0].sum(0).numpy())
    np.testing.assert_array_equal(got.traces["neuron2"].spikes, sent[0][:, :4].numpy() > 0)


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "data" / "fsdd").is_dir(), reason="no ../shared/data/fsdd here")
def test_the_recipe_hears_digits(tmp_path: Path):
    """Three epochs of twelve: far above chance, below what the whole recipe reaches."""
    recipe = load_recipe("fsdd", {"epochs": 3})
    summary = train(recipe, tmp_path / "run", data_folder=SHARED / "data", accelerator="cpu")
    assert summary.last_accuracy > 0.5
