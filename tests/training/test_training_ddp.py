"""Training in two processes (gloo on the CPU), started as a user's program is."""

import subprocess
import sys

import pytest

from arlif.training import load_trained
from arlif.training.accuracy import evaluate
from arlif.training.batches import Batches
from arlif.training.metrics import read_metrics

PROGRAM = """
import sys
from pathlib import Path
from arlif.networks import Stack
from arlif.training import Recipe, train

if __name__ == "__main__":
    recipe = Recipe("digits", Stack((8, "pool")), epochs=4, batch_size=50, learning_rate=1e-2)
    summary = train(recipe, Path(sys.argv[1]), accelerator="cpu", devices=2)
    print("finished", summary.epochs)
"""


@pytest.mark.slow
def test_two_processes_train_one_network(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    run = tmp_path / "run"
    command = [sys.executable, "-W", "error", str(tmp_path / "program.py"), str(run)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("finished 4") == 1
    rows = read_metrics(run)
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    correct = rows[-1]["test_accuracy"] * 450
    assert correct == pytest.approx(round(correct))  # every test sample was counted once
    assert rows[-1]["test_accuracy"] > 0.9
    assert rows[-1]["train_loss"] < rows[0]["train_loss"]
    net, recipe = load_trained(run)
    dataset = recipe.load_data()
    result = evaluate(net, dataset.info, Batches(dataset.test, 50))
    assert rows[-1]["test_accuracy"] == pytest.approx(result.accuracy)  # the saved model's own
    assert rows[-1]["test_loss"] == pytest.approx(result.loss, rel=1e-4)
