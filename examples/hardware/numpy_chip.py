"""A chip, played by numpy: it knows a network from the files of `arlif vectors` alone.

It stands for your implementation: it imports nothing of arlif, takes weights, gains, biases and
tables from the memory image by their addresses, and leaves all that it computed in one .npz file.

Run: python numpy_chip.py VECTORS TRACES.npz [FAULT]    FAULT: gain or neuron, which round down then
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def load(folder: Path) -> dict[str, Any]:
    """memory.json, every {"array": name} replaced by what lies at its address in the image."""
    described = json.loads((folder / "memory" / "memory.json").read_text())
    image = np.load(folder / "memory" / "image.npy").tobytes()
    arrays = {}
    for name, facts in described["memory"]["arrays"].items():
        data = image[facts["address"] : facts["address"] + facts["bytes"]]
        dtype = np.dtype(facts["dtype"]).newbyteorder("<")
        arrays[name] = np.frombuffer(data, dtype).reshape(facts["shape"]).astype(np.int64)

    def filled(part: Any) -> Any:
        if isinstance(part, dict) and part.keys() == {"array"}:
            return arrays[part["array"]]
        if isinstance(part, dict):
            return {name: filled(value) for name, value in part.items()}
        return [filled(value) for value in part] if isinstance(part, list) else part

    return {name: filled(part) for name, part in described.items() if name != "memory"}


def divided(product: Any, bits: int, down: bool) -> Any:
    """product / 2**bits, rounded toward zero; a faulty chip rounds down."""
    return product >> bits if down else np.sign(product) * (np.abs(product) >> bits)


def patches(x: Any, window: dict[str, Any]) -> Any:
    """What lies under each window: [N, C, H', W', kH, kW] of x [N, C, H, W], padded with 0."""
    (kh, kw), (sh, sw), (ph, pw) = (window[n] for n in ("kernel", "stride", "padding"))
    dh, dw = window.get("dilation", (1, 1))
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    span = (dh * (kh - 1) + 1, dw * (kw - 1) + 1)
    view = np.lib.stride_tricks.sliding_window_view(x, span, axis=(2, 3))
    return view[:, :, ::sh, ::sw, ::dh, ::dw]


def mapped(x: Any, kind: dict[str, Any]) -> Any:
    """One linear map on [N, ...]."""
    if kind["type"] == "Dense":
        return x.reshape(len(x), -1) @ kind["weight"].T
    if kind["type"] == "SumPool2d":
        return patches(x, kind).sum((4, 5))
    weight, groups = kind["weight"], kind["groups"]
    under = patches(x, {**kind, "kernel": weight.shape[2:]})
    inputs, outputs = np.split(under, groups, 1), np.split(weight, groups)
    found = [np.einsum("ncyxij,ocij->noyx", a, b) for a, b in zip(inputs, outputs, strict=True)]
    return np.concatenate(found, 1)


def stepped(neuron: dict[str, Any], state: list[Any], x: Any, down: bool) -> tuple[Any, list[Any]]:
    """One step of a neuron: its list of operations, one after another."""
    graph, form = neuron["graph"], neuron["state_format"]
    low, high = -(1 << (form["bits"] - 1)), (1 << (form["bits"] - 1)) - 1
    inputs = {"x": x, **dict(zip(graph["states"], state, strict=True))}
    values: list[Any] = []
    columns = (graph[n] for n in ("operations", "arguments", "names", "numbers"))
    for operation, places, name, number in zip(*columns, strict=True):
        a = [values[place] for place in places if place >= 0]
        match operation:
            case "input":
                value = inputs[name]
            case "parameter":
                value = neuron["constants"][name]
            case "number":
                value = number
            case "add":
                value = a[0] + a[1]
            case "sub":
                value = a[0] - a[1]
            case "neg":
                value = -a[0]
            case "multiply":
                value = divided(np.multiply(*a), neuron["factor_bits"], down)
            case "saturate":
                value = np.clip(a[0], low, high)
            case "lookup":
                table = neuron["tables"][name]
                cells = np.asarray(a[0] - table["low"]) >> table["shift"]
                value = table["values"][np.clip(cells, 0, len(table["values"]) - 1)]
            case "ge" | "fire":
                value = np.greater_equal(*a)
            case "where" | "select":
                value = np.where(*a)
            case _:
                raise ValueError(f"unknown operation {operation}")
        values.append(value)
    whole = [
        np.broadcast_to(values[place], x.shape) for place in (graph["spikes"], *graph["after"])
    ]
    return whole[0].astype(np.int64), whole[1:]


def run(network: dict[str, Any], inputs: Any, fault: str) -> dict[str, Any]:
    """Every array of the vectors, by its name."""
    static, steps = network["input"]["static"], network["time_steps"]
    samples = inputs.shape[0 if static else 1]
    sent: list[dict[str, Any]] = []  # by time step, what every node sends
    states: dict[str, list[Any]] = {}
    kept: dict[str, list[Any]] = {}

    def accumulated(target: str, shape: tuple[int, ...], t: int) -> Any:
        total = np.zeros((samples, *shape), np.int64)
        for projection in network["projections"]:
            if projection["target"] == target and projection["delay"] <= t:
                x = sent[t - projection["delay"]][projection["source"]]
                for window in projection["pools"]:
                    x = patches(x, window).max((4, 5))
                for kind in projection["maps"]:
                    x = mapped(x, kind)
                total += x << projection["shift"]
        kept.setdefault(f"{target}.accumulator", []).append(total)
        return total

    logits: Any = 0
    for t in range(steps):
        sent.append({"input": (inputs if static else inputs[t]).astype(np.int64)})
        for population in network["populations"]:
            name, shape, neuron = (population[n] for n in ("name", "shape", "neuron"))
            form, per_channel = neuron["state_format"], (-1, *(1 for _ in shape[1:]))
            gain, bias = (population[n].reshape(per_channel) for n in ("gain", "bias"))
            total = accumulated(name, shape, t)
            x = divided(total * gain, population["gain_shift"], fault == "gain") + bias
            x = np.clip(x, -(1 << (form["bits"] - 1)), (1 << (form["bits"] - 1)) - 1)
            variables = neuron["graph"]["states"]
            before = states.get(name) or [np.zeros_like(x) for _ in variables]
            sent[t][name], states[name] = stepped(neuron, before, x, fault == "neuron")
            kept.setdefault(f"{name}.current", []).append(x)
            kept.setdefault(f"{name}.spikes", []).append(sent[t][name])
            for variable, value in zip(variables, states[name], strict=True):
                kept.setdefault(f"{name}.state.{variable}", []).append(value)
        logits = read_out(network["readout"], logits, kept, accumulated, t)
    arrays = {name: np.stack(values) for name, values in kept.items()}
    return {"input": inputs, **arrays, "readout": logits, "decisions": np.argmax(logits, 1)}


def read_out(
    readout: dict[str, Any], before: Any, kept: dict[str, list[Any]], accumulated: Any, t: int
) -> Any:
    """The readout after step t: a sum, or the last or the largest value of a state."""
    bias, reading = readout["bias"], readout.get("reading")
    if reading is None:
        return before + accumulated("readout", bias.shape, t) + bias
    value = kept["{population}.state.{variable}".format(**reading)][-1] + bias
    return value if reading["over"] == "last" or not t else np.maximum(before, value)


def main(folder: str, traces: str, fault: str = "") -> None:
    """Run the input of a folder of vectors and leave what was computed in an .npz file."""
    inputs = np.load(Path(folder) / "input.npy")
    np.savez_compressed(traces, **run(load(Path(folder)), inputs, fault))


if __name__ == "__main__":
    main(*sys.argv[1:])
