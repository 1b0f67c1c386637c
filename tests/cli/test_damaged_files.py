"""Files of a run and files given by hand, damaged in many ways: refused in a line, or the same."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
import pytest
from support.command_line import Cli
from support.judging import LONGEST_S
from support.mutants_of_files import mutants, unsealed
from support.noted import note
from support.small_runs import refused

from arlif.artifacts import NIR, Artifact
from arlif.base.digests import DIGESTS
from arlif.base.errors import ArlifError
from arlif.base.seal import MARK
from arlif.run_folder import Run
from arlif.training.checkpoints import read_checkpoint
from export.lava import read_net
from export.nir import is_native, load_nir, read_nir
from export.onnx.file import with_digest
from hw_sim.engines.traces import read_traces

COUNTS = (pytest.param(8), pytest.param(300, marks=pytest.mark.slow))


@pytest.fixture(scope="module")
def whole(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has been through every stage."""
    from support.command_line import exit_code

    run = Path(shutil.copytree(exported, tmp_path_factory.mktemp("whole") / "run"))
    for engine in ("integer", "onnx"):
        assert exit_code("simulate", run, "--engine", engine, "--samples", "4") == 0
    point = ("--weight-bits", "8", "--time-steps", "1", "--samples", "8")
    for verb in (("compare", run, "--got", "onnx"), ("energy", run), ("sweep", run, *point)):
        assert exit_code(*verb) == 0
    return run


USES: dict[str, tuple[str, ...]] = {
    "config.json": ("summary",),
    "model.pt": ("evaluate",),
    "training.json": ("report",),
    "metrics.csv": ("energy", "--table3"),
    "checkpoints/last.ckpt": ("train", "--resume"),
    "network.nir": ("map",),
    "quantize.json": ("report",),
    "network.net": ("simulate", "--engine", "lava", "--samples", "2"),
    "network.onnx": ("simulate", "--engine", "onnx", "--samples", "2"),
    "traces/integer.h5": ("energy",),
    "traces/integer.json": ("compare", "--got", "onnx"),
    "compare.json": ("report",),
    "energy.json": ("report",),
    "sweep.json": ("report",),
    "digests.json": ("map",),
}
"""Files of a run, each with a verb that reads it."""


@pytest.mark.parametrize("file", USES)
def test_a_damaged_file_of_a_run_is_refused(
    whole: Path, tmp_path: Path, cli: Cli, file: str
) -> None:
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    verb, *words = USES[file]
    content = (run / file).read_bytes()
    for number, changed in enumerate(mutants(content, 2)):
        (run / file).write_bytes(changed)
        started = time.monotonic()
        code, out, err = cli(verb, run, *words)
        assert time.monotonic() - started < LONGEST_S
        assert (code, err.count("\n"), err[:7]) == (2, 1, "error: "), (number, out, err)


def test_traces_that_lack_a_state_are_not_compared(whole: Path, tmp_path: Path, cli: Cli) -> None:
    """With a digest that was made anew."""
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    file = "traces/integer.h5"
    with h5py.File(run / file, "r+") as content:
        name = next(iter(content["traces"]))
        del content[f"traces/{name}/states/r"]
    note(run, file)
    err = refused(cli, "compare", run, "--got", "onnx")
    assert f"lacks r of {name}; simulate again with: arlif simulate" in err


def test_traces_and_figures_are_of_one_simulation(whole: Path, tmp_path: Path, cli: Cli) -> None:
    """Those of other samples lie beside them, and digests were made anew."""
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    assert cli("simulate", run, "--samples", "3", "--trace", "2")[0] == 0
    (run / "traces/integer.json").write_bytes((whole / "traces/integer.json").read_bytes())
    note(run, "traces/integer.h5", "traces/integer.json")
    for verb in (("energy", run), ("compare", run, "--got", "onnx")):
        assert "integer.json are not of one simulation; write both" in refused(cli, *verb)


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("training.json", {"seed": 9}, "seed of {} are not those of metrics.csv and config.json"),
        ("training.json", {"best_accuracy": 0.9, "seconds": 1.5}, "best_accuracy, seconds of {}"),
        ("energy.json", {"samples": 3}, "{} is not of the spikes of engine integer"),
        ("energy.json", {"engine": "onnx", "samples": 5}, "{} is not of the spikes of engine onnx"),
        ("sweep.json", {"weight_bits": [8, 8]}, "each point of a sweep is asked for once"),
    ],
)
def test_what_the_rest_of_a_run_contradicts_is_not_reported(
    whole: Path, tmp_path: Path, cli: Cli, file: str, change: dict[str, Any], said: str
) -> None:
    """With a digest that was made anew."""
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    content = json.loads((run / file).read_text())
    (run / file).write_text(json.dumps(content | change))
    note(run, file)
    assert said.format(run / file) in refused(cli, "report", run)


@pytest.mark.parametrize("name", ["neuron1.spikes", "readout"])
def test_a_graph_of_other_layers_or_classes_is_not_simulated(
    whole: Path, tmp_path: Path, cli: Cli, name: str
) -> None:
    """With digests that were made anew."""
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    model = onnx.load(run / "network.onnx")
    (output,) = (found for found in model.graph.output if found.name == name)
    model.graph.output.remove(output)
    (run / "network.onnx").write_bytes(with_digest(model))
    note(run, "network.onnx")
    err = refused(cli, "simulate", run, "--engine", "onnx", "--samples", "2")
    assert f"{run / 'network.onnx'} " in err
    assert "export" in err


@pytest.mark.parametrize(
    "file", ["compare.json", "quantize.json", "traces/onnx.h5", "traces/onnx.json"]
)
def test_a_verdict_leaves_out_no_damaged_file(
    whole: Path, tmp_path: Path, cli: Cli, file: str
) -> None:
    """What is not asked for is not made again, and counts."""
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    verify = ("verify", run, "--engine", "integer", "--samples", "4")
    assert cli(*verify)[0] == 0
    content = bytearray((run / file).read_bytes())
    content[len(content) // 2] ^= 1
    (run / file).write_bytes(content)
    code, out, err = cli(*verify)
    assert (code, err.count("\n"), f"{run / file} was damaged" in err) == (2, 1, True), (out, err)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("file", sorted(USES.keys() - {"checkpoints/last.ckpt"}))
def test_no_damage_to_a_file_of_a_run_escapes_its_digest(
    whole: Path, tmp_path: Path, file: str, count: int
) -> None:
    """What every verb asks before it reads."""
    run = Run(Path(shutil.copytree(whole, tmp_path / "run")))
    artifact = NIR if file == DIGESTS else Artifact(file, "verb")
    content = (run.folder / file).read_bytes()
    assert run.require(artifact)
    for changed in mutants(content, count, seed=3):
        (run.folder / file).write_bytes(changed)
        with pytest.raises(ArlifError):
            run.require(artifact)
    (run.folder / file).write_bytes(content)
    assert run.require(artifact)


def state(path: Path) -> Any:
    """All that a checkpoint holds of a network."""
    return {n: v.numpy().tobytes() for n, v in read_checkpoint(path, True)["state_dict"].items()}


def traced(path: Path) -> Any:
    """All that a file of traces holds."""
    found = read_traces(path)
    kept = {name: [t.spikes, *t.states.values()] for name, t in found.traces.items()}
    arrays = [found.readout, *found.counts.values(), *(a for row in kept.values() for a in row)]
    return [(a.dtype.str, a.shape, a.tobytes()) for a in arrays]


BY_HAND: dict[str, tuple[Callable[[Path], Any], bool]] = {
    "network.nir": (read_nir, True),
    "network.net": (read_net, True),
    "checkpoints/last.ckpt": (state, True),
    "lif.nir": (lambda path: None if is_native(path) else load_nir(path), False),
    "traces/integer.h5": (traced, False),
}
"""Readers of files that lie in no run, and whether what they read must be the same."""


def damaged(path: Path, contents: Any, read: Callable[[Path], Any]) -> list[Any]:
    """What is read of damaged files that are not refused."""
    found: list[Any] = []
    said: list[str] = []
    for content in contents:
        path.write_bytes(content)
        started = time.monotonic()
        try:
            found.append(read(path))
        except ArlifError as error:
            said.append(str(error))
        assert time.monotonic() - started < LONGEST_S
    assert not any("\n" in text for text in said)
    return found


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("file", BY_HAND)
def test_a_damaged_file_by_hand_is_refused_or_the_same(
    whole: Path, tmp_path: Path, file: str, count: int
) -> None:
    read, same = BY_HAND[file]
    path = Path(shutil.copy(whole / file, tmp_path))
    want, content = read(path), path.read_bytes()
    for found in damaged(path, mutants(content, count, seed=1), read):
        assert not same or found == want


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("file", ["network.nir", "network.net", "lif.nir"])
def test_a_seal_that_was_made_anew_costs_neither_time_nor_words(
    whole: Path, tmp_path: Path, file: str, count: int
) -> None:
    """What is read may be another network: somebody has made it."""
    path = Path(shutil.copy(whole / file, tmp_path))
    inner = mutants(unsealed(path.read_bytes()), count, seed=2)
    sealed = (content + MARK + hashlib.sha256(content).digest() for content in inner)
    damaged(path, sealed, BY_HAND[file][0])


def test_mutants_are_different_and_the_same_every_time() -> None:
    content = np.random.default_rng(0).bytes(3000) + b"0123456789" * 20
    made = list(mutants(content, 80))
    assert len({*made}) > 70
    assert content not in made
    assert made == list(mutants(content, 80))
