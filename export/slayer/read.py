"""read_slayer: a .net file of lava-dl as a QuantizedNetwork that spikes as it does on Lava."""

from math import prod

import numpy as np

from arlif.base.errors import ArlifError, FormatError, require
from arlif.base.files import StrPath
from arlif.core.loihi import ALIGNMENT
from arlif.core.maps import Dense
from arlif.core.network import QuantizedNetwork
from export.hdf5 import read_tree
from export.slayer.chain import LAYERS, Chain, read_input
from export.slayer.cuba import FORMAT
from export.slayer.group import Group

MOST_CLASSES = 1 << 12


def read_slayer(
    path: StrPath, time_steps: int | None = None, static: bool = True
) -> QuantizedNetwork:
    """Read a .net file that SLAYER of lava-dl 0.6 exported; spikes, u and v are Lava's.

    Spiking layer <i> of the file is the population `layer<i>`, without Lava's delay of one step
    per layer. A last dense layer without neuron is the readout; else the readout counts the last
    layer's spikes. An input layer with a neuron takes frames, real * weight + bias of the file
    being its current; one without takes spikes [T, N, *shape].
    time_steps: T; None takes tSample / Ts from the file.
    static: frames are shown at all time steps, [N, *shape]; False: one per step, [T, N, *shape].
    Raises FormatError, with the layer's path in the file, on anything but input, dense, conv, pool
    and flatten layers of CUBA neurons whose numbers Lava would use as they are.
    """
    try:
        return _read(Group(str(path), read_tree(path)), time_steps, static)
    except FormatError:
        raise
    except ArlifError as error:
        raise FormatError(f"{path}: {error}") from error


def _read(file: Group, time_steps: int | None, static: bool) -> QuantizedNetwork:
    layers = file.group("layer")
    count = len(layers.tree)
    layers.require(
        count >= 2 and all(str(i) in layers.tree for i in range(count)),
        "layers are numbered from 0 without gaps, the input and at least one more",
    )
    chain = Chain()
    source = read_input(chain, layers.group("0"), static)
    for i in range(1, count):
        layer = layers.group(str(i))
        kind = layer.text("type")
        layer.require(
            kind in LAYERS,
            f"layers of type {kind!r} are not supported; supported are input, {', '.join(LAYERS)}",
        )
        layer.require(chain.readout is None, "only the last layer may lack a neuron")
        LAYERS[kind](chain, layer, f"layer{i}")
    if chain.readout is None:
        features = prod(chain.shape)
        layers.require(
            features <= MOST_CLASSES,
            f"the last layer has {features} neurons, but a readout at most {MOST_CLASSES}",
        )
        chain.close(features, [(Dense(np.eye(features, dtype=np.int8)), 0)])
    assert chain.readout is not None
    steps = _time_steps(file) if time_steps is None else time_steps
    network = QuantizedNetwork(
        source, tuple(chain.populations), tuple(chain.projections), chain.readout, steps
    )
    _require_no_overflow(network)
    return network


def _time_steps(file: Group) -> int:
    """T as SLAYER simulated it."""
    file.require(
        "simulation" in file.tree,
        "the file does not say how many time steps a sample has; pass time_steps",
    )
    simulation = file.group("simulation")
    return max(1, simulation.integer("tSample", 1, 1 << 20) // simulation.integer("Ts", 1, 1 << 20))


def _require_no_overflow(network: QuantizedNetwork) -> None:
    """A current that may leave our state format would saturate, where Lava wraps u."""
    for population in network.populations:
        reach = network.accumulator_interval(population.name)
        low, high = (value * ALIGNMENT + int(population.bias[0]) for value in reach)
        require(
            FORMAT.low <= low and high <= FORMAT.high,
            f"{population.name}: the current may reach [{low}, {high}], past {FORMAT.bits} bits; "
            "use smaller weights or fewer inputs",
            FormatError,
        )
