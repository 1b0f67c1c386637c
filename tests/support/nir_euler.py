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
    """A graph, one time step of dt seconds after another, for N samples at once.

    The edge that closes a cycle, walked in depth from the Input on, brings what its source gave one
    step before.
    """

    def __init__(self, path: Path, dt: float) -> None:
        self.dt, self.nodes = dt, dict[str, Any]()
        self.sources: dict[str, list[str]] = {}
        self.input, self.output = self._unfold(nir.read(path, type_check=False), "")
        self.late: set[tuple[str, str]] = set()
        self.order = self._walked()

    def run(self, x: Values) -> tuple[Values, dict[str, Values]]:
        """What reaches the Output, [T, N, ...], and what every stateful node sends, for x."""
        self.state: dict[str, dict[str, Values]] = {n: {} for n in self.nodes}
        self.given: dict[str, list[Values]] = {n: [] for n in self.nodes}
        self.now = self._resting(np.zeros(x.shape[1:]))
        outputs: list[Values] = []
        history: dict[str, list[Values]] = {
            name: [] for name in self.order if isinstance(self.nodes[name], STATEFUL)
        }
        for frame in x.astype(np.float64):
            self.now = self._step(frame)
            for name, values in history.items():
                values.append(self.now[name])
            outputs.append(self.now[self.output])
        return np.stack(outputs), {name: np.stack(h) for name, h in history.items()}

    def _resting(self, frame: Values) -> dict[str, Values]:
        """What every node gives while no neuron has given anything: biases are there already."""
        now = {self.input: frame}
        for name in self.order[1:] * 2:  # twice, for late edges
            total = sum((now[source] for source in self.sources[name] if source in now), start=0.0)
            silent = isinstance(self.nodes[name], (*STATEFUL, nir.Delay))
            now[name] = total * 0.0 if silent else self._linear(self.nodes[name], total)
        return now

    def _step(self, frame: Values) -> dict[str, Values]:
        """What every node gives now."""
        now = {self.input: frame}
        for name in self.order[1:]:
            arriving = [
                self.now[source] if (source, name) in self.late else now[source]
                for source in self.sources[name]
            ]
            now[name] = self._given(name, sum(arriving[1:], start=arriving[0]))
        return now

    def _given(self, name: str, x: Values) -> Values:
        node = self.nodes[name]
        if isinstance(node, STATEFUL):
            return self._advance(name, x)
        if isinstance(node, nir.Delay):
            steps = round(float(np.max(node.delay)) / self.dt)
            self.given[name].append(x)
            past = self.given[name]
            return past[-1 - steps] if len(past) > steps else np.zeros_like(x)
        return self._linear(node, x)

    def _unfold(self, graph: Any, prefix: str) -> tuple[str, str]:
        """Take over a graph's nodes; its Input and its Output."""
        first, last, ends = "", "", {}
        for name, node in graph.nodes.items():
            path = prefix + name
            ends[name] = (path, path)
            if isinstance(node, nir.NIRGraph):
                ends[name] = self._unfold(node, f"{path}.")
                continue
            self.nodes[path], self.sources[path] = node, []
            first = path if isinstance(node, nir.Input) else first
            last = path if isinstance(node, nir.Output) else last
        for source, target in graph.edges:
            self.sources[ends[target][0]].append(ends[source][1])
        return first, last

    def _walked(self) -> list[str]:
        """Nodes in reverse order of leaving them in depth: sources first, but for late edges."""
        left: list[str] = []
        seen: set[str] = set()

        def visit(name: str, above: tuple[str, ...]) -> None:
            seen.add(name)
            for target in self.nodes:
                if name in self.sources[target] and target in (*above, name):
                    self.late.add((name, target))
                elif name in self.sources[target] and target not in seen:
                    visit(target, (*above, name))
            left.append(name)

        visit(self.input, ())
        return left[::-1]

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
            case nir.Input() | nir.Output():
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
