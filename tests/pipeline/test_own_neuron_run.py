"""A run whose neuron is a class in a user's file: the run keeps the file, and needs no other."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from support.command_line import Cli
from support.small_runs import refused
from support.training_runs import TINY

from arlif.artifacts import NEURON
from arlif.base.digests import DIGESTS
from arlif.base.errors import ArlifError
from arlif.networks import NeuronConfig
from arlif.run_folder import Run
from arlif.training import Recipe, ablate, load_recipe, load_trained, read_recipe, train
from arlif.training.train import require_same_recipe
from hw_sim.crosscheck.result import Verdict
from hw_sim.crosscheck.task import Task, run_task, write_samples, write_task

TEXT = (Path(__file__).parents[1] / "support" / "user_neurons.py").read_text()


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """The user's file."""
    path = tmp_path / "mine.py"
    path.write_text(TEXT)
    return path


def own(file: Path, name: str = "Adaptive", **constants: float) -> Recipe:
    return replace(TINY, neuron=NeuronConfig(f"{file}:{name}", **constants))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained in another folder than it lies in now, by a file that is gone."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "mine.py").write_text(TEXT)
    train(own(folder / "mine.py", decay=0.75), folder / "first", accelerator="cpu")
    (folder / "mine.py").unlink()
    return Path(shutil.move(folder / "first", folder / "run"))


def test_a_run_keeps_its_neuron(run: Path):
    assert (run / NEURON.name).read_text() == TEXT
    assert json.loads((run / "config.json").read_text())["neuron"]["name"].endswith(
        "mine.py:Adaptive"
    )
    module, recipe = load_trained(run)
    layer = module.get_submodule("neuron1")
    assert type(layer.real_neuron()).__name__ == recipe.neuron.label == "Adaptive"
    assert layer.get_parameter("strength").shape == (4, 1, 1)
    assert layer.real_neuron().decay == 0.75
    assert not list(run.glob("__pycache__"))


def test_every_verb_works_on_it(
    run: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    for words in (
        ("check",),
        ("calibrate",),
        ("quantize",),
        ("export", "--float"),
        ("evaluate",),
        ("evaluate", "--engine", "integer"),
        ("simulate", "--engine", "float", "--samples", "9"),
        ("simulate", "--samples", "9"),
        ("simulate", "--engine", "onnx", "--samples", "9"),
        ("compare", "--got", "onnx"),
        ("map",),
        ("sweep", "--weight-bits", "8", "--time-steps", "2"),
        ("report",),
    ):
        code, _, err = cli(words[0], run, *words[1:])
        assert (words, code) == (words, 0), err
    found = json.loads((run / "compare.json").read_text())
    assert all(comparison["equal"] for comparison in found.values())


def test_it_is_trained_on_as_integers(run: Path, tmp_path: Path, cli: Cli):
    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    assert cli("quantize", copy, "--qat", "1")[0] == 0
    assert json.loads((copy / "quantize.json").read_text())["qat_epochs"] == 1


def test_it_is_checked_beside_its_training(run: Path, tmp_path: Path):
    module, recipe = load_trained(run)
    write_samples(tmp_path, recipe.load_data(), 20)
    task = Task(1, recipe, 2, 200.0)
    write_task(tmp_path / "1", task, module.state_dict())
    assert run_task(tmp_path / "1").verdict in (Verdict.PASSED, Verdict.NO_LAVA)


def test_a_file_that_config_names_is_not_run(run: Path, tmp_path: Path):
    """A run from elsewhere may name any file; only its own is run."""
    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    trap = tmp_path / "trap.py"
    trap.write_text("raise AssertionError('run')")
    config = json.loads((copy / "config.json").read_text())
    config["neuron"]["name"] = f"{trap}:Adaptive"
    (copy / "config.json").write_text(json.dumps(config))
    (copy / DIGESTS).unlink()
    assert load_trained(copy)[1].neuron.name == f"{copy / 'neuron.py'}:Adaptive"
    (copy / "neuron.py").unlink()
    with pytest.raises(ArlifError, match=r"has no neuron.py; write it with"):
        load_trained(copy)


def test_a_run_continues_with_the_same_neuron_wherever_it_lies(run: Path, mine: Path):
    require_same_recipe(own(mine, decay=0.75), run)
    mine.write_text(TEXT + "\n")
    with pytest.raises(ArlifError, match=r"another recipe \(neuron differ\)"):
        require_same_recipe(own(mine, decay=0.75), run)


def test_a_run_that_starts_anew_leaves_the_old_neuron(run: Path, tmp_path: Path):
    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    train(own(copy / "neuron.py"), copy, overwrite=True, accelerator="cpu")
    assert (copy / "neuron.py").read_text() == TEXT
    assert read_recipe(copy).neuron.decay == 0.5
    train(TINY, copy, overwrite=True, accelerator="cpu")
    assert not Run(copy).has(NEURON)


def test_an_ablation_takes_names_and_files(mine: Path, tmp_path: Path):
    folder, neurons = tmp_path / "ablation", ["lif-soft", f"{mine}:Adaptive"]
    rows = ablate(TINY, folder, neurons, [1], accelerator="cpu")
    assert [row.neuron for row in rows] == neurons
    assert (folder / "Adaptive-1" / "model.pt").exists()
    assert "| Adaptive |" in (folder / "ablation.md").read_text()
    before = (folder / "Adaptive-1" / "metrics.csv").stat().st_mtime_ns
    ablate(TINY, folder, neurons, [1], accelerator="cpu")
    assert (folder / "Adaptive-1" / "metrics.csv").stat().st_mtime_ns == before
    other = tmp_path / "other.py"
    other.write_text(TEXT)
    with pytest.raises(ArlifError, match="Adaptive is given twice"):
        ablate(TINY, folder, [f"{mine}:Adaptive", f"{other}:Adaptive"], [1])


HEAD = "from arlif import Neuron, constant\n"
STEP = "    def step(self, ops, state, x):\n        h = ops.saturate(state.u + x)\n"
GOOD = f'{HEAD}class Own(Neuron):\n    state = ("u",)\n{STEP}        return ops.fire(h, 1), (h,)\n'


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        (GOOD, "Other", "has no class 'Other'; its neurons are Own"),
        ("", "Own", r"its neurons are \(none\)"),
        ("Own = 1", "Own", "Own of .* is no neuron: derive a class from arlif.Neuron"),
        ("class Own(:", "Own", r"own.py:Own cannot be used: SyntaxError: .*\(own.py, line 1\)"),
        ("import nothing_such", "Own", r"ModuleNotFoundError: .*own.py, line 1\)"),
        (GOOD.replace("state.u", "wrong"), "Own", r"NameError: .*own.py, line 5\)"),
        (
            GOOD.replace("state.u", "state.v"),
            "Own",
            r"'OwnState' object has no attribute 'v'; write it .*\(.*own.py, line 5\)$",
        ),
        (
            GOOD.replace('("u",)', '("u",)\n    rho: float = constant(2, high=1)'),
            "Own",
            r"a constant starts in \[-inf, 1\], not at 2 \(.*own.py, line 4\)$",
        ),
        (
            GOOD.replace('("u",)', '("u",)\n    flag: bool'),
            "Own",
            r"missing 1 required positional argument: 'flag'$",
        ),
        (
            GOOD.replace('("u",)', '("u",)\n    decay: float = constant(0.9, low=0.8)'),
            "Own",
            r"decay of Own lies in \[0.8, inf\], not at 0.5",
        ),
        ("import sys; sys.exit(3)", "Own", r"own.py ends the program \(exit code 3\)"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, cli: Cli, text: str, name: str, message: str):
    (tmp_path / "own.py").write_text(text)
    given = f"neuron.name={tmp_path / 'own.py'}:{name}"
    line = refused(cli, "train", tmp_path / "run", "--set", given)
    assert re.search(message, line.rstrip()), line
    assert not (tmp_path / "run").exists()


def test_other_refusals(tmp_path: Path, mine: Path, cli: Cli):
    missing = f"neuron.name={tmp_path / 'none.py'}:Own"
    said = refused(cli, "train", tmp_path / "run", "--set", missing)
    assert "there is no file" in said
    assert "paths count from where arlif is started" in said
    assert "my.py:MyNeuron" in refused(cli, "train", tmp_path / "run", "--set", "neuron.name=lif")
    wrong = f"arlif,{mine}:Nothing"
    assert "has no class" in refused(cli, "ablate", tmp_path / "run", "--neurons", wrong)


def test_a_recipe_file_runs_no_program(tmp_path: Path, mine: Path):
    mine.write_text("raise AssertionError('run')")
    recipe = tmp_path / "mine.toml"
    recipe.write_text(f'extends = "digits"\n[neuron]\nname = "{mine}:Adaptive"\n')
    with pytest.raises(ArlifError, match=r"recipes run no programs: .* --set neuron.name="):
        load_recipe(str(recipe))
