"""neurobench_run: the figures of the NeuroBench harness, and what arlif counts in their place."""

from pathlib import Path
from typing import Any

import numpy as np

from arlif.artifacts import NIR
from arlif.base.errors import ArlifError
from arlif.run_folder import Run
from export.nir import read_nir
from hw_sim.energy.connections import stored_weights
from hw_sim.energy.counts import NetworkCounts
from hw_sim.energy.neurobench_figures import neurobench
from hw_sim.energy.traffic import Memory, traffic
from hw_sim.origin.of_run import load_original
from hw_sim.pipeline.defaults import NEUROBENCH_BATCH
from hw_sim.pipeline.measure import Bench
from hw_sim.pipeline.samples import Selection

KEPT = (Memory.WEIGHTS, Memory.PARAMETERS, Memory.TABLES)
"""Memories whose content does not change while a network runs."""

WHY = {
    "Footprint": "there: bytes of all parameters and buffers, in floats; here: weights at their "
    "own width, gains, biases and tables, without the states",
    "ConnectionSparsity": "here: also the weights that became 0 when they were rounded",
    "ActivationSparsity": "there: spikes of the float network; here: of the integers",
    "Effective_MACs": "there: a layer whose inputs are not all 0, 1 or -1 in a batch, as behind an "
    "average pool, multiplies; here: a pool is a sum of events, and only graded inputs multiply",
    "Effective_ACs": "there: without weights of 0, a pool is free; here: every stored weight is "
    "read, and what a pool adds up counts",
    "Dense": "there: every layer, every step, behind pools; here: every connection of every neuron",
    "MembraneUpdates": "there: steps that change a membrane potential; here: every neuron and "
    "every sum of the readout, at every step",
    "ClassificationAccuracy": "there: of the float network; here: of the integers",
}
"""Why figures of the same meaning differ, by the name that NeuroBench gives them."""


def neurobench_run(
    folder: Path, selection: Selection = Selection(), batch_size: int = NEUROBENCH_BATCH
) -> dict[str, Any]:
    """NeuroBench's figures of a run's float network, ours of its integers; writes nothing.

    selection: which samples, whose labels must be known. batch_size: see
    hw_sim.energy.neurobench_figures.neurobench. Returned: neurobench, its own dictionary; arlif,
    figures of the same names; why they differ; samples and batch_size. Raises ArlifError where the
    run has no float network or no integers, or the classes of samples are not known.
    """
    run = Run(folder)
    original = load_original(folder)
    network = read_nir(run.require(NIR))
    samples, steps = selection.load(run)
    if samples.labels is None:
        raise ArlifError("accuracy needs the class of every sample; give --labels")
    theirs = neurobench(original.module, samples.real, samples.labels, steps, batch_size)
    bench = Bench.of(network, samples.real, ())
    simulation = bench.simulate()
    ours = _ours(bench.count(simulation)) | {
        "ClassificationAccuracy": simulation.accuracy(samples.labels)
    }
    return {
        "neurobench": theirs,
        "arlif": ours,
        "why": WHY,
        "samples": len(samples),
        "batch_size": batch_size,
    }


def _ours(counts: NetworkCounts) -> dict[str, Any]:
    """Figures of the integers, per sample, by the names of NeuroBench."""
    memories = [part for layer in counts.layers for part in traffic(layer) if part.memory in KEPT]
    projections = [p for layer in counts.layers for p in layer.incoming]
    weights = [w for p in projections for w in stored_weights(p.projection)]
    neurons = [layer for layer in counts.layers if not layer.is_readout]
    spikes = sum(float(layer.spikes.mean()) for layer in neurons)
    sites = sum(layer.updates for layer in neurons)
    zeros = sum(int((w == 0).sum()) for w in weights)
    return {
        "Footprint": sum(part.size_bits for part in memories) / 8,
        "ConnectionSparsity": zeros / max(1, sum(w.size for w in weights)),
        "ActivationSparsity": 1 - spikes / sites if sites else 0.0,
        "SynapticOperations": {
            "Effective_MACs": float(counts.multiply_accumulates.mean()),
            "Effective_ACs": float(counts.accumulates.mean()),
            "Dense": float(np.sum([p.connections for p in projections]) * counts.time_steps),
        },
        "MembraneUpdates": float(counts.updates),
    }
