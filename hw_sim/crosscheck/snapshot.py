"""The check itself: quantize a snapshot, run float, integer engine and Lava on the same samples."""

import time

from arlif.base.errors import SimulationError
from arlif.quantize import Precision, quantize
from arlif.quantize.trained import Quantizable
from hw_sim.comparison.divergence import compare
from hw_sim.crosscheck.result import Check, Figures, Verdict
from hw_sim.energy.catalogue import INTEGER, MEMORY, PAPER
from hw_sim.energy.estimate import estimates
from hw_sim.engines.floating_point import simulate_float
from hw_sim.engines.lava import simulate as simulate_lava
from hw_sim.engines.lava.requirements import CURE, has_lava
from hw_sim.engines.simulation import Record, Simulation
from hw_sim.pipeline.measure import Bench
from hw_sim.pipeline.samples import Samples


def cross_check(
    epoch: int,
    snapshot: Quantizable,
    samples: Samples,
    traced: int,
    time_limit_s: float,
) -> Check:
    """Check one snapshot of a network, in the default numbers, on labelled samples.

    traced: the first of them, which Lava runs too, within half of the time limit.
    Raises ArlifError where the network cannot be quantized.
    """
    started = time.perf_counter()
    assert samples.labels is not None
    steps = snapshot.recipe.time_steps
    network = quantize(snapshot.linear, snapshot.source, Precision(), steps)
    bench = Bench.of(network, samples.real, (PAPER, INTEGER, MEMORY))
    floating = simulate_float(snapshot.module, samples.real, traced, ors=network.ors)
    fixed = bench.simulate(traced)
    few = fixed.first(traced)
    verdict, message, lava = _on_lava(bench, few, time_limit_s)
    guess = estimates(bench.count(floating))
    views = {"integer": bench.cost(fixed)}
    if lava is not None:
        views |= {"integer traced": bench.cost(few), "lava": bench.cost(lava)}
    energy_uj = {
        model.name: {view: cost.energy_uj[model.name] for view, cost in views.items()}
        for model in bench.models
    }
    energy_uj[PAPER.name]["estimate"] = 1e-6 * sum(e.paper_pj for e in guess)
    figures = Figures(
        samples=len(samples),
        traced=0 if lava is None else len(lava.readout),
        float_accuracy=floating.accuracy(samples.labels),
        fixed_accuracy=fixed.accuracy(samples.labels),
        decisions_changed=float((floating.decisions != fixed.decisions).mean()),
        spikes_changed=_spikes_changed(floating, fixed),
        operations={"estimate": sum(e.estimate for e in guess)}
        | {view: cost.synaptic_operations for view, cost in views.items()},
        energy_uj=energy_uj,
        seconds=time.perf_counter() - started,
    )
    return Check(epoch, verdict, message, figures)


def _on_lava(
    bench: Bench, want: Simulation, time_limit_s: float
) -> tuple[Verdict, str, Simulation | None]:
    """What Lava says to the first samples; want: what the integer engine says."""
    if not has_lava():
        return Verdict.NO_LAVA, f"Lava is not installed; {CURE}", None
    network, inputs = bench.network, bench.first(len(want.readout))
    record = Record.everything(network)
    try:
        got = simulate_lava(
            network, inputs, network.time_steps, record, time_limit_s=time_limit_s / 2
        )
    except SimulationError as error:
        return Verdict.FAILED, str(error), None
    comparison = compare(network, want, got)
    if comparison.equal:
        spikes = comparison.spikes_compared
        return Verdict.PASSED, f"Lava equals the integer engine in {spikes} spikes", got
    return Verdict.FAILED, f"Lava differs: {comparison.first}", got


def _spikes_changed(floating: Simulation, fixed: Simulation) -> float:
    """Share of spikes and silences of the traced samples that quantization changed."""
    wrong = [floating.traces[n].spikes != trace.spikes for n, trace in fixed.traces.items()]
    return sum(int(w.sum()) for w in wrong) / sum(w.size for w in wrong)
