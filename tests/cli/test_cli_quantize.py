"""arlif quantize: the accuracy of float and of integers, on as many samples as asked for."""

import json
from pathlib import Path

import pytest
import torch
from support.command_line import Cli
from support.command_line import exit_code as verb
from support.small_runs import refused

from arlif.base.errors import ArlifError
from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import Numbers
from arlif.core.tables import TableDomain
from arlif.quantize import Precision
from arlif.quantize.presets import read_numbers, spell
from arlif.training import load_trained
from export.nir import read_nir
from hw_sim.comparison.calibration import CANDIDATES, QuantizationReport
from hw_sim.engines.integer.fast import simulate
from hw_sim.engines.simulation import raw_inputs
from hw_sim.pipeline.samples import load_spread


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network on digits, trained for one epoch."""
    folder = tmp_path_factory.mktemp("quantize") / "run"
    assert verb("train", folder, "--set", "epochs=1") == 0
    return folder


@pytest.mark.parametrize("qat", [0, 1])
def test_both_accuracies_are_told(run: Path, capsys: pytest.CaptureFixture[str], qat: int) -> None:
    capsys.readouterr()
    arguments = ("quantize", run, "--samples", 50, "--weight-bits", 3, "--qat", qat)
    assert verb(*arguments, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    module, recipe = load_trained(run)
    test = load_spread(recipe, None, 50)
    network = read_nir(run / "network.nir")
    integers = simulate(network, raw_inputs(network, test.real), recipe.time_steps)
    with torch.no_grad():
        floats = module(test.real).sum(0).argmax(1).numpy()
    assert result["samples"] == 50
    assert result["accuracy"] == (integers.decisions == test.labels).mean()
    assert result["float_accuracy"] == (floats == test.labels).mean()
    assert json.loads((run / "quantize.json").read_text()) == result


def test_people_read_both_accuracies(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert verb("quantize", run, "--samples", 20) == 0
    out = capsys.readouterr().out
    assert "of 20; accuracy" in out
    assert "in float" in out
    assert "in integers" in out


def test_what_calibrate_picks_can_be_used(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert verb("calibrate", run, "--samples", 16, "--json") == 0
    picked = json.loads(capsys.readouterr().out)
    assert verb("calibrate", run, "--samples", 16) == 0
    assert f"--preset {picked['preset']} " in capsys.readouterr().out
    assert verb("quantize", run, "--samples", 16, "--preset", picked["preset"]) == 0
    neuron = read_nir(run / "network.nir").populations[0].neuron
    want = picked["narrowest"]["precision"]["numbers"]
    assert vars(neuron.state_format) == want["state_format"]
    assert neuron.factor_bits == want["factor_bits"]


@pytest.mark.parametrize(
    ("changed", "verdict", "preset"),
    [
        ((17, 2, 0), "the narrowest that changes at most 1 % of decisions: ", 1),
        ((17, 6, 9), "none changes at most 1 % of decisions; the one that changes fewest: ", 1),
    ],
)
def test_calibrate_says_whether_a_format_is_good_enough(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch, changed, verdict, preset
) -> None:
    reports = [
        QuantizationReport(Precision(numbers, 8), 256, count, ())
        for numbers, count in zip(CANDIDATES, changed, strict=False)
    ]
    monkeypatch.setattr("hw_sim.pipeline.calibrate.reports_on", lambda *given: reports)
    capsys.readouterr()
    assert verb("calibrate", run) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    spelled = spell(CANDIDATES[preset])
    assert said == f"{verdict}arlif quantize {run} --preset {spelled} --weight-bits 8"
    assert verb("calibrate", run, "--json") == 0
    assert json.loads(capsys.readouterr().out)["within_tolerance"] == (changed[2] == 0)


WIDE = Numbers(FixedPointFormat(30, 4), 16, TableDomain(1024, -4194304.0, 0.0625))


@pytest.mark.parametrize("numbers", [*CANDIDATES, WIDE])
def test_every_candidate_can_be_spelled(numbers: Numbers) -> None:
    assert read_numbers(spell(numbers)) == numbers


@pytest.mark.parametrize("bits", ["0", "1", "9"])
def test_bits_that_no_weight_has_are_no_default(run: Path, cli: Cli, bits: str) -> None:
    told = f"weights take 2 to 8 bits, not {bits}"
    assert told in refused(cli, "quantize", run, "--weight-bits", bits)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("compact", "compact16, loihi24, stock-lava or .*, such as 16/8/8/256/-8/8, not 'compact'"),
        ("16/8/8/256/-8", "not '16/8/8/256/-8'"),
        ("16/8/8/256/-8/nan", "nan"),
        ("40/8/8/256/-8/8", "4 to 30 bits, not 40"),
        ("16/8/99/256/-8/8", "1 to 16 bits, not 99"),
        ("16/8/8/0/-8/8", "16 to 1024 entries, a power of two, not 0"),
        (f"16/8/8/{5000 * '9'}/-8/8", "a preset is compact16"),
        ("\uff11\uff16/8/8/256/-8/8", "a preset is compact16"),
    ],
)
def test_other_spellings_are_refused(text: str, told: str) -> None:
    with pytest.raises(ArlifError, match=told):
        read_numbers(text)
