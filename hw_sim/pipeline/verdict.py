"""verdict: what a run has shown so far, in the few numbers that decide."""

from typing import Any

from arlif.artifacts import NIR
from arlif.base.errors import ArlifError
from arlif.run_folder import Run
from hw_sim.engines.table import ENGINES, FLOAT, INTEGER, Engine
from hw_sim.pipeline.compare import current_comparisons, with_sums
from hw_sim.pipeline.energy import read_energy
from hw_sim.pipeline.map_cores import map_run
from hw_sim.pipeline.quantize import read_quantized
from hw_sim.pipeline.simulate import read_figures


def verdict(run: Run) -> dict[str, Any]:
    """Accuracy lost, bits equal, events, energy and cores, from what is current in a run.

    Each is None where nothing was measured. accuracy: of float and integers on the same samples,
    what is lost, in shares of one, and the verb that measured it. bits: exact engines that equal
    the integer engine and that do not; how many spikes, states and sums over time (spike counts,
    readouts) were compared. events, energy_uj: per inference, the latter by cost model. fits: cores
    of a neuromorphic chip.
    Raises ArlifError where a file is damaged.
    """
    run.require_whole(*(a for row in ENGINES.values() for a in (row.traces, row.figures)))
    energy = read_energy(run)
    total = energy["total"] if energy else None
    return {
        "accuracy": _accuracy(run),
        "bits": _bits(run),
        "events": total["synaptic_operations"]["mean"] if total else None,
        "energy_uj": {m: e["mean"] for m, e in total["energy_uj"].items()} if total else None,
        "fits": _fits(run),
    }


def same_samples(run: Run, engine: Engine) -> float | None:
    """The integer engine's accuracy on the very samples that another engine ran.

    None where it is not known: no labels, or the integer engine ran fewer, or others.
    """
    integers, others = (read_figures(run, row) for row in (INTEGER, engine))
    right, count = integers.get("right"), others["samples"]
    data = ("data_folder", "inputs", "labels")
    alike = all(integers["source"].get(n) == others["source"].get(n) for n in data)
    alike &= integers["inputs"][:count] == others["inputs"]
    if not right or len(right) < count or not alike:
        return None
    return float(right[:count].count("1") / count)


def _accuracy(run: Run) -> dict[str, Any] | None:
    """Of the simulations, where both saw the same inputs; else what quantization measured."""
    if all(run.is_fresh(row.traces) for row in (FLOAT, INTEGER)):
        real, fixed = (read_figures(run, row) for row in (FLOAT, INTEGER))
        known = None not in (real["accuracy"], fixed["accuracy"])
        if known and real["inputs"] == fixed["inputs"]:
            return _lost(real["accuracy"], fixed["accuracy"], fixed["samples"], "simulate")
    found = read_quantized(run) or {}
    if "float_accuracy" in found:
        return _lost(found["float_accuracy"], found["accuracy"], found["samples"], "quantize")
    return None


def _lost(real: float, fixed: float, samples: int, verb: str) -> dict[str, Any]:
    found = {"float": real, "integers": fixed, "lost": real - fixed, "samples": samples}
    return found | {"measured_by": verb}


def _bits(run: Run) -> dict[str, Any] | None:
    found = {
        got: comparison
        for (want, got), comparison in current_comparisons(run).items()
        if want == INTEGER.name and ENGINES[got].exact
    }
    if not found:
        return None
    return {
        "equal": [name for name, comparison in found.items() if comparison["equal"]],
        "different": [name for name, comparison in found.items() if not comparison["equal"]],
        "spikes": sum(comparison["spikes_compared"] for comparison in found.values()),
        "states": sum(comparison["states_compared"] for comparison in found.values()),
        "sums": sum(with_sums(comparison)["sums_compared"] for comparison in found.values()),
    }


def _fits(run: Run) -> dict[str, Any] | None:
    if not run.is_current(NIR):
        return None
    try:
        found = map_run(run.folder)
    except ArlifError as error:
        return {"reason": str(error)}
    return {name: found[name] for name in ("limits", "cores", "chips", "limiting_layer")}
