"""A neuron of arlif is one file and one row: the test to copy for a real one (extending.md)."""

import json
import re
import sys
from pathlib import Path

import pytest
from support.command_line import Cli, exit_code
from support.places import DOCS
from support.small_runs import SMALL

from arlif.networks.neuron_choice import NEURONS, layer_of
from arlif.neurons import NeuronLayer
from arlif.training import load_trained
from hw_sim.engines.table import ENGINES, INTEGER

FILE = '''"""A toy: LIF that tires, and is woken by the sign of its current."""

from typing import Any

from arlif.core.neuron import Neuron, constant, learned


class Tired(Neuron):
    """h = k u + x;  s = [h >= v_threshold + w];  w = w sigma(rest - w) + s effort;  u = h - s h."""

    state = ("u", "w")
    decay: float = constant(0.5, low=0, high=1)
    v_threshold: float = constant(1.0, low=0)
    rest: float = constant(1.0)
    effort: float = learned(0.25, low=0, high=2, per="channel")

    def kept(self, ops: Any, w: Any) -> Any:
        return ops.sigmoid(self.rest - w)

    def step(self, ops: Any, state: Any, x: Any) -> Any:
        h = ops.saturate(ops.multiply(state.u, self.decay) + x)
        s = ops.fire(h, self.v_threshold + state.w)
        w = ops.multiply(state.w, ops.lookup(self.kept, state.w)) + ops.select(s, self.effort, 0)
        return s, (ops.select(s, 0, h), ops.saturate(w))
'''
ROW = '"tired": layer_of("tired_neuron:Tired"),'


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The neuron: its file, and its row."""
    (tmp_path / "tired_neuron.py").write_text(FILE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tired_neuron", raising=False)
    ((name, make),) = eval("{" + ROW + "}", {"layer_of": layer_of}).items()
    monkeypatch.setitem(NEURONS, name, make)


@pytest.mark.lava
@pytest.mark.usefixtures("toy")
def test_one_file_and_one_row_go_through_every_engine(tmp_path: Path, cli: Cli):
    run = tmp_path / "run"
    assert exit_code("train", run, *SMALL, "--set", "neuron.name=tired") == 0
    layer = load_trained(run)[0].get_submodule("neuron1")
    assert isinstance(layer, NeuronLayer)
    assert layer.get_parameter("effort").shape == (4, 1, 1)
    assert not (run / "neuron.py").exists()
    for verb in (
        ("quantize", "--qat", "1"),
        ("export", "--c"),
        *(("simulate", "--engine", e) for e, row in ENGINES.items() if row.demonstrated),
    ):
        assert cli(verb[0], run, *verb[1:])[0] == 0
    for name, engine in ENGINES.items():
        if engine.exact and engine.demonstrated and engine is not INTEGER:
            code, out, _ = cli("compare", run, "--got", name, "--json")
            found = json.loads(out)
            assert (code, found["equal"], found["spikes_different"]) == (0, True, 0)
            assert found["spikes_compared"] > 1000
    code, out, _ = cli("energy", run, "--json")
    assert code == 0
    assert "Tired" in out


def test_the_page_asks_for_one_file_and_one_line():
    page = (DOCS / "extending.md").read_text(encoding="utf-8")
    section = page.split("\n## A neuron\n")[1].split("\n## ")[0]
    (table,) = re.findall(r"\| file \| what to add \|\n\|---\|---\|\n((?:\|.*\n)+)", section)
    files = re.findall(r"^\| `(.*?)` \|", table, re.MULTILINE)
    assert files == ["arlif/neurons/", "arlif/networks/neuron_choice.py"]
    assert '`"NAME": layer_of("arlif.neurons.NAME:CLASS"),`' in table
    assert ROW.count("\n") == 0
