"""compare_run: what two engines left behind: integers bit for bit, float and integers in shares."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from arlif.artifacts import COMPARE, NIR
from arlif.base.bounded import Count, Share
from arlif.base.errors import ArlifError, require
from arlif.base.plain_data import BESIDE
from arlif.core.network import QuantizedNetwork
from arlif.run_content import checked
from arlif.run_folder import Run, writes
from export.nir import read_nir
from hw_sim.comparison.divergence import COUNT, Divergence, compare
from hw_sim.engines.simulation import Simulation
from hw_sim.engines.table import ENGINES, INTEGER, LAVA, find_engine
from hw_sim.pipeline.simulated import read_simulations


@writes("compare")
def compare_run(folder: Path, want: str = INTEGER.name, got: str = LAVA.name) -> dict[str, Any]:
    """Compare two engines' traces; writes compare.json and returns its content on these two.

    Spikes and states of the samples that both traced, step by step; spike counts, readouts and
    decisions of all samples that both ran. exact: whether both compute the integers. Else states
    and readouts are not compared, equal says whether all the others are, and nothing is first.
    Raises ArlifError where traces are missing or older than what they are made from, were simulated
    on different inputs, or cannot be compared bit for bit.
    """
    require(want != got, f"comparing {want} with itself tells nothing; name another --got")
    engines = [find_engine(name) for name in (want, got)]
    exact = all(engine.exact for engine in engines)
    run = Run(folder)
    figures, simulations = read_simulations(run, engines)
    network = read_nir(run.require(NIR))
    require(
        all(a == b for a, b in zip(*(found["inputs"] for found in figures), strict=False)),
        f"{want} and {got} were simulated on different inputs; simulate both again with the same "
        f"--inputs: {' and '.join(run.command(engine.traces) for engine in engines)}",
    )
    for engine, simulation in zip(engines, simulations, strict=True):
        require(
            simulation.recorded > 0 or not network.populations,
            f"{engine} was simulated without traces; record some with: "
            f"{run.command(engine.traces)}",
        )
        lacks = _lacking(network, simulation) if engine.exact else []
        require(
            not lacks,
            f"{run.path(engine.traces)} lacks {', '.join(lacks)}; simulate again with: "
            f"{run.command(engine.traces)}",
        )
    if not exact:
        simulations = [simulation.spikes_only for simulation in simulations]
    comparison = compare(network, *simulations)
    first = comparison.first if exact else None
    shares = ("spikes_different", "counts_different", "decisions_different")
    changed = any(getattr(comparison, name) for name in shares)
    networks = [found["network"] for found in figures]
    result = {
        "want": want,
        "got": got,
        "simulations": [run.digest(engine.figures) for engine in engines],
        "edited": [found["edited"] for found in figures if found["edited"]],
        "exact": exact,
        "equal": comparison.equal if exact else not changed,
        "samples": comparison.samples,
        "traced": comparison.traced,
        "spikes_compared": comparison.spikes_compared,
        "spikes_different": comparison.spikes_different,
        "spikes_changed": comparison.spikes_changed,
        "states_compared": comparison.states_compared,
        "states_different": comparison.states_different,
        "counts_compared": comparison.counts_compared,
        "counts_different": comparison.counts_different,
        "readouts_compared": comparison.readouts_compared if exact else 0,
        "readouts_different": comparison.readouts_different if exact else 0,
        "decisions_different": comparison.decisions_different,
        "same_network": networks[0] == networks[1] if all(networks) else None,
        "first": asdict(first) if first else None,
        "message": _message(first) if first else "",
        "layers": [
            asdict(layer) | {"spikes_changed": layer.spikes_changed} for layer in comparison.layers
        ],
    }
    try:
        everything = read_comparisons(run)
    except ArlifError:
        everything = {}
    run.write_json(COMPARE, {**everything, f"{want}-{got}": result})
    run.record(COMPARE)
    return result


def _message(first: Divergence) -> str:
    """Where two engines first differ; of a sample that was not traced, how to see at which step."""
    if first.step is not None or first.variable != COUNT:
        return str(first)
    return f"{first}; to see at which step, simulate both with --trace {first.sample + 1}"


def _lacking(network: QuantizedNetwork, simulation: Simulation) -> list[str]:
    """What a simulation has not recorded of a network: populations, and states, all or none."""
    traces = simulation.traces
    lacks = [p.name for p in network.populations if p.name not in traces]
    if any(trace.states for trace in traces.values()):
        lacks += [
            f"{variable} of {p.name}"
            for p in network.populations
            for variable in p.neuron.variables
            if p.name in traces and variable not in traces[p.name].states
        ]
    return lacks


def with_sums(found: dict[str, Any]) -> dict[str, Any]:
    """A comparison, and what was compared in all samples: spike counts and readouts together."""
    kinds = ("compared", "different")
    return found | {
        f"sums_{kind}": found[f"counts_{kind}"] + found[f"readouts_{kind}"] for kind in kinds
    }


def current_comparisons(run: Run) -> dict[tuple[str, str], dict[str, Any]]:
    """Of what compare_run has found, that of simulations that the run holds now: by want and got.

    Raises ArlifError where the file is damaged.
    """
    now = {
        row.name: run.digest(row.figures) for row in ENGINES.values() if run.is_fresh(row.traces)
    }
    return {
        (found["want"], found["got"]): found
        for found in read_comparisons(run).values()
        if found["simulations"] == [now.get(found["want"]), now.get(found["got"])]
    }


def read_comparisons(run: Run) -> dict[str, dict[str, Any]]:
    """What compare_run has found, by engines; empty where nothing was compared.

    Raises ArlifError where the file is damaged or of another version.
    """
    content = run.read_object(COMPARE) if run.is_current(COMPARE) else {}
    checked(run, _Comparisons, {"engines": content}, COMPARE)
    return content


@dataclass(frozen=True)
class _Compared:
    """How much was compared, and how much of it differs."""

    spikes_compared: Count
    spikes_different: Count
    spikes_changed: Share
    states_compared: Count
    states_different: Count

    __pydantic_config__: ClassVar = BESIDE

    def __post_init__(self) -> None:
        require(
            self.spikes_different <= self.spikes_compared
            and self.states_different <= self.states_compared
            and self.spikes_changed == self.spikes_different / max(1, self.spikes_compared),
            "what differs is no part of what was compared",
        )


@dataclass(frozen=True)
class _Layer(_Compared):
    """Of one population."""

    layer: str


@dataclass(frozen=True)
class _Comparison(_Compared):
    """What compare_run found. Raises ArlifError where its numbers contradict each other."""

    want: str
    got: str
    simulations: tuple[str, str]
    edited: tuple[str, ...]
    exact: bool
    equal: bool
    samples: Count
    traced: Count
    counts_compared: Count
    counts_different: Count
    readouts_compared: Count
    readouts_different: Count
    decisions_different: Count
    same_network: bool | None
    first: dict[str, Any] | None
    message: str
    layers: tuple[_Layer, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        exact = all(find_engine(name).exact for name in (self.want, self.got))
        require(self.exact is exact, f"{self.want} and {self.got} are exact: {exact}")
        summed = ("spikes_compared", "spikes_different", "states_compared", "states_different")
        require(
            all(getattr(self, n) == sum(getattr(la, n) for la in self.layers) for n in summed),
            "the layers do not add up to the whole",
        )
        parts = ("spikes", "states", "counts", "readouts", "decisions")
        different = sum(getattr(self, f"{part}_different") for part in parts)
        require(
            self.traced <= self.samples
            and self.counts_different <= self.counts_compared
            and self.readouts_different <= self.readouts_compared
            and self.decisions_different <= self.samples,
            "what differs is no part of what was compared",
        )
        first = self.first is not None
        require(
            self.equal is not (first or different > 0) and bool(self.message) is first,
            f"equal is {self.equal}, where {different} values differ, the first: {self.message}",
        )


@dataclass(frozen=True)
class _Comparisons:
    """By the names of the two engines."""

    engines: dict[str, _Comparison]

    def __post_init__(self) -> None:
        names = [f"{found.want}-{found.got}" for found in self.engines.values()]
        require(
            names == [*self.engines],
            f"what stands at {', '.join(self.engines)} is of {', '.join(names)}",
        )
