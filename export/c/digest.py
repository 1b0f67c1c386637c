"""A number of everything that a network does, whatever the order; the self-test computes it too."""

import numpy as np
from numpy.typing import NDArray

from arlif.core.network import QuantizedNetwork
from export.c.c_types import channels_last
from export.golden import Golden

OFFSET, PRIME = 2166136261, 16777619
"""FNV-1a's for 32 bits (datatracker.ietf.org/doc/html/draft-eastlake-fnv), here over words."""


def digests(network: QuantizedNetwork, vectors: Golden) -> NDArray[np.uint32]:
    """By sample: the sum, modulo 2**32, of a hash of every neuron at every step.

    A hash goes over step, population, neuron (in H, W, C), spike and the states after the step.
    """
    samples = len(vectors.readout)
    total = np.zeros(samples, np.uint32)
    for t, step in enumerate(vectors.steps):
        for number, population in enumerate(network.populations):
            moment = step.moments[population.name]
            columns = [
                channels_last(np.asarray(values), population.shape).astype(np.int64)
                for values in (moment.spikes, *moment.state)
            ]
            neurons = np.arange(columns[0].shape[1])
            found = np.full(columns[0].shape, OFFSET, np.uint32)
            for word in (np.array(t), np.array(number), neurons, *columns):
                bits = np.bitwise_and(word, 0xFFFFFFFF).astype(np.uint32)
                found = (found ^ bits) * np.uint32(PRIME)
            total += found.sum(1, dtype=np.uint32)
    return total
