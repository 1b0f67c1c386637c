"""Ablation and figures, on runs of a second each."""

import json
import shutil
from dataclasses import replace
from itertools import groupby

import pytest
from pytorch_lightning import Callback
from support.folder_holder import another_process
from support.training_runs import TINY

from arlif.base.errors import ArlifError
from arlif.networks import Stack
from arlif.training import Recipe, ablate
from arlif.training import plots as drawn
from arlif.training.ablation import TABLE_2, AblationRow, markdown, table, title
from arlif.training.accuracy import evaluate
from arlif.training.metrics import read_metrics
from arlif.training.module import TrainingModule
from arlif.training.train import load_trained
from hw_sim.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ablation")
    ablate(TINY, folder, ["lif-hard", "arlif"], [1, 2], accelerator="cpu")
    return folder


def test_ablation_writes_table_and_plot_and_keeps_finished_runs(folder):
    assert "AR-LIF, alpha and theta learned" in (folder / "ablation.md").read_text()
    for name in ("ablation.png", "spike-rates.png", "learned-arlif.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
        assert (folder / name).with_suffix(".pdf").read_bytes().startswith(b"%PDF")
        assert "<svg" in (folder / name).with_suffix(".svg").read_text()
    assert not (folder / "learned-lif-hard.png").exists()
    lines = [line.split(",") for line in (folder / "layers.csv").read_text().splitlines()[1:]]
    runs = [(neuron, seed) for neuron in ("lif-hard", "arlif") for seed in ("1", "2")]
    assert [run for run, _ in groupby(lines, lambda line: (line[0], line[1]))] == runs
    for neuron, seed in runs:
        (row,) = read_metrics(folder / f"{neuron}-{seed}")
        found = {
            f"{what}/{layer}": value
            for n, s, _, layer, what, value in lines
            if [n, s] == [neuron, seed]
        }
        assert {name.partition("/")[0] for name in found} >= {"rate"}
        assert ("alpha/neuron1" in found) == (neuron == "arlif")
        for name, value in found.items():
            assert float(value) == pytest.approx(row[name], rel=1e-5)
    before = (folder / "arlif-1" / "metrics.csv").stat().st_mtime_ns
    rows = ablate(TINY, folder, ["arlif"], [1, 2], accelerator="cpu")
    assert (folder / "arlif-1" / "metrics.csv").stat().st_mtime_ns == before
    assert [len(row.last) for row in rows] == [2]


def test_finished_runs_of_another_recipe_are_refused(folder):
    with pytest.raises(ArlifError, match=r"arlif-1 was started with another recipe"):
        ablate(replace(TINY, epochs=2), folder, ["arlif"], [1], accelerator="cpu")


def test_a_run_without_its_record_and_a_folder_of_a_run_are_refused(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "arlif-1" / "metrics.csv").unlink()
    with pytest.raises(ArlifError, match=r"arlif-1 has no metrics\.csv"):
        ablate(TINY, copy, ["arlif"], [1], accelerator="cpu")
    (tmp_path / "imported").mkdir()
    (tmp_path / "imported" / "network.nir").touch()
    for place in (folder / "arlif-2", tmp_path / "imported"):
        with pytest.raises(ArlifError, match=f"{place.name} holds a run; an ablation has runs of"):
            ablate(TINY, place, ["arlif"], [1], accelerator="cpu")


def test_who_ends_last_writes_the_table(tmp_path):
    """A run that another process trains is looked at again once the others are done."""
    free = ("lif-soft-1", "arlif-1")
    with another_process(tmp_path / "lif-hard-1") as other:

        class Ends(Callback):
            def on_train_end(self, trainer, module):
                if all((tmp_path / name / "config.json").exists() for name in free):
                    other.kill()
                    other.wait()

        names = ["lif-hard", "lif-soft", "arlif"]
        rows = ablate(TINY, tmp_path, names, [1], accelerator="cpu", callbacks=(Ends(),))
    assert [row.neuron for row in rows] == names
    for row in rows:
        trained = json.loads((tmp_path / f"{row.neuron}-1" / "training.json").read_text())
        assert row.last == (100 * trained["last_accuracy"],)
    assert (tmp_path / "ablation.md").exists()


def test_ctrl_c_says_how_an_ablation_continues(tmp_path, monkeypatch):
    def interrupted(self, batch, index):
        raise KeyboardInterrupt

    monkeypatch.setattr(TrainingModule, "training_step", interrupted)
    with pytest.raises(ArlifError) as raised:
        ablate(TINY, tmp_path, ["arlif"], [1], accelerator="cpu")
    assert str(raised.value) == (
        f"{tmp_path / 'arlif-1'}: stopped after epoch 0 of 1; start the same command again to "
        "continue"
    )


def test_an_ablation_in_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        ArlifError, match=r"cannot write into .*file.arlif-1: Not a directory; choose"
    ):
        ablate(TINY, tmp_path / "file", ["arlif"], [1], accelerator="cpu")


def test_a_diverged_run_is_named(tmp_path):
    recipe = replace(TINY, learning_rate=1e9, optimizer="sgd")
    with pytest.raises(ArlifError, match=r"arlif-1: training diverged in epoch 1"):
        ablate(recipe, tmp_path, ["arlif"], [1], accelerator="cpu")


def test_only_the_neuron_and_seed_differ_between_runs(folder):
    for run in ("lif-hard-1", "lif-hard-2", "arlif-1", "arlif-2"):
        neuron, seed = run.rsplit("-", 1)
        _, recipe = load_trained(folder / run)
        assert (recipe.neuron.name, recipe.seed) == (neuron, int(seed))
        assert recipe.architecture == TINY.architecture


def test_the_table_gives_mean_and_standard_deviation():
    row = AblationRow("arlif", (90.0, 92.0), (91.0,))
    assert table([row]) == [[TABLE_2["arlif"], "91.00 ± 1.41", "91.00"]]
    text = markdown(title(TINY, [4, 7]), [row])
    assert text.startswith(
        "Test accuracy in %, mean ± standard deviation over the 2 seeds 4, 7: digits, T = 2, "
        "1 epoch, the first 20 training samples a class, the first 10 test samples a class\n\n"
        "| neuron | last epoch | best epoch |\n"
    )
    assert "| 91.00 ± 1.41 | 91.00 |" in text
    assert title(TINY, [4]).startswith("Test accuracy in %, seed 4: ")
    assert title(TINY, [4]).endswith(
        ", 1 epoch, the first 20 training samples a class, the first 10 test samples a class"
    )
    assert title(replace(TINY, train_per_class=0, test_per_class=0), [4]).endswith(", 1 epoch")


def test_every_neuron_of_the_ablation_exists():
    for neuron in TABLE_2:
        Recipe("digits", Stack((4,)), neuron=type(TINY.neuron)(neuron))


def test_a_wrong_neuron_is_refused_before_anything_is_trained(tmp_path):
    with pytest.raises(ArlifError, match="no neuron is called 'alif'; there are arlif, "):
        ablate(TINY, tmp_path / "runs", ["arlif", "alif"], [1])
    assert not (tmp_path / "runs").exists()


def test_the_command_compares_the_neurons_that_it_is_given(tmp_path, capsys):
    small = ("epochs=1", "train_per_class=10", "test_per_class=10", "architecture.features=[2]")
    changes = [part for text in small for part in ("--set", text)]
    with pytest.raises(SystemExit) as stop:
        main(["ablate", str(tmp_path), "--neurons", "plif,psn-mpe", "--seeds", "1", *changes])
    assert not stop.value.code
    out = capsys.readouterr().out
    assert "psn-mpe" in out
    assert "seed 1: digits, T = 4, 1 epoch, the first 10 training" in " ".join(
        out.split()
    )  # titles fold
    rows = json.loads((tmp_path / "ablation.json").read_text())
    assert [row["neuron"] for row in rows] == ["plif", "psn-mpe"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--set", "seed=3"), "--set seed has no meaning; use --seeds"),
        (("--set", "neuron.name=plif"), "--set neuron.name has no meaning; use --neurons"),
        (
            ("--neurons", "plif, clif,plif"),
            "every neuron and every seed once, and plif is given twice",
        ),
        (("--set", 'neuron={name="plif"}'), "--set neuron.name has no meaning"),
        (("--neurons", " clif , alif"), "no neuron is called 'alif'"),
        (("--neurons", ","), "no neuron is called ''"),
    ],
)
def test_what_an_ablation_would_ignore_is_refused(tmp_path, capsys, options, message):
    with pytest.raises(SystemExit) as stop:
        main(["ablate", str(tmp_path / "runs"), *options])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_an_ablation_of_nothing_is_refused(tmp_path):
    with pytest.raises(ArlifError, match="at least one neuron"):
        ablate(TINY, tmp_path, [], [1])


def test_figures_are_drawn_from_runs(folder, tmp_path):
    run = folder / "arlif-1"
    net, recipe = load_trained(run)
    dataset = recipe.load_data()
    assert len(dataset.train) == 200
    from arlif.training.batches import Batches

    result = evaluate(net, dataset.info, Batches(dataset.test, 50))
    made = [
        drawn.learning_curves(run),
        drawn.learned(run),
        drawn.spike_rates({"AR-LIF": run, "LIF": folder / "lif-hard-1"}),
        drawn.confusion_figure(result.confusion, dataset.info.classes),
    ]
    for number, figure in enumerate(made):
        drawn.save(figure, tmp_path / f"{number}.png")
        assert (tmp_path / f"{number}.png").stat().st_size > 2000
    assert [line.get_label() for line in made[2].axes[0].lines] == ["AR-LIF", "LIF"]


def test_figures_say_what_is_missing(folder, tmp_path):
    with pytest.raises(ArlifError, match="no metrics"):
        drawn.learning_curves(tmp_path)
    with pytest.raises(ArlifError, match="learns no scalar"):
        drawn.learned(folder / "lif-hard-1")
