""".net files as lava-dl's SLAYER exports them, for tests."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np

NEURON = {"type": "CUBA", "iDecay": 4096, "vDecay": 1024, "vThMant": 25, "refDelay": 1}


def write(path: Path, layers: list[dict[str, Any]], time_steps: int | None = 24) -> None:
    """Write layers given as nested dictionaries, in SLAYER's types."""
    with h5py.File(path, "w") as file:
        for index, layer in enumerate(layers):
            _put(file.create_group(f"layer/{index}"), layer)
        if time_steps is not None:
            _put(file.create_group("simulation"), {"Ts": 1, "tSample": time_steps})


def _put(group: h5py.Group, values: dict[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, dict):
            _put(group.create_group(name), value)
        elif name == "type" and group.name.count("/") == 2:
            group.create_dataset(name, (1,), "S10", [value.encode()])
        elif name in ("weight", "bias"):
            group[name] = np.asarray(value, np.float32)
        else:
            group[name] = value


def dense(weight: Any, neuron: dict[str, Any] | None = NEURON, **more: Any) -> dict[str, Any]:
    outputs, inputs = np.shape(weight)
    layer = {"type": "dense", "shape": [outputs], "inFeatures": inputs, "outFeatures": outputs}
    return layer | {"weight": weight} | ({} if neuron is None else {"neuron": neuron}) | more


def conv(weight: Any, shape: tuple[int, ...], **more: Any) -> dict[str, Any]:
    """Shape is that of the output; weight is [Cout, Cin / groups, kH, kW]."""
    geometry = {"stride": [1, 1], "padding": [0, 0], "dilation": [1, 1], "groups": 1} | more
    outputs, inputs, *kernel = np.shape(weight)
    layer = {"type": "conv", "shape": shape, "inChannels": inputs * geometry["groups"]}
    layer |= {"outChannels": outputs, "kernelSize": kernel, "neuron": NEURON}
    return layer | {"weight": np.asarray(weight)[..., None]} | geometry


def write_random(path: Path, seed: int) -> None:
    """Spikes into two convolutions, flatten, two dense layers, with random neurons and biases."""
    rng = np.random.default_rng(seed)

    def neuron(threshold: int) -> dict[str, Any]:
        decays = {"iDecay": int(rng.integers(1, 4097)), "vDecay": int(rng.integers(0, 4097))}
        return NEURON | decays | {"vThMant": threshold}

    def weights(shape: tuple[int, ...], reach: int) -> Any:
        return 2 * rng.integers(-reach, reach + 1, shape)

    first = conv(
        weights((4, 1, 3, 2), 60),
        (4, 4, 6),
        stride=[2, 1],
        padding=[1, 0],
        groups=2,
        bias=rng.integers(-40, 80, 4),
        neuron=neuron(int(rng.integers(50, 300))),
    )
    second = conv(
        weights((3, 4, 2, 3), 127),
        (3, 2, 4),
        dilation=[2, 1],
        bias=rng.integers(-400, 800, 3),
        neuron=neuron(int(rng.integers(200, 2000))),
    )
    layers = [
        {"type": "input", "shape": [2, 8, 7]},
        first,
        second,
        {"type": "flatten", "shape": [24, 1, 1]},
        dense(weights((40, 24), 127), neuron(int(rng.integers(50, 500)))),
        dense(weights((5, 40), 60), neuron(300), bias=rng.integers(0, 64, 5)),
    ]
    write(path, layers)
