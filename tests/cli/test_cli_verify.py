"""arlif verify: one table of what survives where, what it does again, and its exit code."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.command_line import Cli
from support.small_runs import images, refused, save

from arlif.artifacts import NIR
from arlif.base.errors import LoweringError, MissingToolError, SimulationError
from arlif.base.options import NoOptions
from arlif.run_folder import Run
from export.nir import load_plain, read_nir
from hw_sim.engines.floating_point import simulate_float
from hw_sim.engines.integer import fast
from hw_sim.engines.table import ENGINES, Engine
from hw_sim.engines.traces import read_traces
from hw_sim.engines.work import Outcome, Work
from hw_sim.pipeline.samples import Selection

FEW = ("--samples", "40", "--trace", "5")
FAST = ("--engine", "float", "--engine", "onnx")


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts a fast engine into the table that ends as a test says."""

    def put(run: Any) -> None:
        monkeypatch.setattr(Engine, "run", lambda row, work: run(row, work))

    return put


def rows_of(out: str) -> dict[str, dict[str, Any]]:
    return {row["engine"]: row for row in json.loads(out)["engines"]}


def test_one_verb_does_all_that_is_missing_and_nothing_twice(run: Path, cli: Cli):
    code, out, _ = cli("verify", run, *FEW, *FAST, "--json")
    assert code == 0
    rows = rows_of(out)
    assert {name: row["outcome"] for name, row in rows.items()} == {
        "float": "measured",
        "integer": "reference",
        "onnx": "equal",
    }
    want = read_traces(run / "traces/integer.h5")
    for name in ("float", "onnx"):
        got = read_traces(run / f"traces/{name}.h5")
        pairs = [(t.spikes, got.traces[n].spikes) for n, t in want.traces.items()]
        different = sum(int((a[:, :5] != b[:, :5]).sum()) for a, b in pairs)
        decisions = int((want.decisions != got.decisions).sum())
        compared = rows[name]["compared"]
        assert (compared["samples"], compared["traced"]) == (40, 5)
        assert compared["counts_compared"] == sum(c.size for c in want.counts.values())
        counted = [(c, got.counts[n]) for n, c in want.counts.items()]
        assert compared["counts_different"] == sum(int((a != b).sum()) for a, b in counted)
        assert compared["readouts_compared"] == (want.readout.size if name == "onnx" else 0)
        assert compared["spikes_different"] == different
        assert compared["decisions_different"] == decisions
        assert compared["spikes_compared"] == sum(a[:, :5].size for a, _ in pairs)
    labels = Selection(40).load(Run(run))[0].labels
    assert rows["integer"]["accuracy"] == np.mean(want.decisions == labels)
    verdict = json.loads(out)["verdict"]
    assert verdict["accuracy"]["lost"] == rows["float"]["accuracy"] - rows["integer"]["accuracy"]
    assert verdict["bits"]["equal"] == ["onnx"]
    assert verdict["energy_uj"]["paper"] > 0
    assert verdict["fits"]["cores"] >= 1
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.suffix}
    code, again, _ = cli("verify", run, *FEW, *FAST, "--json")
    assert (code, json.loads(again)) == (0, json.loads(out))
    assert {p: p.stat().st_mtime_ns for p in before if p.name != ".arlif.lock"} == {
        p: t for p, t in before.items() if p.name != ".arlif.lock"
    }
    code, out, _ = cli("verify", run, *FEW, *FAST)
    assert code == 0
    assert "accuracy lost by integers" in out or "accuracy gained by integers" in out
    assert "equal to the integer engine in every bit: onnx" in out


def test_other_inputs_are_simulated_again(run: Path, tmp_path: Path, cli: Cli):
    first = images(tmp_path, 3)
    assert cli("verify", run, "--inputs", first, *FAST)[0] == 0
    before = {n: read_traces(run / f"traces/{n}.h5").readout for n in ("integer", "onnx")}
    save(first, np.random.default_rng(1).random((1, 3, 1, 8, 8), np.float32))
    code, out, _ = cli("verify", run, "--inputs", first, *FAST, "--json")
    assert (code, rows_of(out)["onnx"]["samples"]) == (0, 3)
    assert rows_of(out)["float"]["accuracy"] is None
    for name, readout in before.items():
        assert not np.array_equal(read_traces(run / f"traces/{name}.h5").readout, readout)
    save(first, np.random.default_rng(2).random((1, 4, 1, 8, 8), np.float32))
    code, out, _ = cli("verify", run, "--inputs", first, *FAST, "--json")
    assert (code, rows_of(out)["onnx"]["samples"]) == (0, 4)


def test_other_labels_are_judged_and_not_what_they_were_before(run: Path, tmp_path: Path, cli: Cli):
    given = ("--inputs", images(tmp_path, 8), *FAST)
    assert cli("verify", run, *given)[0] == 0
    labels = tmp_path / "labels.npy"
    decided = read_traces(run / "traces/integer.h5").decisions
    for wrong in (0, 1, 2):
        np.save(labels, np.where(np.arange(8) < wrong, (decided + 1) % 10, decided))
        code, out, _ = cli("verify", run, *given, "--labels", labels, "--json")
        assert (code, rows_of(out)["onnx"]["accuracy"]) == (0, 1 - wrong / 8)
    np.save(labels, decided + 10)
    verbs = (("verify", run, *given), ("evaluate", run, "--engine", "integer", *given[:2]))
    for verb in verbs:
        assert "labels of 10 classes lie in 0 to 9" in refused(cli, *verb, "--labels", labels)


def test_so_many_samples_are_what_was_asked_for(run: Path, cli: Cli):
    assert cli("verify", run, "--samples", "7", *FAST)[0] == 0
    code, out, _ = cli("verify", run, "--samples", "3", *FAST, "--json")
    assert (code, {row["samples"] for row in rows_of(out).values()}) == (0, {3})


def test_inputs_beyond_the_range_of_the_calibration_are_said(run: Path, tmp_path: Path, cli: Cli):
    save(tmp_path / "raw.npy", np.full((1, 3, 1, 8, 8), 255.0))
    code, out, _ = cli("verify", run, "--inputs", tmp_path / "raw.npy", "--engine", "integer")
    assert code == 0
    assert "warning: 100.00 % of the input values lie beyond the range" in out


def test_integers_are_made_again_as_they_were(run: Path, cli: Cli):
    assert cli("quantize", run, "--weight-bits", "3", "--samples", "8")[0] == 0
    before = read_nir(run / "network.nir")
    Run(run).path(NIR).unlink()
    assert cli("verify", run, *FEW, "--engine", "integer")[0] == 0
    assert read_nir(run / "network.nir") == before


def late(row: Engine, work: Work[Any]) -> Outcome:
    """The integer engine; as another engine, a spike more in a sample that is not traced."""
    network = read_nir(work.path.parent / NIR.name)
    done = fast.run(Work(work.path.parent / NIR.name, *_rest(work)))
    if row.name == "onnx":
        done.simulation.counts[network.populations[0].name][20].flat[7] += 1
    return done


def flipped(row: Engine, work: Work[Any]) -> Outcome:
    """The integer engine; as another engine, with one spike flipped."""
    network = read_nir(work.path.parent / NIR.name)
    done = fast.run(Work(work.path.parent / NIR.name, *_rest(work)))
    if row.name == "onnx":
        name = network.populations[0].name
        spikes = done.simulation.traces[name].spikes
        spikes[2, 1].flat[7] ^= True
        done.simulation.counts[name][1] = spikes[:, 1].sum(0)
    return done


def _rest(work: Work[Any]) -> tuple[Any, ...]:
    options = ENGINES["integer"].options()
    return work.real, work.time_steps, work.traced, options, work.progress


def test_one_wrong_bit_is_exit_1(run: Path, cli: Cli, toy: Any):
    toy(flipped)
    code, out, _ = cli("verify", run, *FEW, "--engine", "onnx", "--json")
    row = rows_of(out)["onnx"]
    assert code == 1
    assert (row["outcome"], row["compared"]["spikes_different"]) == ("different", 1)
    assert "sample 1" in row["reason"]
    assert "step 2" in row["reason"]
    assert json.loads(out)["verdict"]["bits"] == {
        "equal": [],
        "different": ["onnx"],
        "spikes": row["compared"]["spikes_compared"],
        "states": row["compared"]["states_compared"],
        "sums": row["compared"]["counts_compared"] + row["compared"]["readouts_compared"],
    }
    code, out, _ = cli("verify", run, *FEW, "--engine", "onnx")
    assert code == 1
    assert "onnx: different: sample 1" in out
    assert "not equal to the integer engine: onnx" in out


def test_one_spike_too_many_in_a_sample_without_traces_is_exit_1(run: Path, cli: Cli, toy: Any):
    toy(late)
    code, out, _ = cli("verify", run, *FEW, "--engine", "onnx", "--json")
    row = rows_of(out)["onnx"]
    assert (code, row["outcome"]) == (1, "different")
    compared = row["compared"]
    assert (compared["spikes_different"], compared["counts_different"]) == (0, 1)
    assert "sample 20, layer" in row["reason"]
    assert row["reason"].endswith("to see at which step, simulate both with --trace 21")
    code, out, _ = cli("verify", run, *FEW, "--engine", "onnx")
    assert (code, "spike count should be" in out) == (1, True)
    code, out, _ = cli("compare", run, "--got", "onnx")
    assert (code, "1 of " in out, "first divergence: sample 20" in out) == (1, True, True)


def test_what_is_not_installed_is_a_row_and_what_fails_is_exit_1(run: Path, cli: Cli, toy: Any):
    def without(row: Engine, work: Work[NoOptions]) -> Outcome:
        if row.name == "onnx":
            raise MissingToolError("there is no onnxruntime", "pip install onnxruntime")
        return flipped(row, work)

    toy(without)
    code, out, _ = cli("verify", run, *FEW, "--engine", "onnx")
    assert code == 0
    assert "not installed: pip install onnxruntime" in out

    def failing(row: Engine, work: Work[NoOptions]) -> Outcome:
        raise SimulationError("it broke")

    toy(failing)
    code, out, _ = cli("verify", run, *FEW, "--engine", "onnx")
    assert code == 1
    assert "failed: it broke" in out


def test_what_an_engine_cannot_say_is_a_row(run: Path, cli: Cli, toy: Any):
    def unable(row: Engine, work: Work[Any]) -> Outcome:
        if row.name in ("norse", "lava-lif"):
            raise LoweringError("head: it is read as a potential")
        return flipped(row, work)

    toy(unable)
    code, out, _ = cli("verify", run, *FEW, "--engine", "lava-lif", "--engine", "norse")
    assert code == 0
    assert "\nnorse, lava-lif: not possible: head: it is read as a potential\n" in out
    assert out.count("it is read as a potential") == 1  # not once more for each of them


def test_an_imported_network_is_verified_on_its_own_inputs(
    imported: Path, tmp_path: Path, cli: Cli
):
    err = refused(cli, "verify", imported)
    assert "--inputs" in err
    code, out, _ = cli("verify", imported, "--inputs", images(tmp_path), *FAST, "--json")
    assert code == 0
    rows = rows_of(out)
    assert rows["float"]["outcome"] == "not possible"
    assert "no float network" in rows["float"]["reason"]
    assert (rows["onnx"]["outcome"], rows["onnx"]["samples"]) == ("equal", 5)
    code, out, _ = cli("verify", imported, *FAST, "--json")  # what it has seen
    assert (code, rows_of(out)["integer"]["samples"]) == (0, 5)
    assert json.loads(out)["verdict"]["accuracy"] is None


def test_unknown_engines_and_missing_runs_are_refused(run: Path, tmp_path: Path, cli: Cli):
    assert "there is no engine 'fpga'" in refused(cli, "verify", run, "--engine", "fpga")
    assert "there is no run" in refused(cli, "verify", tmp_path / "none")


@pytest.mark.parametrize("library", ["snntorch", "norse", "spikingjelly"])
def test_other_libraries_run_plain_lif_as_arlif_reads_it(library: str, run: Path, cli: Cli):
    pytest.importorskip("nirtorch")
    pytest.importorskip(library)
    code, out, _ = cli("verify", run, *FEW, "--engine", library, "--json")
    row = rows_of(out)[library]
    assert (code, row["outcome"], row["reads"]) == (0, "measured", "lif.nir")
    samples, steps = Selection(40).load(Run(run))
    real = samples.real.expand(steps, *samples.real.shape[1:])
    with torch.no_grad():
        want = simulate_float(load_plain(run / "lif.nir").module, real, traced=5)
    got = read_traces(run / f"traces/{library}.h5")
    for name, trace in want.traces.items():
        spikes = got.traces[name].spikes
        assert np.array_equal(spikes[:, :5], trace.spikes.reshape(spikes[:, :5].shape))
    assert np.array_equal(got.decisions, want.decisions)
    assert row["accuracy"] == np.mean(want.decisions == samples.labels)
