"""What the report says first, what it says of samples and comparisons, and what it draws."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter
from support.command_line import exit_code
from support.small_runs import SMALL

from arlif.base.numerals import significant
from arlif.run_folder import Run
from arlif.training.plots import at_least
from hw_sim.engines.simulation import Simulation, Trace
from hw_sim.engines.traces import read_traces
from hw_sim.pipeline.samples import Selection
from hw_sim.report.energy_plots import grouped_bars
from hw_sim.report.spike_plots import raster, raster_neurons, raster_values


@pytest.fixture(scope="module")
def verified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run whose report has a verdict; ONNX Runtime has seen fewer samples."""
    run = tmp_path_factory.mktemp("verified") / "run"
    verbs = (
        ("train", run, *SMALL),
        ("quantize", run),
        ("export", run),
        ("simulate", run, "--engine", "onnx", "--samples", "20", "--trace", "6"),
        ("simulate", run, "--engine", "float", "--samples", "60"),
        ("simulate", run, "--samples", "60"),
        ("compare", run, "--got", "onnx"),
        ("energy", run),
        ("report", run),
    )
    for verb in verbs:
        assert exit_code(*verb) == 0
    return run


def test_the_verdict_comes_first_and_is_what_was_measured(verified: Path) -> None:
    report = json.loads((verified / "report.json").read_text())
    page = (verified / "report.html").read_text()
    assert re.findall("<h2>(.*?)</h2>", page)[0] == "Verdict"
    engines = {row["engine"]: row for row in report["engines"]}
    verdict = report["verdict"]
    lost = engines["float"]["accuracy"] - engines["integer"]["accuracy"]
    assert verdict["accuracy"]["lost"] == lost
    assert (verdict["accuracy"]["samples"], verdict["accuracy"]["measured_by"]) == (60, "simulate")
    (comparison,) = report["comparisons"]
    assert verdict["bits"]["equal"] == ["onnx"]
    assert verdict["bits"]["spikes"] == comparison["spikes_compared"]
    sums = comparison["counts_compared"] + comparison["readouts_compared"]
    assert comparison["sums_compared"] == verdict["bits"]["sums"] == sums
    assert f"<td>{sums:,}</td><td>0</td>" in page
    assert " parameters, 1 epoch,\n" in page
    total = report["energy"]["total"]
    assert verdict["events"] == total["synaptic_operations"]["mean"]
    assert verdict["energy_uj"] == {m: e["mean"] for m, e in total["energy_uj"].items()}
    assert verdict["fits"]["cores"] >= 1
    energies = " to ".join(significant(f(verdict["energy_uj"].values())) for f in (min, max))
    for said in (
        '<dd class="value good">yes</dd>',
        f"{100 * abs(lost):.2f} points",
        "synaptic operations",
        f'<dd class="value">{energies} uJ</dd>',
    ):
        assert said in page


def test_where_nothing_was_compared_the_report_says_so(verified: Path, tmp_path: Path) -> None:
    (row,) = json.loads((verified / "report.json").read_text())["comparisons"]
    assert row["states_compared"] == 0  # the graph outputs spikes
    page = (verified / "report.html").read_text()
    cells = re.findall("<tr><td>integer and onnx</td>(.*?)</tr>", page, re.DOTALL)
    assert "<td>not compared</td><td></td>" in cells[0]
    assert '<span class="good">spikes bit for bit equal</span>' in cells[0]
    run = Path(shutil.copytree(verified, tmp_path / "run"))
    for name in ("compare.json", "energy.json"):
        (run / name).unlink()
    assert exit_code("report", run) == 0
    report = json.loads((run / "report.json").read_text())
    assert (report["verdict"]["bits"], report["verdict"]["events"]) == (None, None)
    for engine in ("float.h5", "float.json"):
        (run / "traces" / engine).unlink()
    assert exit_code("report", run) == 0
    judged = json.loads((run / "report.json").read_text())["verdict"]["accuracy"]
    quantized = json.loads((run / "quantize.json").read_text())
    assert (judged["samples"], judged["measured_by"]) == (quantized["samples"], "quantize")
    assert f"on {judged['samples']} samples by arlif quantize" in (run / "report.html").read_text()
    page = (run / "report.html").read_text()
    assert f"not compared; arlif verify {run} compares every engine" in page
    assert page.count(f"not measured; arlif verify {run} measures it") == 2


def test_integers_are_judged_on_the_very_samples_of_another_engine(verified: Path) -> None:
    rows = {r["engine"]: r for r in json.loads((verified / "report.json").read_text())["engines"]}
    labels = Selection(20).load(Run(verified))[0].labels
    decided = read_traces(verified / "traces/integer.h5").decisions[:20]
    assert rows["onnx"]["integer_accuracy"] == np.mean(decided == labels)
    assert rows["onnx"]["integer_accuracy"] == rows["onnx"]["accuracy"]
    assert rows["integer"]["integer_accuracy"] == rows["integer"]["accuracy"]


def test_samples_of_other_inputs_are_not_judged_by_ours(verified: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(verified, tmp_path / "run"))
    inputs, labels = run / "inputs.npy", run / "labels.npy"
    np.save(inputs, np.random.default_rng(0).random((1, 6, 1, 8, 8), np.float32))
    np.save(labels, np.arange(6))
    files = ("--inputs", inputs, "--labels", labels)
    assert exit_code("simulate", run, "--engine", "onnx", *files) == 0
    assert exit_code("report", run) == 0
    rows = {r["engine"]: r for r in json.loads((run / "report.json").read_text())["engines"]}
    assert rows["onnx"]["integer_accuracy"] is None


def test_it_has_a_date_and_its_contents_lead_to_every_section(verified: Path) -> None:
    page = (verified / "report.html").read_text()
    written = json.loads((verified / "report.json").read_text())["written"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d UTC", written)
    assert f"Written {written}." in page
    nav = re.findall("<nav>(.*?)</nav>", page)[0]
    sections = re.findall(r'<section id="(\w+)"><h2>(.*?)</h2>', page)
    assert re.findall('<a href="#(.*?)">(.*?)</a>', nav) == sections
    assert len(sections) == page.count("<h2>") > 4


@pytest.mark.parametrize(("longest", "prefixed"), [(0.25, False), (999.0, False), (1e3, True)])
def test_bars_have_prefixes_of_units_from_a_thousand_on(longest: float, prefixed: bool) -> None:
    """250 m % is no rate that anybody reads."""
    (axes,) = grouped_bars(["layer"], {"integer": [longest]}, "length").axes
    assert isinstance(axes.xaxis.get_major_formatter(), EngFormatter) is prefixed


def of(**spikes: np.ndarray) -> dict[str, Simulation]:
    """Simulations of one sample by engine: spikes [T, neurons] of layer n."""
    return {
        engine: Simulation(np.zeros((1, 2)), {}, {"n": Trace(fired[:, None])})
        for engine, fired in spikes.items()
    }


def test_a_raster_says_how_many_neurons_and_marks_what_differs() -> None:
    fired = np.random.default_rng(0).random((5, 100)) < 0.3
    fired[1, 3], fired[4, 60] = True, False  # of which the other engine makes silence and a spike
    changed = fired.copy()
    for step, neuron in ((1, 3), (4, 60), (2, 99)):  # the last one is not shown
        changed[step, neuron] ^= True
    simulations = of(integer=fired, onnx=fired, lava=changed)
    values = raster_values(simulations, 0)
    neurons = raster_neurons(simulations, values)
    assert neurons == {"n": {"shown": 64, "neurons": 100, "different": 2}}
    figure = raster(values, neurons)
    first, other = figure.axes
    assert first.get_ylabel() == "n\n64 of 100 neurons"
    assert [axes.get_title() for axes in figure.axes] == ["integer", "lava"]
    assert figure.get_supxlabel() == "the same spikes: onnx"
    black, red = (places.get_offsets() for places in first.collections)
    assert (len(black), len(red)) == (fired[:, :64].sum(), 0)
    _, red = (places.get_offsets() for places in other.collections)
    assert {tuple(map(int, place)) for place in red} == {(2, 3), (5, 60)}


def test_axes_do_not_make_noise_large() -> None:
    axes = Figure().subplots()
    axes.plot([98.1, 98.2, 98.15])
    at_least(axes, 5.0, 100.0)
    low, high = axes.get_ylim()
    assert low < 98.1 < 98.2 < high < 101
    assert high - low == pytest.approx(5)
    axes = Figure().subplots()
    axes.plot([0.0, 80.0])
    before = axes.get_ylim()
    at_least(axes, 5.0, 100.0)
    assert axes.get_ylim() == before
