"""Every neuron in both integer engines against scalar oracles, up to the edges of every format."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support import oracle
from support.raw_neurons import cuba
from support.user_neurons import Adaptive

from arlif.core.formats import FixedPointFormat
from arlif.core.integer_form import integer_form
from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.maps import Dense
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from arlif.core.neuron import Neuron, traced
from arlif.core.real_neurons import BUILT_IN, RealCuba, RealLifSubtract, RealLifWeighted
from arlif.core.tables import LookupTable
from arlif.core.units import Unit
from hw_sim.engines.integer import fast, reference
from hw_sim.engines.integer.update import TorchUpdate
from hw_sim.engines.simulation import Record

NEURON_COUNT = 6
History = list[tuple[int, ...]]


def edges(low: int, high: int) -> st.SearchStrategy[int]:
    """Any integer of a range, the ends and what surrounds 0 more often."""
    around = [n for n in (low, low + 1, -1, 0, 1, high - 1, high) if low <= n <= high]
    return st.one_of(st.sampled_from(around), st.integers(low, high))


@st.composite
def tables(draw: st.DrawFn, state: FixedPointFormat, low: int, high: int) -> LookupTable:
    """Values from `low` to `high` over cells anywhere, beyond the state format too."""
    entries = draw(st.sampled_from((16, 64, 1024)))
    shift = draw(st.integers(0, min(state.bits - 4, 19)))
    first = draw(st.sampled_from((state.low, state.low // 2, -(entries << shift) // 2, 0)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    ends = rng.choice([low, high, 0], entries)
    values = np.where(rng.random(entries) < 0.3, ends, rng.integers(low, high + 1, entries))
    return LookupTable(values, first, shift)


@st.composite
def neurons(draw: st.DrawFn, kind: Neuron) -> IntegerNeuron:
    """A neuron of that kind with any constants that its format holds."""
    bits = draw(st.one_of(st.sampled_from((4, 5, 8, 16, 24, 25, 30)), st.integers(4, 30)))
    state = FixedPointFormat(bits, draw(st.integers(0, bits - 1)))
    factor_bits = draw(st.integers(1, 16))
    one, raw = 1 << factor_bits, edges(state.low, state.high)
    form = integer_form(traced(kind))
    units = {
        name: constant.unit
        for constant in form.constants.values()
        for name in constant.value.parameters()
    }
    signed = isinstance(kind, RealLifWeighted | Adaptive)
    constants: dict[str, Any] = {
        name: draw(edges(-one if signed else 0, one) if unit is Unit.FACTOR else raw)
        for name, unit in units.items()
    }
    if isinstance(kind, RealLifSubtract):
        constants["hold"] = draw(edges(0, state.high))
    if isinstance(kind, RealCuba):
        limit = (1 << (bits - 2)) - 1
        bias = draw(st.lists(raw, min_size=NEURON_COUNT, max_size=NEURON_COUNT))
        constants |= {"limit": limit, "edge": limit + 1, "bias": np.array(bias, np.int32)}
    read = {
        name: draw(tables(state, *((0, one) if table.unit is Unit.FACTOR else _range(state))))
        for name, table in form.tables.items()
    }
    return IntegerNeuron.of(kind, state, factor_bits, constants, read)


def _range(state: FixedPointFormat) -> tuple[int, int]:
    return state.low, state.high


def expected(neuron: IntegerNeuron, xs: list[int], index: int) -> History:
    """What the oracle says of the neuron with that index."""
    shared = (xs, neuron.state_format.bits, neuron.factor_bits)
    held = {
        name: value if isinstance(value, int) else int(value[index])
        for name, value in neuron.constants.items()
    }
    listed = {n: (t.values.tolist(), t.low, t.shift) for n, t in neuron.tables.items()}
    decay, threshold = held["decay"], held.get("threshold", 0)
    match neuron.name:
        case "Arlif":
            return oracle.arlif_integer(*shared, decay, listed, "gate" in listed)
        case "Cuba":
            return oracle.cuba_integer(
                *shared, held["current_decay"], decay, threshold, held["bias"]
            )
        case "LifSubtract":
            hold = held["threshold + hold"] - threshold
            return oracle.lif_subtract_integer(*shared, decay, threshold, held["amount"], hold)
        case "LifHard" | "LifSoft":
            return oracle.lif_integer(*shared, decay, threshold, neuron.name == "LifHard")
        case "LifWeighted":
            return oracle.lif_weighted_integer(*shared, decay, threshold, held["gain"])
        case "Clif":
            return oracle.clif_integer(*shared, held["1"], decay, threshold, listed)
        case "Adaptive":
            own = (held["1"], decay, held["strength"], listed["kept"])
            return oracle.adaptive_integer(*shared, *own)
    raise NotImplementedError(f"{neuron.name} has no oracle; write one")


def alone(population: Population, shift: int, steps: int) -> QuantizedNetwork:
    """One input for each neuron: its accumulator is the raw input << shift."""
    (size,) = population.shape
    projections = (
        Projection(INPUT, "p", (), shift),
        Projection("p", READOUT, (Dense(np.ones((1, size), np.int8)),)),
    )
    source = Input((size,), 1.0, -127, 127, static=False)
    return QuantizedNetwork(source, (population,), projections, Readout(np.zeros(1)), steps)


@st.composite
def cases(draw: st.DrawFn, kind: Neuron) -> tuple[QuantizedNetwork, np.ndarray]:
    """Six neurons of any constants, with an input each."""
    neuron = draw(neurons(kind))
    state, size = neuron.state_format, NEURON_COUNT
    gain = [draw(edges(0, 255)) for _ in range(size)]
    bias = [draw(edges(state.low, state.high)) for _ in range(size)]
    shift = draw(st.integers(0, 24))
    gain_shift = draw(st.sampled_from((0, 31, min(31, max(0, shift + 15 - state.bits)))))
    population = Population("p", (size,), neuron, np.array(gain), gain_shift, np.array(bias))
    steps = draw(st.integers(1, 12))
    frames = draw(st.lists(edges(-127, 127), min_size=steps * size, max_size=steps * size))
    return alone(population, shift, steps), np.array(frames, np.int8).reshape(steps, 1, size)


def histories(states: dict[str, np.ndarray], spikes: np.ndarray, index: int) -> History:
    columns = [spikes[:, 0, index], *(values[:, 0, index] for values in states.values())]
    return [tuple(int(value) for value in row) for row in zip(*columns, strict=True)]


def check(network: QuantizedNetwork, inputs: np.ndarray) -> None:
    """The reference, the fast engine and plain torch say what the oracle says."""
    steps, (population,), (into, _) = len(inputs), network.populations, network.projections
    record = Record.everything(network)
    runs = {
        engine.__name__: engine.simulate(network, inputs, steps, record).traces["p"]
        for engine in (reference, fast)
    }
    accumulators = inputs.astype(np.int64) << into.shift
    update = TorchUpdate(population, torch.device("cpu"))
    fired, _, _, kept = update(torch.from_numpy(accumulators), steps, None, True)
    plain = {name: values.numpy() for name, values in kept.items()}
    bits = population.neuron.state_format.bits
    for index in range(population.shape[0]):
        gain, bias = int(population.gain[index]), int(population.bias[index])
        xs = [
            oracle.input_current(int(acc), gain, population.gain_shift, bias, bits)
            for acc in accumulators[:, 0, index]
        ]
        want = expected(population.neuron, xs, index)
        for name, trace in runs.items():
            assert histories(trace.states, trace.spikes, index) == want, name
        assert histories(plain, fired.numpy(), index) == want, "torch"


@pytest.mark.parametrize("kind", [*BUILT_IN, Adaptive()], ids=lambda kind: type(kind).__name__)
@settings(max_examples=40)
@given(data=st.data())
def test_every_neuron_equals_the_oracle(kind: Neuron, data: st.DataObject) -> None:
    check(*data.draw(cases(kind)))


@pytest.mark.parametrize("bits", [4, 16, 25, 30])
def test_the_registers_of_cuba_turn_over_where_the_oracles_do(bits: int) -> None:
    """Currents from two below to two above the ends of the registers, each for one step."""
    state, end = FixedPointFormat(bits, 0), 1 << (bits - 2)
    currents = np.array([sign * end + near for sign in (1, -1) for near in range(-2, 3)])
    bias = np.tile([0, 1, end - 1, -end], len(currents))
    neuron = cuba(state, 4, 16, 0, end - 1, bias)
    held = Population("p", bias.shape, neuron, np.zeros(bias.shape), 0, np.repeat(currents, 4))
    check(alone(held, 0, 2), np.zeros((2, 1, len(bias)), np.int8))
