"""The check itself: quantize a snapshot, run float, integer engine and Lava on the same samples."""

import time

import numpy as np
from torch import Tensor, nn

from arlif.base.errors import SimulationError
from arlif.core.network import QuantizedNetwork
from arlif.quantize import Precision, calibrate_input, linearize, quantize
from hw_sim.comparison.divergence import compare
from hw_sim.crosscheck.result import Check, Figures, Verdict
from hw_sim.energy.catalogue import INTEGER, MEMORY, PAPER
from hw_sim.energy.counter import OperationCounter
from hw_sim.energy.estimate import estimates
from hw_sim.energy.models import network_energy_uj
from hw_sim.engines.floating_point import simulate_float
from hw_sim.engines.integer.fast import FastEngine
from hw_sim.engines.lava import simulate as simulate_lava
from hw_sim.engines.lava.requirements import PINNED, installed
from hw_sim.engines.simulation import Record, Simulation, raw_inputs


def cross_check(
    epoch: int,
    module: nn.Module,
    calibration: Tensor,
    real: Tensor,
    labels: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    precision: Precision,
    time_steps: int,
    traced: int,
    time_limit_s: float,
) -> Check:
    """Check one snapshot of a network.

    calibration, real: real inputs, time first. labels: int64 [N]. traced: the first samples, which
    Lava runs too, within half of the time limit.
    Raises ArlifError where the network cannot be quantized.
    """
    started = time.perf_counter()
    linear = linearize(module, tuple(real.shape[2:]))
    source = calibrate_input(calibration.numpy(), linear.input_shape, linear.static)
    network = quantize(linear, source, precision, time_steps)
    inputs = raw_inputs(network, real)
    few = inputs[:traced] if network.input.static else inputs[:, :traced]
    floating = simulate_float(module, real, traced=traced)
    engine = FastEngine(network)
    fixed = engine.simulate(inputs, time_steps)
    fixed_few = engine.simulate(few, time_steps, Record.everything(network))
    verdict, message, lava = _on_lava(network, few, fixed_few, time_steps, time_limit_s)
    counter = OperationCounter(network)
    guess = estimates(counter.count(inputs, floating, time_steps))
    views = {"integer": counter.count(inputs, fixed, time_steps)}
    if lava is not None:
        views["integer traced"] = counter.count(few, fixed_few, time_steps)
        views["lava"] = counter.count(few, lava, time_steps)
    energy_uj = {
        model.name: {v: float(network_energy_uj(c, model).mean()) for v, c in views.items()}
        for model in (PAPER, INTEGER, MEMORY)
    }
    energy_uj[PAPER.name]["estimate"] = 1e-6 * sum(e.paper_pj for e in guess)
    figures = Figures(
        samples=len(labels),
        traced=0 if lava is None else len(lava.readout),
        float_accuracy=float((floating.decisions == labels).mean()),
        fixed_accuracy=float((fixed.decisions == labels).mean()),
        decisions_changed=float((floating.decisions != fixed.decisions).mean()),
        spikes_changed=_spikes_changed(floating, fixed_few),
        operations={"estimate": sum(e.estimate for e in guess)}
        | {v: float(counts.synaptic_operations.mean()) for v, counts in views.items()},
        energy_uj=energy_uj,
        seconds=time.perf_counter() - started,
    )
    return Check(epoch, verdict, message, figures)


def _on_lava(
    network: QuantizedNetwork,
    inputs: np.ndarray[tuple[int, ...], np.dtype[np.int8]],
    want: Simulation,
    time_steps: int,
    time_limit_s: float,
) -> tuple[Verdict, str, Simulation | None]:
    if installed("lava-nc") != PINNED["lava-nc"]:
        return Verdict.NO_LAVA, "Lava is not installed; run: arlif lava install", None
    record = Record.everything(network)
    try:
        got = simulate_lava(network, inputs, time_steps, record, time_limit_s=time_limit_s / 2)
    except SimulationError as error:
        return Verdict.FAILED, str(error), None
    comparison = compare(network, want, got)
    counted = all(np.array_equal(want.counts[name], got.counts[name]) for name in want.counts)
    if comparison.equal and counted:
        spikes = comparison.spikes_compared
        return Verdict.PASSED, f"Lava equals the integer engine in {spikes} spikes", got
    return Verdict.FAILED, f"Lava differs: {comparison.first or 'spike counts'}", got


def _spikes_changed(floating: Simulation, fixed: Simulation) -> float:
    """Share of spikes and silences of the traced samples that quantization changed."""
    wrong = [floating.traces[n].spikes != trace.spikes for n, trace in fixed.traces.items()]
    return sum(int(w.sum()) for w in wrong) / sum(w.size for w in wrong)
