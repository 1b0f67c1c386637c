"""Memory that is used again never lies under two arrays, and is not kept without need."""

import gc
import tracemalloc

import numpy as np
import pytest
import torch
from support.networks_small import conv_net, images, quantized

from arlif.kernels.reused import SMALL, ReusedMemory
from hw_sim.engines.integer.fast import FastEngine

LARGE = (3, SMALL)


def test_memory_of_an_array_that_nobody_holds_is_used_again() -> None:
    memory = ReusedMemory()
    first = memory.empty(LARGE, np.int32)
    at = first.ctypes.data
    del first
    assert sum(map(len, memory.blocks.values())) == 1
    again = memory.empty((2 * SMALL,), np.int32)  # another shape, the same power of two
    assert again.ctypes.data == at
    assert (again.shape, again.dtype, again.flags.writeable) == ((2 * SMALL,), np.int32, True)
    assert sum(map(len, memory.blocks.values())) == 0


@pytest.mark.parametrize("view", ["numpy", "torch"])
def test_memory_is_not_used_again_while_a_view_holds_it(view: str) -> None:
    memory = ReusedMemory()
    array = memory.empty(LARGE, np.uint8)
    array.fill(7)
    held = array[1:] if view == "numpy" else torch.from_numpy(array).movedim(0, 1)[5:]
    del array
    memory.empty(LARGE, np.uint8).fill(9)
    assert (held == 7).all()
    del held
    gc.collect()
    assert sum(map(len, memory.blocks.values())) == 2


def test_small_arrays_are_left_to_the_c_library() -> None:
    memory = ReusedMemory()
    memory.empty((SMALL,), np.uint8)
    memory.empty((0,), np.int32)
    assert not memory.blocks


def engine_and_inputs() -> tuple[FastEngine, np.ndarray]:
    network = quantized(conv_net(), (1, 8, 8), time_steps=4, samples=8)
    return FastEngine(network), network.input.encode(images((1, 8, 8), 512, seed=1)[0].numpy())


def test_what_an_engine_returned_stays_when_it_runs_again() -> None:
    engine, raw = engine_and_inputs()
    first = engine.simulate(raw, 4)
    readout, counts = first.readout.copy(), {n: c.copy() for n, c in first.counts.items()}
    engine.simulate(raw[::-1].copy(), 4)
    np.testing.assert_array_equal(first.readout, readout)
    for name, kept in counts.items():
        np.testing.assert_array_equal(first.counts[name], kept)


def test_an_engine_that_runs_again_asks_for_no_memory_between_layers() -> None:
    engine, raw = engine_and_inputs()
    returned = sum(counts.nbytes for counts in engine.simulate(raw, 4).counts.values())
    tracemalloc.start()  # numpy tells it of its arrays
    try:
        engine.simulate(raw, 4)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    spikes = 12 * 8 * 8 * 4 * 512  # bytes of the first layer
    assert peak < returned + spikes / 2
