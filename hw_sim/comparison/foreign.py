"""Where somebody else's implementation first goes wrong, and which part of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.core.graph import SPIKES
from arlif.core.network import INPUT, READOUT, QuantizedNetwork
from export.vectors.layouts import ACCUMULATOR, CURRENT, DECISIONS, STATE, array_name

Arrays = Mapping[str, NDArray[Any]]
"""By the names of export.vectors.layouts."""


class Part(Enum):
    """A part of an implementation, in words."""

    INPUT = "input"
    EARLIER = "earlier layer"
    SYNAPSE = "synapse"
    GAIN = "gain/bias"
    NEURON = "neuron"
    SUM = "bias/sum"
    ARGMAX = "argmax"


@dataclass(frozen=True)
class ForeignDivergence:
    """The first wrong value in causal order: step, then layer, then part, sample, neuron.

    step: None of what has none: a static input, the readout, decisions. suspects: the parts that
    may be at fault; one, where the arrays that were given tell. missing: what would tell more.
    """

    sample: int
    layer: str
    step: int | None
    neuron: tuple[int, ...]
    variable: str
    want: int
    got: int
    suspects: tuple[str, ...]
    missing: tuple[str, ...]

    def __str__(self) -> str:
        step = "" if self.step is None else f", step {self.step}"
        neuron = f", neuron {self.neuron}" if self.neuron else ""
        text = (
            f"sample {self.sample}, layer {self.layer}{step}{neuron}: {self.variable} should be "
            f"{self.want}, got {self.got}; {listed(self.suspects, 'or')} fault"
        )
        lacking = listed(self.missing, "and")
        return f"{text} ({lacking}, not given, would tell more)" if lacking else text


def listed(words: tuple[str, ...], before_last: str) -> str:
    """Words in a sentence."""
    *first, last = words or ("",)
    return f"{', '.join(first)} {before_last} {last}" if first else last


@dataclass(frozen=True)
class ArrayComparison:
    """One array: how many values were compared, and how many differ."""

    array: str
    compared: int
    different: int


@dataclass(frozen=True)
class ForeignComparison:
    """The verdict. missing: arrays that were not given, and so not compared."""

    arrays: tuple[ArrayComparison, ...]
    missing: tuple[str, ...]
    first: ForeignDivergence | None


@dataclass(frozen=True)
class Place:
    """Where an array stands in causal order.

    order, part: of its layer, and within that. steps: whether its first axis is T.
    """

    name: str
    layer: str
    variable: str
    order: int
    part: int
    steps: bool


def compare_foreign(network: QuantizedNetwork, want: Arrays, got: Arrays) -> ForeignComparison:
    """Compare what was given of an implementation with what the specification does.

    want: all arrays; got: some of them, of the same shapes.
    """
    counts, first = [], []
    for place in _places(network):
        if place.name not in got:
            continue
        wrong = np.asarray(want[place.name], np.int64) != got[place.name]
        counts.append(ArrayComparison(place.name, wrong.size, int(wrong.sum())))
        if wrong.any():
            index = tuple(int(i) for i in np.unravel_index(int(np.argmax(wrong)), wrong.shape))
            first.append((_key(network, place, index), place, index))
    missing = tuple(place.name for place in _places(network) if place.name not in got)
    if not first:
        return ForeignComparison(tuple(counts), missing, None)
    _, place, index = min(first, key=lambda found: found[0])
    return ForeignComparison(tuple(counts), missing, _divergence(network, place, index, want, got))


def _places(network: QuantizedNetwork) -> Iterator[Place]:
    """Every array, causes before effects within a step."""
    yield Place(INPUT, INPUT, INPUT, 0, 0, not network.input.static)
    for order, population in enumerate(network.populations, 1):
        name = population.name
        for part, kind in enumerate((ACCUMULATOR, CURRENT, SPIKES)):
            yield Place(array_name(name, kind), name, kind, order, part, True)
        for part, state in enumerate(population.neuron.variables, 3):
            yield Place(array_name(name, STATE, state), name, f"state {state}", order, part, True)
    last = len(network.populations) + 1
    if network.readout.reading is None:
        accumulator = array_name(READOUT, ACCUMULATOR)
        yield Place(accumulator, READOUT, ACCUMULATOR, last, 0, True)
    yield Place(READOUT, READOUT, READOUT, last, 1, False)
    yield Place(DECISIONS, READOUT, "decision", last, 2, False)


def _key(network: QuantizedNetwork, place: Place, index: tuple[int, ...]) -> tuple[int, ...]:
    late = network.time_steps if place.order else -1
    step = index[0] if place.steps else late
    return (step, place.order, place.part)


def _divergence(
    network: QuantizedNetwork, place: Place, index: tuple[int, ...], want: Arrays, got: Arrays
) -> ForeignDivergence:
    step = index[0] if place.steps else None
    sample, *neuron = index[1:] if place.steps else index
    suspects, missing = _suspects(network, place, step, got)
    return ForeignDivergence(
        sample,
        place.layer,
        step,
        tuple(neuron),
        place.variable,
        int(want[place.name][index]),
        int(got[place.name][index]),
        tuple(part.value for part in suspects),
        tuple(missing),
    )


def _suspects(
    network: QuantizedNetwork, place: Place, step: int | None, got: Arrays
) -> tuple[list[Part], list[str]]:
    """The parts between the last values known to be right and the wrong one, and what lacks.

    Whatever was given and comes earlier in causal order is right.
    """
    if place.layer == INPUT:
        return [Part.INPUT], []
    chain = _chain(network, place)
    suspects, missing = [chain[0][1]], list[str]()
    for name, part in chain[1:]:
        if name in got:
            return suspects[::-1], missing + _states(network, place, got)
        missing.append(name)
        suspects.append(part)
    reading = network.readout.reading if place.layer == READOUT else None
    sources = [array_name(reading.population, STATE, reading.variable)] if reading else []
    sources += [
        INPUT if p.source == INPUT else array_name(p.source, SPIKES)
        for p in network.incoming(place.layer)
        if step is None or p.delay <= step
    ]
    lacking = [name for name in dict.fromkeys(sources) if name not in got]
    if any(name != INPUT for name in lacking):
        suspects.append(Part.EARLIER)
    if INPUT in lacking:
        suspects.append(Part.INPUT)
    return suspects[::-1], missing + lacking + _states(network, place, got)


def _chain(network: QuantizedNetwork, place: Place) -> list[tuple[str, Part]]:
    """From a wrong value backwards: what it is made from within its layer, and by which part.

    The first entry is the value itself; a name that was given is where the chain ends.
    """
    accumulator = array_name(place.layer, ACCUMULATOR)
    if place.layer == READOUT:
        whole = [(DECISIONS, Part.ARGMAX), (READOUT, Part.SUM), (accumulator, Part.SYNAPSE)]
        return whole[2 - place.part : 2 if network.readout.reading else 3]
    whole = [
        (place.name, Part.NEURON),
        (array_name(place.layer, CURRENT), Part.GAIN),
        (accumulator, Part.SYNAPSE),
    ]
    return whole[max(0, 2 - place.part) :]


def _states(network: QuantizedNetwork, place: Place, got: Arrays) -> list[str]:
    """The states of the neuron, where it is wrong and these were not given."""
    if place.layer in (INPUT, READOUT) or place.variable != SPIKES:
        return []
    population = next(p for p in network.populations if p.name == place.layer)
    names = [array_name(place.layer, STATE, state) for state in population.neuron.variables]
    return [name for name in names if name not in got]
