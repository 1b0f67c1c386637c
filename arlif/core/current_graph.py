"""The input current of a population as a graph of operations, for readers that print it."""

from dataclasses import dataclass

from arlif.core.graph import CURRENT, Node, Op
from arlif.core.nodes import Population
from arlif.core.ranges import Interval, intervals
from arlif.core.steps import current
from arlif.core.trace import Recording, RecordingOps

GAIN, BIAS = "gain", "bias"
"""The parameters of the graph, per channel."""
INT64: Interval = (-(1 << 63), (1 << 63) - 1)


@dataclass(frozen=True)
class CurrentGraph:
    """arlif.core.steps.current: its input x is the accumulator, its last node the current.

    intervals: of every node; those before the saturation may need more than 32 bits.
    """

    nodes: tuple[Node, ...]
    intervals: tuple[Interval, ...]


def recorded_current() -> Recording:
    """arlif.core.steps.current of the accumulator, CURRENT, and the parameters GAIN and BIAS."""
    recording = Recording()
    value = recording.add(Op.INPUT, name=CURRENT)
    gain, bias = recording.parameter(GAIN), recording.parameter(BIAS)
    current(RecordingOps(recording), value, gain, bias)
    return recording


def current_graph(population: Population, accumulator: Interval) -> CurrentGraph:
    """The current of accumulators within an interval; factors have gain_shift bits."""
    recording = recorded_current()
    constants = {GAIN: population.gain, BIAS: population.bias}
    found = intervals(
        recording,
        population.neuron.state_format,
        population.gain_shift,
        constants,
        {},
        {CURRENT: accumulator},
        INT64,
    )
    return CurrentGraph(tuple(recording.nodes), tuple(found))
