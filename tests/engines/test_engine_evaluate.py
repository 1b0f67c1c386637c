"""Streaming evaluation: the same totals however the samples are cut and wherever they run."""

import joblib
import numpy as np
import pytest
from support.networks_small import digits_like

from hw_sim.engines.integer import reference
from hw_sim.engines.integer import tally as evaluate_module
from hw_sim.engines.integer.fast import FastEngine
from hw_sim.engines.integer.tally import Batch, Tally, evaluate


@pytest.fixture(scope="module")
def case():
    network, inputs = digits_like(samples=24)
    simulation = reference.simulate(network, inputs, network.time_steps)
    labels = (simulation.decisions + (np.arange(24) % 3 == 0)) % network.readout.shape[0]
    want = Tally(24, 16, {n: int(c.sum()) for n, c in simulation.counts.items()})
    return network, inputs, labels, want


def cut(inputs: np.ndarray, labels: np.ndarray, size: int) -> list[Batch]:
    starts = range(0, len(labels), size)
    return [(inputs[s : s + size], labels[s : s + size]) for s in starts]


@pytest.mark.parametrize("size", [1, 7, 24])
def test_totals_do_not_depend_on_batches(case, size: int) -> None:
    network, inputs, labels, want = case
    done = []
    got = evaluate(
        network, iter(cut(inputs, labels, size)), network.time_steps, progress=done.append
    )
    assert got == want
    assert want.spikes.keys() == {p.name for p in network.populations}
    assert sum(want.spikes.values()) > 0
    assert done[-1] == 24
    assert done == sorted(done)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_the_same_in_other_processes(case, backend: str) -> None:
    network, inputs, labels, want = case
    with joblib.parallel_config(backend):
        assert evaluate(network, cut(inputs, labels, 5), network.time_steps, jobs=2) == want


def test_a_process_compiles_once_for_all_its_batches(case, monkeypatch: pytest.MonkeyPatch) -> None:
    network, inputs, labels, want = case
    compiled = []
    monkeypatch.setattr(
        evaluate_module,
        "FastEngine",
        lambda *given: compiled.append(given) or FastEngine(*given),
    )
    with joblib.parallel_config("threading"):
        got = evaluate(network, cut(inputs, labels, 1), network.time_steps, jobs=2)
    assert got == want
    assert 1 <= len(compiled) <= 2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_same_on_a_dask_cluster(case) -> None:
    distributed = pytest.importorskip("dask.distributed", reason="dask.distributed is missing")
    network, inputs, labels, want = case
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    batches = cut(inputs, labels, 5)
    with cluster, distributed.Client(cluster) as client, joblib.parallel_config("dask"):
        scattered = []
        scatter = client.scatter
        client.scatter = lambda data, **given: scattered.append(data) or scatter(data, **given)
        got = evaluate(network, batches, network.time_steps, jobs=-1)
    assert got == want
    networks = [data for data in scattered if data.ndim == 1 and data.dtype == np.uint8]
    assert len(networks) == 1
