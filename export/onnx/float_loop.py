"""A torch Loop as a Scan in float32 whose body is one time step of its layers and neurons."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from onnx import FunctionProto

from arlif.core.maps import Shape
from arlif.core.neuron import Neuron
from arlif.neurons.recurrent import GIVEN, Loop
from export.onnx.function import call_neuron
from export.onnx.scan import Axes, Body, zeros
from export.onnx.symbols import Graph, Symbol
from export.onnx.torch_layers import append


@dataclass(frozen=True, eq=False)
class Part:
    """A neuron layer of a loop: its name in the file, its neuron and the function of its step."""

    title: str
    neuron: Neuron
    function: FunctionProto


def scan_float_loop(
    graph: Graph,
    title: str,
    loop: Loop,
    parts: Mapping[str, Part],
    x: Symbol,
    shape: Shape,
    states: bool,
) -> dict[str, tuple[Symbol, Shape]]:
    """Run a loop over x [T, N, *shape] from zeros: <title>.spikes of every part, [T, N, *shape].

    parts: by the loop's names. states: also <title>.<variable>. What one part sends to another
    after a delay waits in a scan state [delay, N, *shape], the latest first.
    """
    shapes = {name: tuple(size) for name, size in loop.shapes(torch.zeros(1, 1, *shape)).items()}
    waits = {
        name: longest
        for name in (GIVEN, *loop.order)
        if (longest := max((c.delay for c in loop.connections if c.source == name), default=0))
    }
    axes: dict[str, Axes] = {name: ("N", *shape) for name, shape in shapes.items()}
    dtype = graph.dtype
    body = Body(Graph(f"{title}/step/", dtype))
    held = {
        n: [body.take(f"{n}.{v}", axes[n], dtype) for v in parts[n].neuron.variables]
        for n in loop.order
    }
    past = {n: body.take(f"{n}.past", (longest, *axes[n]), dtype) for n, longest in waits.items()}
    batch = graph.node("Shape", x, start=1, end=2)
    start = [
        zeros(graph, batch, (), shapes[n], graph.dtype)
        for n in loop.order
        for _ in parts[n].neuron.variables
    ]
    start += [zeros(graph, batch, (waits[n],), shapes[n], graph.dtype) for n in past]
    sent = {GIVEN: body.take("given", axes[GIVEN], dtype)}
    for name in loop.order:
        part, step = parts[name], body.graph
        currents = [
            append(
                c.layer,
                step,
                step.node("Gather", past[c.source], step.constant(c.delay - 1, np.int64), axis=0)
                if c.delay
                else sent[c.source],
                shapes[c.source],
            )
            for c in loop.incoming(name)
        ]
        current = sum(currents[1:], start=currents[0])
        state = part.neuron.state_type(*held[name])
        sent[name], after = call_neuron(step, part.function.name, part.neuron, state, current)
        held[name] = list(after)
    for name in loop.order:
        for variable, value in zip(parts[name].neuron.variables, held[name], strict=True):
            body.leave(value, f"{name}.{variable}", axes[name], dtype)
    for name, frames in past.items():
        kept = body.waiting(sent[name], frames, waits[name])
        body.leave(kept, f"{name}.past", (waits[name], *axes[name]), dtype)
    recorded: dict[str, Shape] = {}
    for name in loop.order:
        values = {"spikes": sent[name]}
        if states:
            values |= dict(zip(parts[name].neuron.variables, held[name], strict=True))
        for kind, symbol in values.items():
            body.leave(symbol, f"{name}.{kind}_trace", axes[name], dtype)
            recorded[f"{parts[name].title}.{kind}"] = shapes[name]
    body.run(graph, title, start, [x], recorded)
    return {trace: (graph.symbol(trace), size) for trace, size in recorded.items()}
