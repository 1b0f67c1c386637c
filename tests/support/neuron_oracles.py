"""One neuron's currents and spikes as lists, to be compared with plain Python."""

import math

import torch
from hypothesis import strategies as st

CURRENTS = st.lists(st.floats(-3, 3).filter(lambda v: abs(v) > 1e-3), min_size=1, max_size=12)
DECAYS = st.floats(0.05, 0.95)


def sigma(v):
    return 1 / (1 + math.exp(-v))


def run(neuron, xs):
    out = neuron.double()(torch.tensor(xs, dtype=torch.float64).view(-1, 1, 1))
    return out.flatten().tolist()
