"""The fused integer update equals the reference step by step, in every bit."""

import ctypes

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.event_convolutions import check_convolutions_by_events
from support.integer_neurons import lif_soft, lif_subtract
from support.strategies import neurons

from arlif.base.errors import ArlifError
from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.network import Population
from arlif.core.steps import ArlifState, LifState, current
from arlif.core.tables import LookupTable
from arlif.kernels import build, compiler, integer_update
from arlif.kernels.integer_update import IntegerUpdate, applies

pytestmark = pytest.mark.skipif(build.library() is None, reason="no C++ compiler here")


def reference(population, accumulators, steps, state):
    """Spikes, last state and states over time from IntegerOps."""
    neuron, ops = population.neuron, population.neuron.ops()
    gain = population.per_neuron(population.gain)
    bias = population.per_neuron(population.bias)
    if state is None:
        state = neuron.initial_state(np.zeros(accumulators.shape[1:], np.int32))
    spikes, states = [], []
    for t in range(steps):
        acc = accumulators[t if len(accumulators) > 1 else 0]
        x = current(ops, acc, gain, population.gain_shift, bias)
        fired, state = neuron.step(ops, state, x)
        spikes.append(fired)
        states.append(state)
    history = {name: np.stack([getattr(s, name) for s in states]) for name in state._fields}
    return np.stack(spikes).astype(np.uint8), state, history


def random_population(neuron: IntegerNeuron, shape: tuple[int, ...], rng) -> Population:
    form, channels = neuron.state_format, shape[0]
    return Population(
        "p",
        shape,
        neuron,
        rng.integers(0, 256, channels),
        int(rng.integers(0, 20)),
        rng.integers(form.low, form.high, channels, endpoint=True) // int(rng.integers(1, 99)),
    )


@settings(max_examples=120, deadline=None)
@given(
    neuron=neurons().filter(applies),
    shape=st.sampled_from([(1,), (37,), (3, 1, 1), (2, 5, 7), (4, 16, 17)]),
    steps=st.integers(1, 6),
    samples=st.integers(0, 3),
    bits=st.integers(1, 31),
    static=st.booleans(),
    threads=st.sampled_from([1, 2]),
    seed=st.integers(0, 10**6),
)
def test_update_equals_the_reference(neuron, shape, steps, samples, bits, static, threads, seed):
    rng = np.random.default_rng(seed)
    population = random_population(neuron, shape, rng)
    frames = (1 if static else steps, samples, *shape)
    acc = rng.integers(-(1 << bits), (1 << bits) - 1, frames, np.int64).astype(np.int32)
    spikes, state, history = reference(population, acc, steps, None)
    got = IntegerUpdate(population)(acc, steps, threads, history=True)
    assert np.array_equal(got.spikes, spikes)
    assert got.spikes.dtype == np.uint8
    assert got.history.keys() == history.keys()
    assert all(np.array_equal(got.history[name], history[name]) for name in history)
    again = IntegerUpdate(population)(acc, steps, threads, state)
    assert np.array_equal(again.spikes, reference(population, acc, steps, state)[0])
    assert again.history == {}


@st.composite
def extreme_arlifs(draw: st.DrawFn) -> IntegerArlif:
    """AR-LIF of 16-bit states whose tables reach as far as 16-bit arithmetic does, or farther."""
    bits, one = draw(st.sampled_from([1, 8, 15])), draw(st.sampled_from([16383, 16384]))
    entries = draw(st.sampled_from([16, 64, 128, 256, 512]))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    low, shift = draw(st.sampled_from([(-2048, 4), (-32768, 8), (0, 0), (32000, 3), (-40000, 9)]))

    def table(reach: int, first: int) -> LookupTable:
        ends = rng.choice([first, 0, reach], entries)
        values = np.where(rng.random(entries) < 0.5, ends, rng.integers(first, reach + 1, entries))
        return LookupTable(values, low, shift)

    return IntegerArlif(
        FixedPointFormat(16, 8),
        bits,
        draw(st.sampled_from([0, 1, 1 << (bits - 1), (1 << bits) - 1, 1 << bits])),
        table(one, -one),
        table(1 << bits, 0),
        table(32767, -draw(st.sampled_from([32767, 32768]))),
        table(one, -one),
        draw(st.booleans()),
    )


@settings(max_examples=150, deadline=None)
@given(extreme_arlifs(), st.integers(1, 5), st.integers(0, 10**6))
def test_extreme_tables_and_states(neuron, steps, seed):
    rng = np.random.default_rng(seed)
    population = random_population(neuron, (67,), rng)
    low, high = neuron.state_format.low, neuron.state_format.high
    acc = rng.integers(-(1 << 18), 1 << 18, (steps, 20, 67)).astype(np.int32)
    start = [rng.choice([low, low + 1, -1, 0, 1, high], (20, 67)).astype(np.int32) for _ in "ur"]
    spikes, state, history = reference(population, acc, steps, ArlifState(*start))
    got = IntegerUpdate(population)(acc, steps, 2, start, history=True)
    assert np.array_equal(got.spikes, spikes)
    assert all(np.array_equal(a, b) for a, b in zip(got.state, state, strict=True))
    assert all(np.array_equal(got.history[name], history[name]) for name in history)


@st.composite
def extreme_lifs(draw: st.DrawFn) -> IntegerNeuron:
    """LIF whose threshold, amount and hold reach as far as its states do, of 16 bits and more."""
    form = draw(st.sampled_from([FixedPointFormat(16, 8), FixedPointFormat(30, 8)]))
    edges = st.sampled_from([form.low, form.low + 1, -1, 0, 1, 300, form.high - 1, form.high])
    shared = (form, 8, draw(st.sampled_from([0, 1, 128, 255, 256])), draw(edges))
    kind = draw(st.sampled_from([IntegerLifSoft, IntegerLifHard, IntegerLifSubtract]))
    if kind is not IntegerLifSubtract:
        return kind(*shared)
    return lif_subtract(*shared, draw(edges), draw(edges) - shared[-1])


@settings(max_examples=200, deadline=None)
@given(extreme_lifs(), st.integers(1, 5), st.integers(0, 10**6))
def test_extreme_thresholds_and_states(neuron, steps, seed):
    rng = np.random.default_rng(seed)
    population = random_population(neuron, (67,), rng)
    low, high, at = neuron.state_format.low, neuron.state_format.high, neuron.threshold
    edges = [low, low + 1, -1, 0, 1, high, at, max(low, at - 1)]
    acc = rng.integers(-(1 << 18), 1 << 18, (steps, 20, 67)).astype(np.int32)
    start = [rng.choice(edges, (20, 67)).astype(np.int32)]
    spikes, state, history = reference(population, acc, steps, LifState(*start))
    got = IntegerUpdate(population)(acc, steps, 2, start, history=True)
    assert np.array_equal(got.spikes, spikes)
    assert np.array_equal(got.state.u, state.u)
    assert np.array_equal(got.history["u"], history["u"])


def test_neurons_that_training_and_other_tools_give_are_fused():
    kinds = (IntegerArlif, IntegerLifSoft, IntegerLifHard, IntegerLifSubtract)
    assert set(integer_update.KINDS) == set(kinds)


def check_kernels(flags: tuple[str, ...], sources: tuple[str, ...], folder, monkeypatch) -> None:
    """The equality tests on kernels compiled with these flags; skips what this CPU cannot run."""
    command = (*compiler.compiler(), *compiler.COMMON, *flags)
    path = folder / "kernels.so"
    path.write_bytes(compiler.compiled(command, [build.SOURCE / name for name in sources]))
    if flags[0] == AVX512 and "AVX512" not in torch.backends.cpu.get_cpu_capability():
        pytest.skip("this CPU has no AVX-512: kernels were compiled for it, and not run")
    library = ctypes.CDLL(str(path))
    monkeypatch.setattr(build, "library", lambda: library)
    test_update_equals_the_reference()
    test_extreme_tables_and_states()
    test_extreme_thresholds_and_states()
    check_convolutions_by_events()


AVX2, AVX512 = "-march=x86-64-v3", "-march=x86-64-v4"
x86 = pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"),
    reason="this CPU has no AVX2: only the kernels of its own instructions are tested",
)


@x86
@pytest.mark.parametrize("processor", [AVX2, AVX512])
def test_both_branches_of_the_integer_kernels(processor, monkeypatch, tmp_path):
    sources = ("integer_update.cpp", "events.cpp")
    check_kernels((processor, "-O1"), sources, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("flags", [("-O3",), pytest.param((AVX2,), marks=x86)])
def test_other_processors_compute_the_same(flags, monkeypatch, tmp_path):
    """The kernels without this CPU's widest vectors."""
    check_kernels(flags, build.SOURCES, tmp_path, monkeypatch)


@settings(max_examples=30, deadline=None)
@given(neuron=neurons().filter(applies), seed=st.integers(0, 10**6))
def test_the_kinds_of_accumulators(neuron, seed):
    rng = np.random.default_rng(seed)
    population = random_population(neuron, (2, 3, 3), rng)
    acc = rng.integers(-(1 << 20), 1 << 20, (4, 2, 2, 3, 3)).astype(np.int32)
    want = IntegerUpdate(population)(acc, 4, 1).spikes
    kinds = (
        acc.astype(np.float32),
        acc.astype(np.int64),
        torch.tensor(acc),
        torch.tensor(acc) * 1.0,
    )
    for kind in (*kinds, np.asfortranarray(acc)):
        assert np.array_equal(IntegerUpdate(population)(kind, 4, 1).spikes, want)


def test_structures_unlike_those_of_the_library_are_an_error_at_once(monkeypatch):
    class Wider(ctypes.Structure):
        _fields_ = (*integer_update._Table._fields_, ("more", ctypes.c_int64))

    population = random_population(
        lif_soft(FixedPointFormat(), 8, 128, 256), (2, 3, 3), np.random.default_rng(0)
    )
    monkeypatch.setattr(integer_update, "_Table", Wider)
    with pytest.raises(AssertionError, match="arlif_integer_layout is"):
        IntegerUpdate(population)(np.zeros((1, 1, 2, 3, 3), np.int32), 4, 1)


def test_a_misfit_is_refused():
    population = random_population(
        lif_soft(FixedPointFormat(), 8, 128, 256), (2, 3, 3), np.random.default_rng(0)
    )
    with pytest.raises(ArlifError, match="takes accumulators"):
        IntegerUpdate(population)(np.zeros((3, 1, 2, 3, 3), np.int32), 4, 1)
