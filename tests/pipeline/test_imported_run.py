"""Imported runs keep their float network: what stages do with it, on a user's own data."""

import shutil
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from support.nir_euler import Euler
from support.nir_files import lif, write
from support.noted import note

from arlif.artifacts import COMPARE, GRAPH, IMPORT, METRICS, NIR, SWEEP, WEIGHTS
from arlif.base.errors import ArlifError
from arlif.data.own import OwnData
from arlif.run_folder import Run
from export.nir import read_nir, write_nir
from hw_sim.engines.table import FLOAT, INTEGER
from hw_sim.engines.traces import read_traces
from hw_sim.pipeline import (
    Selection,
    calibrate_run,
    check_run,
    compare_run,
    energy_run,
    evaluate_run,
    export_run,
    import_run,
    quantize_run,
    simulate_run,
    sweep_run,
)
from hw_sim.report import write_report
from hw_sim.report.equal_accuracy import read_sweeps

DT, T, N, INPUTS, NEURONS, CLASSES = 1e-4, 12, 30, 8, 6, 3
UNIT = np.float32(2**-14)
RNG = np.random.default_rng(3)
X = (RNG.random((T, N, INPUTS)) < 0.4).astype(np.float32)
Y = RNG.integers(0, CLASSES, N)


def graph(path: Path) -> Path:
    """Neurons that feed themselves, between two layers of weights; their unit is small."""
    rng = np.random.default_rng(0)
    neurons = lif(NEURONS)
    neurons.v_threshold *= UNIT
    edges = ["input w", "w lif", "lif back", "back lif", "lif head", "head output"]
    write(
        path,
        [tuple(edge.split()) for edge in edges],  # type: ignore[misc]
        input=nir.Input(np.array([INPUTS])),
        w=nir.Linear(rng.normal(0, UNIT, (NEURONS, INPUTS)).astype(np.float32)),
        lif=neurons,
        back=nir.Linear(rng.normal(0, UNIT / 2, (NEURONS, NEURONS)).astype(np.float32)),
        head=nir.Affine(
            rng.normal(0, 1, (CLASSES, NEURONS)).astype(np.float32), np.zeros(CLASSES, np.float32)
        ),
        output=nir.Output(np.array([CLASSES])),
    )
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run, named run, and the data that it was imported with."""
    folder = tmp_path_factory.mktemp("imported")
    np.savez(folder / "xy.npz", inputs=X, labels=Y)
    file = graph(folder / "net.nir")
    import_run(file, folder / "run", T, DT, folder / "xy.npz")
    file.unlink()
    return folder


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(made / "run", tmp_path / "run"))


@pytest.fixture
def data(made: Path) -> OwnData:
    return OwnData(made / "xy.npz")


def float_traces(run: Path, data: OwnData) -> Any:
    simulate_run(run, "float", Selection(inputs=data.inputs), traced=N)
    return read_traces(Run(run).path(FLOAT.traces))


def test_the_float_engine_steps_the_equations(run: Path, data: OwnData, tmp_path: Path) -> None:
    want, sent = Euler(graph(tmp_path / "net.nir"), DT).run(X)
    got = float_traces(run, data)
    (trace,) = got.traces.values()
    np.testing.assert_array_equal(trace.spikes, sent["lif"].astype(bool))
    assert 0.02 < trace.spikes.mean() < 0.6
    np.testing.assert_allclose(got.readout, want.sum(0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("engine", ["float", "integer"])
def test_accuracy_is_a_count_by_hand(run: Path, data: OwnData, tmp_path: Path, engine: str) -> None:
    want, sent = Euler(graph(tmp_path / "net.nir"), DT).run(X)
    found = evaluate_run(run, engine, own=data)
    right = int((want.sum(0).argmax(1) == Y).sum())
    assert 0 < right < N
    if engine == "float":
        assert np.trace(found["confusion"]) == right
        assert np.sum(found["confusion"], axis=1).tolist() == np.bincount(Y).tolist()
        assert found["spike_rate"]["lif"] == pytest.approx(sent["lif"].mean())
    assert abs(found["accuracy"] * N - right) <= (engine == "integer")
    assert found["samples"] == N


def test_what_it_lacks_is_told_with_the_verb_that_writes_it(run: Path) -> None:
    cure = r"has no sweep.json; write it with: arlif sweep \S+ --inputs FILE.npy --labels FILE.npy"
    with pytest.raises(ArlifError, match=cure):
        Run(run).require(SWEEP)
    with pytest.raises(ArlifError, match=r"an imported network, which has no metrics\.csv"):
        Run(run).require(METRICS)


def test_it_stands_beside_others_by_the_name_of_its_file(
    run: Path, data: OwnData, tmp_path: Path
) -> None:
    sweep_run(run, (8,), (T,), own=data)
    other = Path(shutil.copytree(run, tmp_path / "other"))
    names = [*read_sweeps([Run(run), Run(other)])]
    assert names == [f"net.nir ({run})", f"net.nir ({other})"]


def test_it_is_quantized_again_as_it_was_imported(run: Path, data: OwnData) -> None:
    imported = read_nir(Run(run).path(NIR))
    assert quantize_run(run)["samples"] == N
    assert read_nir(Run(run).path(NIR)) == imported
    result = quantize_run(run, "loihi24", 4, own=data)
    assert (result["judged_on"], result["preset"]) == ("own", "loihi24")
    assert result["float_accuracy"] == evaluate_run(run, "float", own=data)["accuracy"]
    assert read_nir(Run(run).path(NIR)) != imported


def test_training_on_own_data_is_judged_on_what_was_left_out(run: Path, data: OwnData) -> None:
    quantize_run(run, weight_bits=3, own=data)
    rounded = read_nir(Run(run).path(NIR))
    result = quantize_run(run, weight_bits=3, qat=2, own=data)
    trained = read_nir(Run(run).path(NIR))
    assert (result["judged_on"], result["samples"], result["qat_epochs"]) == ("held-out", N // 5, 2)
    assert trained != rounded
    assert [p.shape for p in trained.populations] == [p.shape for p in rounded.populations]


def test_formats_are_tried_and_rules_are_checked(run: Path, data: OwnData) -> None:
    for own in (data, None):
        found = calibrate_run(run, samples=10, own=own)
        assert {report["samples"] for report in found["formats"]} == {10}
    best = min(report["outputs_changed"] for report in found["formats"])
    assert found["narrowest"]["outputs_changed"] <= max(best, 0.01 * 10)
    assert check_run(run)["maps"]
    assert check_run(run, "stock-lava")["violations"]


def test_float_and_integers_are_compared_in_shares(run: Path, data: OwnData) -> None:
    selection = Selection(inputs=data.inputs)
    for engine in (FLOAT, INTEGER):
        simulate_run(run, engine.name, selection, traced=N)
    float_side, integers = (
        read_traces(Run(run).path(engine.traces)).traces["lif"].spikes
        for engine in (FLOAT, INTEGER)
    )
    found = compare_run(run, "float", "integer")
    assert (found["exact"], found["first"], found["states_compared"]) == (False, None, 0)
    assert found["spikes_different"] == (float_side != integers).sum()
    assert found["spikes_compared"] == T * N * NEURONS
    assert Run(run).has(COMPARE)
    energy_run(run)
    sweep = sweep_run(run, (4, 8), (4, T), own=data)
    assert [row["time_steps"] for row in sweep["rows"]] == [4, T, 4, T]
    assert quantize_run(run, "compact16", 8)["samples"] == N
    assert sweep["rows"][-1]["accuracy"] == evaluate_run(run, "integer", own=data)["accuracy"]
    assert {Path(f["path"]).name for f in export_run(run)["files"]} >= {"network.net"}
    report = write_report(Run(run))
    assert report["imported"] == {"from": "net.nir", "time_steps": T}
    assert f"net.nir, imported, T = {T};" in (run / "report.html").read_text()
    assert report["quantization"]["samples"] == N
    assert [engine["engine"] for engine in report["engines"]] == ["float"], "integers are older"


def test_other_inputs_start_the_sweep_anew(run: Path, data: OwnData, tmp_path: Path) -> None:
    said: list[str] = []
    sweep_run(run, (8,), (2,), own=data, say=said.append)
    sweep_run(run, (8,), (2,), own=data, say=said.append)
    assert "has 1 of 1 points already" in said.pop()
    np.savez(tmp_path / "xy.npz", inputs=1 - X, labels=Y)
    sweep_run(run, (8,), (2,), own=OwnData(tmp_path / "xy.npz"), say=said.append)
    assert "dataset differ" in said.pop()


def test_data_that_are_needed_are_asked_for(run: Path, data: OwnData, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    unlabelled = OwnData(tmp_path / "x.npy")
    for engine in ("float", "integer"):
        with pytest.raises(
            ArlifError, match=r"so there is no test split; give --inputs with a \.npy"
        ):
            evaluate_run(run, engine)
        with pytest.raises(ArlifError, match="accuracy needs the class of every sample"):
            evaluate_run(run, engine, own=unlabelled)
    with pytest.raises(ArlifError, match="so there is no test split; give --inputs"):
        quantize_run(run, qat=1)
    with pytest.raises(ArlifError, match="training needs the class of every sample"):
        quantize_run(run, qat=1, own=unlabelled)
    with pytest.raises(ArlifError, match="a sweep measures accuracy"):
        sweep_run(run, (8,), (2,), own=unlabelled)
    np.save(tmp_path / "short.npy", X[:3])
    with pytest.raises(ArlifError, match=r"must be \[12, N, 8\], as the network takes its inputs"):
        simulate_run(run, "float", Selection(inputs=tmp_path / "short.npy"))


def test_what_it_was_imported_with_may_be_gone(run: Path, data: OwnData, tmp_path: Path) -> None:
    imported = Run(run).path(IMPORT)
    imported.write_text(imported.read_text().replace(str(data.inputs), str(tmp_path / "no.npz")))
    note(run, imported.name)
    with pytest.raises(ArlifError, match=r"no\.npz; own data are .*; or give other --inputs"):
        quantize_run(run)
    assert quantize_run(run, own=data)["samples"] == N


def test_a_newer_import_leaves_older_files_behind(run: Path, data: OwnData, tmp_path: Path) -> None:
    simulate_run(run, "float", Selection(inputs=data.inputs))
    quantize_run(run, own=data)
    import_run(run / GRAPH.name, run, T, DT)
    with pytest.raises(ArlifError, match=r"float.h5 was made from another import.json"):
        Run(run).require(FLOAT.traces)
    assert quantize_run(run)["judged_on"] == "random"
    write_nir(read_nir(Run(run).path(NIR)), tmp_path / "integers.nir")
    import_run(tmp_path / "integers.nir", run)
    assert not any(Run(run).has(artifact) for artifact in (IMPORT, GRAPH, WEIGHTS))
    with pytest.raises(
        ArlifError, match="imported network of integers, which has no float network"
    ):
        simulate_run(run, "float", Selection(inputs=data.inputs))
    assert evaluate_run(run, "integer", own=data)["samples"] == N


def test_a_graph_of_one_frame_shows_it_at_every_step(tmp_path: Path) -> None:
    write(
        tmp_path / "net.nir",
        None,
        input=nir.Input(np.array([INPUTS])),
        w=nir.Linear(RNG.normal(0, 1, (NEURONS, INPUTS)).astype(np.float32)),
        lif=lif(NEURONS, tau=5e-4),
        head=nir.Linear(np.eye(CLASSES, NEURONS, dtype=np.float32)),
        output=nir.Output(np.array([CLASSES])),
    )
    graph = nir.read(tmp_path / "net.nir", type_check=False)
    graph.metadata["arlif"] = {"profile": "float", "dt": DT, "static": True}
    nir.write(tmp_path / "static.nir", graph)
    image = RNG.random((1, N, INPUTS)).astype(np.float32)
    np.save(tmp_path / "image.npy", image)
    found = import_run(
        tmp_path / "static.nir", tmp_path / "run", T, calibrate=tmp_path / "image.npy"
    )
    assert found["static"]
    assert found["layers"]["lif"]["changed"] < 0.01
    _, sent = Euler(tmp_path / "net.nir", DT).run(np.repeat(image, T, 0))
    got = float_traces(tmp_path / "run", OwnData(tmp_path / "image.npy")).traces["lif"].spikes
    np.testing.assert_array_equal(got, sent["lif"].astype(bool))
    assert 0.05 < got.mean() < 0.6
