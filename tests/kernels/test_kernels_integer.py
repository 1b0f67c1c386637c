"""The fused integer update equals the reference step by step, in every bit."""

import ctypes
from dataclasses import replace
from functools import cache
from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from support import strategies_neurons
from support.byte_convolutions import check_every_kernel
from support.integer_populations import check, last, random_population, reference
from support.raw_neurons import lif_soft, sampled
from support.strategies_extreme import extreme_arlifs, extreme_lifs
from support.strategies_graphs import graph_neurons
from support.strategies_neurons import neurons

from arlif.base.errors import ArlifError
from arlif.core.formats import FixedPointFormat
from arlif.core.graph import Op
from arlif.core.integer_neurons import PRESETS
from arlif.core.network import Population
from arlif.kernels import build, compiler, integer_update
from arlif.kernels.integer_printer import IntegerKernel, printed
from arlif.kernels.integer_update import BLOCK_STEPS, IntegerUpdate

pytestmark = pytest.mark.skipif(build.library() is None, reason="no C++ compiler here")
SHAPES = st.sampled_from([(1,), (37,), (3, 1, 1), (2, 5, 7), (4, 16, 17)])


@st.composite
def extremes(draw: st.DrawFn) -> None:
    """Neurons and states at the ends of their formats, through `check`."""
    neuron = draw(extreme_arlifs() | extreme_lifs())
    rng, steps = np.random.default_rng(draw(st.integers(0, 10**6))), draw(st.integers(1, 5))
    population = random_population(neuron, (67,), rng)
    low, high = neuron.state_format.low, neuron.state_format.high
    at = neuron.constants.get("threshold", 0)
    edges = [low, low + 1, -1, 0, 1, high, at, max(low, at - 1)]
    acc = rng.integers(-(1 << 18), 1 << 18, (steps, 20, 67)).astype(np.int32)
    start = [rng.choice(edges, (20, 67)).astype(np.int32) for _ in neuron.variables]
    return population, acc, steps, neuron.state_type(*start)


def chosen() -> None:
    """The lanes that fit a neuron."""


def wide() -> None:
    """Lanes of 32 bits where 16 would do."""
    patch.object(integer_update, "fits_16_bits", lambda *_: False).start()


def wider() -> None:
    """Lanes of 32 bits, products of 64, and a look-up for every table."""
    wide()
    patch.object(integer_update, "has_wide_products", lambda *_: True).start()
    patch.object(integer_update, "joined_fields", lambda *_: None).start()


@pytest.fixture(params=[chosen, wide, wider], ids=lambda lanes: lanes.__name__)
def lanes(request):
    """Every width that a neuron can run in."""
    request.param()
    yield
    patch.stopall()


def check_updates(examples: int) -> None:
    """Random neurons of every class, and those at the ends of their formats."""

    @settings(max_examples=examples, deadline=None)
    @given(
        data=st.data(),
        shape=SHAPES,
        steps=st.integers(1, 6),
        samples=st.integers(0, 3),
        bits=st.integers(1, 31),
        static=st.booleans(),
        threads=st.sampled_from([1, 2]),
        seed=st.integers(0, 10**6),
    )
    def of_any_class(data, shape, steps, samples, bits, static, threads, seed):
        rng = np.random.default_rng(seed)
        population = random_population(data.draw(neurons(shape)), shape, rng)
        frames = (1 if static else steps, samples, *shape)
        acc = rng.integers(-(1 << bits), (1 << bits) - 1, frames, np.int64).astype(np.int32)
        check(population, acc, steps, threads)

    @settings(max_examples=examples, deadline=None)
    @given(extremes())
    def at_the_ends(case):
        population, acc, steps, start = case
        check(population, acc, steps, 2, start)

    of_any_class()
    at_the_ends()


def test_updates_equal_the_reference(lanes):
    check_updates(120)


@settings(max_examples=2, deadline=None, phases=[Phase.generate])
@given(st.data())
def check_graphs(data):
    """Steps that do anything: 10 at a time, compiled together."""
    shape = (3, 2, 3)
    found = data.draw(st.lists(graph_neurons(shape), min_size=10, max_size=10))
    keys = [
        (neuron.graph, any(isinstance(v, np.ndarray) for v in neuron.constants.values()))
        for neuron in found
    ]
    source = integer_update.source_of(tuple(IntegerKernel(*key) for key in keys))
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    for number, (neuron, key) in enumerate(zip(found, keys, strict=True)):
        compiled = integer_update.Compiled(IntegerKernel(*key), source, number)
        with patch.object(integer_update, "compiled", lambda _, compiled=compiled: compiled):
            acc = rng.integers(-(1 << 16), 1 << 16, (5, 9, *shape)).astype(np.int32)
            check(random_population(neuron, shape, rng), acc, 5, 1)


def test_steps_that_do_anything(lanes):
    check_graphs()


def check_kernels(flags: tuple[str, ...], folder, monkeypatch) -> None:
    """The equality tests on kernels compiled with these flags; skips what this CPU cannot run."""
    command = (*compiler.compiler(), *compiler.COMMON, *flags)

    @cache
    def library(source: build.Source = build.SYNAPSES) -> ctypes.CDLL:
        (folder / build.PRINTED).write_text(source.printed)
        files = [build.FOLDER / name for name in source.files]
        path = folder / f"{len(list(folder.iterdir()))}.so"
        path.write_bytes(compiler.compiled((*command, f"-I{folder}"), files))
        return ctypes.CDLL(str(path))

    library(integer_update.built_in_source())
    if flags[0] == AVX512 and "AVX512" not in torch.backends.cpu.get_cpu_capability():
        pytest.skip("this CPU has no AVX-512: kernels were compiled for it, and not run")
    monkeypatch.setattr(build, "library", library)
    monkeypatch.setattr(integer_update, "library", library)
    build.loaded.cache_clear()  # of the libraries that other tests ran
    try:
        check_updates(15)
        check_graphs()
        check_every_kernel()
    finally:
        build.loaded.cache_clear()


AVX2, AVX512 = "-march=x86-64-v3", "-march=x86-64-v4"
x86 = pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"),
    reason="this CPU has no AVX2: only the kernels of its own instructions are tested",
)


@x86
@pytest.mark.parametrize("processor", [AVX2, pytest.param(AVX512, marks=pytest.mark.slow)])
def test_both_branches_of_the_integer_kernels(processor, monkeypatch, tmp_path):
    """The other tests of this file run the branch of this CPU."""
    check_kernels((processor, "-O1"), tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("flags", [("-O3",), pytest.param((AVX2,), marks=x86)])
def test_other_processors_compute_the_same(flags, monkeypatch, tmp_path):
    """The kernels without this CPU's widest vectors."""
    check_kernels(flags, tmp_path, monkeypatch)


@settings(max_examples=30, deadline=None)
@given(neuron=neurons(), seed=st.integers(0, 10**6))
def test_the_kinds_of_accumulators(neuron, seed):
    rng = np.random.default_rng(seed)
    population = random_population(neuron, (2, 3, 3), rng)
    acc = rng.integers(-(1 << 20), 1 << 20, (4, 2, 3, 3, 2)).astype(np.int32)
    want = IntegerUpdate(population)(acc, 4, 1).spikes
    kinds = (
        acc.astype(np.float32),
        acc.astype(np.int64),
        torch.tensor(acc),
        torch.tensor(acc) * 1.0,
    )
    for kind in (*kinds, np.asfortranarray(acc)):
        assert np.array_equal(IntegerUpdate(population)(kind, 4, 1).spikes, want)


@settings(max_examples=40, deadline=None)
@given(neuron=neurons((4, 3, 3)), seed=st.integers(0, 10**6))
def test_small_sums_make_currents_in_16_bits(neuron, seed):
    """At the ends of 16 bits, and one beyond, beside the specification."""
    rng = np.random.default_rng(seed)
    population = random_population(neuron, (4, 3, 3), rng)
    edges = [-(1 << 15), 1 - (1 << 15), -1, 0, 1, 255, (1 << 15) - 1]
    acc = rng.choice(edges, (3, 35, 4, 3, 3)).astype(np.int32)
    acc >>= rng.integers(0, 16, (3, 1, 1, 1, 1), np.int32)  # which gains of 1 and more take along
    want = last(reference(population, acc, 3, None)[0], 2)
    for beyond in (0, 1):
        assert np.array_equal(IntegerUpdate(population)(last(acc, 2), 3, 1).spikes, want)
        if not beyond:
            small = last(acc.astype(np.int16), 2)
            assert np.array_equal(IntegerUpdate(population)(small, 3, 1).spikes, want)
        acc[-1, -1, -1, -1, -1] = 1 << 15
        want = last(reference(population, acc, 3, None)[0], 2)


def some_population() -> Population:
    neuron = lif_soft(FixedPointFormat(), 8, 128, 256)
    return random_population(neuron, (2, 3, 3), np.random.default_rng(0))


def test_structures_unlike_those_of_the_library_are_an_error_at_once(monkeypatch):
    class Wider(ctypes.Structure):
        _fields_ = (*integer_update._Table._fields_, ("more", ctypes.c_int64))

    monkeypatch.setattr(integer_update, "_Table", Wider)
    with pytest.raises(AssertionError, match="arlif_integer_layout is"):
        IntegerUpdate(some_population())(np.zeros((1, 1, 3, 3, 2), np.int32), 4, 1)


@pytest.mark.parametrize("shape", [(3, 1, 3, 3, 2), (1, 1, 2, 3, 3), (1, 3, 3, 2)])
def test_a_misfit_is_refused(shape):
    with pytest.raises(ArlifError, match="takes accumulators"):
        IntegerUpdate(some_population())(np.zeros(shape, np.int32), 4, 1)


def test_a_call_counts_spikes_in_one_byte():
    """The most steps of a call, and one too many."""
    neuron = lif_soft(FixedPointFormat(), 8, 128, 256)
    population = Population("p", (3,), neuron, np.ones(3), 0, np.full(3, 30_000))
    still = np.zeros((1, 1, 3), np.int32)
    assert (IntegerUpdate(population)(still, BLOCK_STEPS, 1).counts == 255).all()
    with pytest.raises(ArlifError, match="at most 255 steps"):
        IntegerUpdate(population)(still, BLOCK_STEPS + 1, 1)


def test_neurons_that_come_with_arlif_share_one_library():
    """Compiled by `python -m arlif.kernels`: nothing is compiled when a network runs."""
    for kind in strategies_neurons.KINDS:
        neuron = sampled(kind, PRESETS["compact16"])
        assert integer_update.compiled(neuron).source == integer_update.built_in_source()


@settings(max_examples=30, deadline=None)
@given(graph_neurons((1,)))
def test_no_name_of_a_file_is_printed(neuron):
    """What a file calls its constants, tables and states never reaches the compiler."""
    graph, kinds = neuron.graph, (Op.PARAMETER, Op.LOOKUP)
    nodes = tuple(
        replace(node, name=f"{node.name}; }} evil(); {{") if node.op in kinds else node
        for node in graph.nodes
    )
    named = IntegerKernel(replace(graph, nodes=nodes))
    assert printed((named,)) == printed((IntegerKernel(graph),))
    assert "evil" not in printed((named,))
