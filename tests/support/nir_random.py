"""Random NIR graphs of every kind of node, whose layers are made to fire."""

from pathlib import Path
from typing import Any, NamedTuple

import nir
import numpy as np

from arlif.base.seal import sealed_path
from support.nir_euler import Euler, Values

STEPS = 100
LIVELY = (0.02, 0.3)
"""The rates between which layers are made to fire."""


class Drawn(NamedTuple):
    """A file, its time step in seconds, and the shape of its input as the file says it."""

    path: Path
    dt: float
    shape: tuple[int, ...]
    loops: bool


def random_spikes(seed: int, drawn: Drawn) -> Values:
    """Inputs [T, N, ...] of five rates, as float32."""
    rng = np.random.default_rng((seed, 1))
    rates = np.linspace(0.1, 0.6, 5).reshape(-1, *(1 for _ in drawn.shape))
    return (rng.random((STEPS, len(rates), *drawn.shape)) < rates).astype(np.float32)


def random_graph(seed: int, path: Path) -> Drawn:
    """Write a random graph; the same one for the same seed."""
    made = _Maker(np.random.default_rng(seed))
    shape = made.start()
    made.layers()
    made.finish()
    drawn = Drawn(path, made.dt, shape, made.loops)
    for name in made.neurons:
        for _ in range(7):
            _write(path, made)
            _, sent = Euler(path, made.dt).run(random_spikes(seed, drawn))
            rate = float(sent[name].mean())
            if LIVELY[0] <= rate <= LIVELY[1]:
                break
            made.louder(name, 2.0 if rate < LIVELY[0] else 0.6)
    _write(path, made)
    return drawn


def _write(path: Path, made: "_Maker") -> None:
    graph = nir.NIRGraph(made.nodes, made.edges, type_check=False)
    with sealed_path(path) as temporary:
        nir.write(temporary, graph)


class _Maker:
    """A graph that grows layer by layer."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.dt = float(rng.choice([1e-4, 1e-3, 1.0]))
        self.float = rng.choice([np.float32, np.float64])
        self.nodes: dict[str, Any] = {}
        self.edges: list[tuple[str, str]] = []
        self.neurons: list[str] = []
        self.before: dict[str, list[str]] = {}
        self.unit = float(10 ** rng.uniform(-3, 3))
        self.loops = False

    def start(self) -> tuple[int, ...]:
        kind = self.rng.choice(["features", "frame", "signal"], p=[0.5, 0.35, 0.15])
        shape = {"features": (8,), "frame": (2, 8, 8), "signal": (2, 16)}[kind]
        self.at, self.shape = "input", shape
        self.nodes["input"] = nir.Input(np.array(shape))
        return shape

    def layers(self) -> None:
        for index in range(int(self.rng.integers(1, 4))):
            self._layer(f"l{index}")

    def finish(self) -> None:
        if len(self.shape) > 1:
            self._add("flat", nir.Flatten(np.array(self.shape), 0, -1))
            self.shape = (int(np.prod(self.shape)),)
        if self.rng.random() < 0.7:
            self._add("head", self._dense(3, bias=self._chance(0.5)))
            ends = [None, "LI", "CubaLI", "I"]
            match self.rng.choice(np.array(ends, object)):
                case "LI":
                    self._add("end", nir.LI(self._tau(), self._r(), self._value(0, 0.1)))
                case "CubaLI":
                    self._add(
                        "end", nir.CubaLI(self._tau(), self._tau(), self._r(), self._value(0, 0.1))
                    )
                case "I":
                    self._add("end", nir.I(self._r()))
        self._add("output", nir.Output(np.array(self.shape)))

    def louder(self, neuron: str, factor: float) -> None:
        """Multiply what drives a layer of neurons."""
        for name in self.before[neuron]:
            node = self.nodes[name]
            if isinstance(node, nir.NIRGraph):
                node = node.nodes["w"]
            node.weight = (node.weight * factor).astype(node.weight.dtype)
            if hasattr(node, "bias"):
                node.bias = (node.bias * factor).astype(node.bias.dtype)

    def _layer(self, name: str) -> None:
        source, given = self.at, self.shape
        if self._chance(0.15) and name != "l0":
            self._add(f"{name}_wait", nir.Delay(np.full(given, self.dt * self.rng.integers(0, 4))))
        if len(given) > 1 and self._chance(0.25):
            self._add(f"{name}_flat", nir.Flatten(np.array(given), 0, -1))
            self.shape = (int(np.prod(given)),)
        if self._chance(0.1) and len(self.shape) == 1:
            factors = self.rng.uniform(0.5, 2, self.shape if self._chance(0.5) else 1)
            self._add(f"{name}_s", nir.Scale(np.ones(self.shape) * factors))
        self._weights(name)
        if len(self.shape) == 3 and min(self.shape[1:]) >= 4 and self._chance(0.5):
            kind = nir.AvgPool2d if self._chance(0.5) else nir.SumPool2d
            self._add(f"{name}_p", kind(*(np.array([n, n]) for n in (2, 2, 0))))
            self.shape = (self.shape[0], self.shape[1] // 2, self.shape[2] // 2)
        weights = [f"{name}_w"]
        self._add(name, self._neuron())
        self.neurons.append(name)
        if len(self.shape) == 1 and self._chance(0.25):
            self.loops = True
            back = self._dense(*self.shape, inputs=self.shape, bias=self._chance(0.3))
            self.nodes[f"{name}_back"] = back
            end = f"{name}_back"
            self.edges += [(name, end)]
            if not hasattr(back, "bias") and self._chance(0.3):
                self.nodes[f"{name}_later"] = nir.Delay(np.full(self.shape, 2 * self.dt))
                self.edges.append((end, f"{name}_later"))
                end = f"{name}_later"
            self.edges.append((end, name))
            weights.append(f"{name}_back")
        if len(given) == len(self.shape) == 1 and self._chance(0.2):
            self.nodes[f"{name}_skip"] = self._dense(*self.shape, inputs=given, bias=False)
            self.edges += [(source, f"{name}_skip"), (f"{name}_skip", name)]
            weights.append(f"{name}_skip")
        self.before[name] = weights

    def _weights(self, name: str) -> None:
        wrap = self._chance(0.15)
        given = self.shape
        if len(self.shape) == 1:
            node: Any = self._dense(int(self.rng.integers(4, 12)), bias=self._chance(0.5))
        elif len(self.shape) == 2:
            weight = self._normal((4, self.shape[0], 3))
            node = nir.Conv1d(self.shape[1], weight, 1, 1, 1, 1, self._bias(4))
            self.shape = (4, self.shape[1])
        else:
            groups = 2 if self.shape[0] % 2 == 0 and not wrap and self._chance(0.3) else 1
            weight = self._normal((4, self.shape[0] // groups, 3, 3))
            padding: Any = "same" if self._chance(0.3) else (1, 1)
            stride = (
                1
                if isinstance(padding, str) or min(self.shape[1:]) < 6
                else (int(self.rng.integers(1, 3)))
            )
            node = nir.Conv2d(self.shape[1:], weight, stride, padding, 1, groups, self._bias(4))
            sizes = [(n - 1) // stride + 1 for n in self.shape[1:]]
            self.shape = (4, *sizes)
        if wrap:
            ends = {"in": nir.Input(np.array(given)), "out": nir.Output(np.array(self.shape))}
            node = nir.NIRGraph(
                {"in": ends["in"], "w": node, "out": ends["out"]},
                [("in", "w"), ("w", "out")],
                type_check=False,
            )
        self._add(f"{name}_w", node)

    def _dense(self, outputs: int, inputs: tuple[int, ...] | None = None, *, bias: bool) -> Any:
        inputs = self.shape if inputs is None else inputs
        if inputs is self.shape:
            self.shape = (outputs,)
        weight = self._normal((outputs, *inputs))
        return nir.Affine(weight, self._bias(outputs)) if bias else nir.Linear(weight)

    def _normal(self, shape: tuple[int, ...]) -> Values:
        fan = int(np.prod(shape[1:]))
        mean, width = self.rng.uniform(0, 0.5), 10 ** self.rng.uniform(-0.5, 0.5)
        gains = np.exp(self.rng.normal(0, self.rng.choice([0.0, 0.5]), (shape[0],)))
        raw = self.rng.normal(mean, width, shape) / np.sqrt(fan)
        raw *= gains.reshape(-1, *(1 for _ in shape[1:])) * self.unit
        return raw.astype(self.float)

    def _bias(self, outputs: int) -> Values:
        width = self.rng.choice([0.0, 0.1, 0.5]) * self.unit
        return self.rng.normal(0, width, outputs).astype(self.float)

    def _neuron(self) -> Any:
        fires = self._value(1, 2) * self.unit
        reset = self._value(-0.5, 0.3) * self.unit if self._chance(0.4) else np.zeros_like(fires)
        leak = self._value(-0.3, 0.3) * self.unit if self._chance(0.4) else np.zeros_like(fires)
        match self.rng.choice(["LIF", "IF", "CubaLIF", "Threshold"], p=[0.4, 0.2, 0.3, 0.1]):
            case "LIF":
                return nir.LIF(self._tau(), self._r(), leak, fires, reset)
            case "IF":
                return nir.IF(self._r() / self.dt, fires, reset)
            case "CubaLIF":
                taus = self._tau(), self._tau()
                return nir.CubaLIF(*taus, self._r(), leak, fires, reset, self._value(0.5, 2))
        return nir.Threshold(fires)

    def _tau(self) -> Values:
        """Mostly some time steps, sometimes a thousand."""
        most = self.rng.choice([0.5, 1.5, 3.0], p=[0.4, 0.4, 0.2])
        return self.dt * np.maximum(10 ** self._value(0, most), 1.0).astype(self.float)

    def _r(self) -> Values:
        return self._value(0.5, 2) * float(10 ** self.rng.choice([0.0, 0.0, -2.0, 2.0]))

    def _value(self, low: float, high: float) -> Values:
        """One for all, for each channel or for each neuron."""
        match self.rng.integers(0, 3):
            case 0:
                values = np.full(self.shape, self.rng.uniform(low, high))
            case 1:
                some = self.rng.uniform(low, high, (self.shape[0], *(1 for _ in self.shape[1:])))
                values = np.broadcast_to(some, self.shape).copy()
            case _:
                values = self.rng.uniform(low, high, self.shape)
        return values.astype(self.float)

    def _add(self, name: str, node: Any) -> None:
        self.nodes[name] = node
        self.edges.append((self.at, name))
        self.at = name

    def _chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)
