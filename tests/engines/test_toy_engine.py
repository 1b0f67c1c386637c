"""An engine is one file and one row: the test to copy for a real one (docs/extending.md)."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch
from support.command_line import Cli, exit_code
from support.small_runs import SMALL, refused

from arlif.base.errors import ArlifError
from export.file_formats import NET
from hw_sim.engines.table import ENGINES, LAVA, Engine, choose
from hw_sim.engines.work import Work
from hw_sim.pipeline import simulate_run

FILE = '''"""A toy: the reference engine on the .net file, which can be asked to lose spikes."""

from dataclasses import dataclass

from arlif.base.options import option
from hw_sim.engines.work import Outcome, Work


@dataclass(frozen=True)
class ToyOptions:
    """Lost spikes."""

    lost: int = option(0, "--lost", "spikes that it forgets", 0)


def run(work: Work[ToyOptions]) -> Outcome:
    """The network of a .net file, in numpy."""
    from arlif.core.equality import fingerprint
    from export.lava import read_net
    from hw_sim.engines.integer.reference import simulate
    from hw_sim.engines.simulation import Record, raw_inputs

    network = read_net(work.path)
    raw = raw_inputs(network, work.real)
    done = simulate(network, raw, work.time_steps, Record.everything(network))
    name = network.populations[-1].name
    last = done.traces[name].spikes
    last.reshape(-1)[last.reshape(-1).nonzero()[0][: work.options.lost]] = False
    done.counts[name][:] = last.sum(0)
    return Outcome(done, fingerprint(network), network.input.clipped(work.real))
'''
HELP = """
from export.file_formats import NET
from hw_sim.engines.table import ENGINES, Engine
from toy_engine import ToyOptions

ENGINES["toy"] = Engine("toy", NET, "toy_engine", ToyOptions)

from hw_sim.cli import main
main(["simulate", "--help"])
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with an exported network that the integer engine has simulated."""
    folder = tmp_path_factory.mktemp("toy") / "run"
    for verb, *words in (("train", *SMALL), ("quantize",), ("export",), ("simulate",)):
        assert exit_code(verb, folder, *words) == 0
    return folder


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The engine: its file, and its row."""
    (tmp_path / "toy_engine.py").write_text(FILE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "toy_engine", raising=False)
    row = Engine("toy", NET, "toy_engine", import_module("toy_engine").ToyOptions, samples=5)
    monkeypatch.setitem(ENGINES, "toy", row)
    return row


@pytest.mark.usefixtures("toy")
def test_it_is_simulated_compared_counted_and_reported(run: Path, cli: Cli) -> None:
    code, out, _ = cli("simulate", run, "--engine", "toy")
    assert (code, "5 samples" in out) == (0, True)
    code, out, _ = cli("compare", run, "--got", "toy")
    assert (code, "integer and toy, 5 samples step by step: 0 of" in out) == (0, True)
    assert cli("energy", run, "--engine", "toy")[0] == 0
    assert cli("report", run)[0] == 0
    assert "toy" in (run / "report.html").read_text(encoding="utf-8")


def test_what_it_is_asked_reaches_it_and_no_other(toy: Engine, run: Path, cli: Cli) -> None:
    simulate_run(run, "toy", options=toy.options(lost=1))
    code, out, _ = cli("compare", run, "--got", "toy")
    assert code == 1
    assert "first divergence" in out
    with pytest.raises(ArlifError, match=r"^--lost needs --engine toy, not onnx$"):
        choose(ENGINES["onnx"], {"lost": 1})
    with pytest.raises(ArlifError, match=r"^--device needs --engine integer, not toy$"):
        choose(toy, {"device": "cuda"})


def test_its_options_are_flags(tmp_path: Path) -> None:
    (tmp_path / "toy_engine.py").write_text(FILE)
    done = subprocess.run(
        [sys.executable, "-c", HELP], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.replace("│", " ").split())
    assert "--lost <int range> [x>=0] Toy: spikes that it forgets. [default: 0]" in said


def test_without_the_row_there_is_no_such_engine(run: Path, cli: Cli) -> None:
    said = refused(cli, "simulate", run, "--engine", "toy")
    assert f"'toy' is not one of {', '.join(map(repr, ENGINES))}" in said
    with pytest.raises(ArlifError, match=f"no engine 'toy'; there are {', '.join(ENGINES)}$"):
        simulate_run(run, "toy")


def test_every_row_can_be_run() -> None:
    for name, engine in ENGINES.items():
        assert engine.name == name
        engine.options()
        assert callable(import_module(engine.home).run)


def test_an_engine_takes_its_own_options_only() -> None:
    work = Work(Path("network.net"), torch.zeros(1, 1, 1), 1, 0, LAVA.options(), print)
    with pytest.raises(ArlifError, match="the engine integer takes IntegerOptions, not LavaOpt"):
        ENGINES["integer"].run(work)
