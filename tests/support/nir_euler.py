"""NIR's equations stepped in float64, read with the nir package: what imported networks must do."""

from pathlib import Path
from typing import Any

import nir
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

SPIKING = (nir.LIF, nir.CubaLIF, nir.IF, nir.Threshold)
STATEFUL = (*SPIKING, nir.LI, nir.CubaLI, nir.I)
Values = NDArray[np.float64]


class Euler:
    """A graph, one time step of dt seconds after another, for N samples at once."""

    def __init__(self, path: Path, dt: float) -> None:
        graph = nir.read(path, type_check=False)
        self.dt, self.nodes = dt, dict[str, Any]()
        self.sources: dict[str, list[str]] = {}
        self._unfold(graph, "")
        self.input = next(n for n, v in self.nodes.items() if isinstance(v, nir.Input))
        self.output = next(n for n, v in self.nodes.items() if isinstance(v, nir.Output))
        self.order = [n for n in self._walked() if isinstance(self.nodes[n], STATEFUL)]

    def run(self, x: Values) -> tuple[Values, dict[str, Values]]:
        """What reaches the Output, [T, N, ...], and what every stateful node sends, for x."""
        self.state: dict[str, dict[str, Values]] = {n: {} for n in self.nodes}
        self.sent: dict[str, Values] = {}
        self.past: dict[str, list[Values]] = {n: [] for n in self.nodes}
        outputs: list[Values] = []
        history: dict[str, list[Values]] = {name: [] for name in self.order}
        for frame in x.astype(np.float64):
            self.sent[self.input] = frame
            for name in self.order:
                self.sent[name] = self._advance(name, self._incoming(name))
                history[name].append(self.sent[name])
            outputs.append(self._incoming(self.output))
        return np.stack(outputs), {name: np.stack(h) for name, h in history.items()}

    def _unfold(self, graph: Any, prefix: str) -> None:
        assert not any(isinstance(node, nir.NIRGraph) for node in graph.nodes.values())
        self.nodes = dict(graph.nodes)
        self.sources = {name: [a for a, b in graph.edges if b == name] for name in self.nodes}

    def _walked(self) -> list[str]:
        """Nodes in reverse order of leaving them in depth: sources first, but for cycles."""
        left: list[str] = []
        seen: set[str] = set()

        def visit(name: str) -> None:
            seen.add(name)
            for target in self.nodes:
                if name in self.sources[target] and target not in seen:
                    visit(target)
            left.append(name)

        visit(self.input)
        return left[::-1]

    def _incoming(self, name: str) -> Values:
        parts = [self._value(source) for source in self.sources[name]]
        return sum(parts[1:], start=parts[0])

    def _value(self, name: str) -> Values:
        """What a node gives now; a neuron that has not stepped yet gives what it sent before."""
        node = self.nodes[name]
        if isinstance(node, STATEFUL) and name not in self.sent:
            batch = len(self.sent[self.input])
            shape = next(v.shape for v in vars(node).values() if isinstance(v, np.ndarray))
            return np.zeros((batch, *shape))
        if name == self.input or isinstance(node, STATEFUL):
            return self.sent[name]
        return self._linear(node, self._incoming(name))

    def _linear(self, node: Any, x: Values) -> Values:
        y = torch.from_numpy(x)
        match node:
            case nir.Affine():
                return x.reshape(len(x), -1) @ _double(node.weight).T + _double(node.bias)
            case nir.Linear():
                return x.reshape(len(x), -1) @ _double(node.weight).T
            case nir.Scale():
                return x * _double(node.scale)
            case nir.Flatten():
                return x.reshape(len(x), -1)
            case nir.Conv1d() | nir.Conv2d():
                run = functional.conv1d if isinstance(node, nir.Conv1d) else functional.conv2d
                weight, bias = (torch.from_numpy(_double(v)) for v in (node.weight, node.bias))
                how = (_ints(node.stride), _ints(node.padding), _ints(node.dilation))
                return run(y, weight, bias, *how, int(node.groups)).numpy()
            case nir.SumPool2d() | nir.AvgPool2d():
                divisor = 1 if isinstance(node, nir.SumPool2d) else None
                how = (_ints(node.kernel_size), _ints(node.stride), _ints(node.padding))
                return functional.avg_pool2d(y, *how, divisor_override=divisor).numpy()
            case nir.Delay() if not np.any(node.delay):
                return x
        raise NotImplementedError(type(node).__name__)

    def _advance(self, name: str, x: Values) -> Values:
        node, dt = self.nodes[name], self.dt
        state = self.state[name]
        if isinstance(node, nir.Threshold):
            return (x > _double(node.threshold)).astype(np.float64)
        if isinstance(node, nir.CubaLIF | nir.CubaLI):
            i = state.get("i", np.zeros_like(x))
            x = i + dt / _double(node.tau_syn) * (_double(node.w_in) * x - i)
            state["i"] = x
        v = state.get("v", np.zeros_like(x))
        if isinstance(node, nir.IF | nir.I):
            v = v + dt * _double(node.r) * x
        else:
            tau = node.tau_mem if hasattr(node, "tau_mem") else node.tau
            v = v + dt / _double(tau) * (_double(node.v_leak) - v + _double(node.r) * x)
        if not isinstance(node, SPIKING):
            state["v"] = v
            return v
        spikes = v > _double(node.v_threshold)
        state["v"] = np.where(spikes, _double(node.v_reset), v)
        return spikes.astype(np.float64)


def _double(values: Any) -> Values:
    return np.asarray(values, np.float64)


def _ints(values: Any) -> Any:
    return values if isinstance(values, str) else tuple(int(v) for v in np.atleast_1d(values))
