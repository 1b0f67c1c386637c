"""The neuron that docs/neurons.md begins with does what the page says, word for word."""

import ast
import re
import shlex
from pathlib import Path

import pytest
import torch
from support.command_line import Cli
from support.pages import run_blocks
from support.places import DOCS
from support.small_runs import SMALL

from arlif.core.real_neurons import NumpyRealOps
from arlif.networks.neuron_choice import NEURONS

PAGE = (DOCS / "neurons.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(python|)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
(MINE, WORDS, LAYER, *_) = [text for _, text in BLOCKS]


def test_the_neuron_has_twenty_lines():
    assert len(MINE.splitlines()) <= 20
    assert PAGE.index(MINE) < 1000


@pytest.mark.lava
def test_the_commands_train_it_and_run_it_on_every_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
):
    monkeypatch.chdir(tmp_path)
    Path("my.py").write_text(MINE)
    lines = [shlex.split(line, comments=True) for line in WORDS.splitlines()]
    verbs = [verb for _, verb, *_ in lines]
    assert verbs == ["train", "quantize", "export", *["simulate"] * 3, *["compare"] * 2, "report"]
    for command, verb, *words in lines:
        assert command == "arlif"
        code, out, err = cli(verb, *words, *(SMALL if verb == "train" else ()))
        assert (verb, code) == (verb, 0), err
        if verb == "compare":
            assert re.search(r"\b0 of [\d,]+ spikes differ|equal", out), out


def test_the_layer_is_a_module():
    scope: dict[str, object] = {}
    exec(MINE, scope)
    run_blocks("neurons.md", scope)
    assert isinstance(scope["net"], torch.nn.Module)


def listed(heading: str) -> str:
    return PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def test_the_operations_are_those_of_a_step():
    """What the page's table lists is what interpreters have, and nothing is left out."""
    named = {*re.findall(r"`ops\.(\w+)\(", listed("What a step may do"))}
    assert named == {name for name in dir(NumpyRealOps) if not name.startswith("_")}


def test_every_neuron_of_recipes_is_in_the_table():
    table = listed("The neurons that come with arlif")
    named = {*re.findall(r"`([\w-]+)`", "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))}
    assert named == {*NEURONS}


def test_the_neuron_is_that_of_the_example():
    """Its step is the same, so that the page and the program stay together."""
    example = (DOCS.parent / "examples" / "own_neuron.py").read_text(encoding="utf-8")
    kinds = [
        next(n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.ClassDef))
        for text in (MINE, example)
    ]
    mine, theirs = (
        [
            ast.unparse(line)
            for line in next(f for f in kind.body if isinstance(f, ast.FunctionDef)).body
        ]
        for kind in kinds
    )
    assert mine == theirs[-len(mine) :]
