"""Interprets the graph of a torch module on spikes and currents, node by node.

What has no exact integer counterpart is refused by name, with the reason; what lies behind it is
judged as far as it can be.
"""

from dataclasses import replace
from functools import partial, reduce
from typing import Any

from torch import Tensor, fx, nn

from arlif.base.errors import ArlifError, LoweringError, require
from arlif.core.formats import real_array
from arlif.core.maps import Shape
from arlif.core.network import INPUT, READOUT, OverTime
from arlif.core.neuron import Neuron
from arlif.layers import Delay, Integrator, Largest, Last, Repeat
from arlif.neurons import SpikingNeuron
from arlif.neurons.recurrent import GIVEN, Loop
from arlif.quantize.absorb import BROKEN, absorb, behind, instead, reason
from arlif.quantize.integrated import Integrated, join, mapped, totals
from arlif.quantize.linearized import Current, LinearizedPopulation, RealReading, Term
from arlif.quantize.over_time import Read, integrator_of, over_time, read, shown
from arlif.quantize.taken_up import current_based, stepwise, unstretched
from arlif.quantize.torch_graph import function_kind, is_constant, live_nodes, population_name
from arlif.quantize.values import (
    Spikes,
    Totals,
    as_current,
    as_drive,
    delayed,
    flatten,
    scaled,
)

_UNKNOWN = absorb.dispatch(object)
_TIMELESS = (nn.Linear, nn.Flatten, nn.Dropout, nn.Identity)


class Walk:
    """What a graph means to integers, and every reason why it means nothing.

    time_steps: T that a Repeat must show; None where any will do.
    unfed: neurons behind a refused layer, by name.
    """

    def __init__(
        self,
        graph: fx.Graph,
        modules: dict[str, nn.Module],
        input_shape: Shape,
        time_steps: int | None,
    ) -> None:
        self.modules, self.input_shape, self.time_steps = modules, input_shape, time_steps
        self.live = live_nodes(graph)
        self.values: dict[fx.Node, Any] = {}
        self.averaged: set[fx.Node] = set()
        self.summed: set[fx.Node] = set()
        self.constants: set[fx.Node] = set()
        self.paths: dict[str, str] = {}
        self.populations: list[LinearizedPopulation] = []
        self.unfed: dict[str, Neuron] = {}
        self.violations: list[str] = []
        self.readout: Current | RealReading | None = None
        self.static = False
        for node in graph.nodes:
            self._visit(node)

    def _visit(self, node: fx.Node) -> None:
        inputs = [self.values[n] for n in node.all_input_nodes]
        broken = any(value is BROKEN for value in inputs)
        self.values[node] = BROKEN
        if is_constant(node, self.constants):
            self.constants.add(node)
            return
        try:
            if broken:
                self._judge(node)
                return
            self._follow_mean(node)
            self.values[node] = self._evaluate(node, inputs)
        except ArlifError as error:
            violation = f"{_title(node, self.modules)}: {error}"
            if (
                violation not in self.violations
            ):  # a layer that is called at every step is told once
                self.violations.append(violation)
            self.values[node] = BROKEN if broken else instead(self._layer(node), inputs)

    def _judge(self, node: fx.Node) -> None:
        """Behind a refused layer only the kind of a node can still be judged."""
        layer = self._layer(node)
        if isinstance(layer, SpikingNeuron):
            self.unfed[self._name(str(node.target))] = detached(layer.lowered()[0])
        elif layer is None:
            if node.op != "output":
                function_kind(node, self.modules)
        elif not isinstance(layer, Repeat | Loop) and absorb.dispatch(type(layer)) is _UNKNOWN:
            raise LoweringError(reason(layer))
        require(
            self.constants.isdisjoint(node.all_input_nodes),
            "it computes with a parameter or the shape of a tensor; use layers from arlif.layers",
            LoweringError,
        )

    def _follow_mean(self, node: fx.Node) -> None:
        """Note what lies behind a mean over time; refuse it where time steps are needed."""
        require(
            node.op == "output" or self.summed.isdisjoint(node.all_input_nodes),
            "it lies behind a sum over time, which may only end the network; take the mean(0)",
            LoweringError,
        )
        layer = self._layer(node)
        if any(source in self.averaged for source in node.all_input_nodes):
            self.averaged.add(node)
            last = node.op == "output" or isinstance(layer, _TIMELESS)
            require(
                last or (layer is None and function_kind(node, self.modules) in ("add", "same")),
                "it lies behind a mean over time, which leaves no time steps; only Linear, +, "
                "Flatten, Dropout and the output may: take the mean at the end",
                LoweringError,
            )
        first = 1 if node in self.averaged else 2
        require(
            not isinstance(layer, nn.Flatten) or (layer.start_dim, layer.end_dim) == (first, -1),
            f"it must flatten all but time and batch, so start_dim={first} and end_dim=-1",
            LoweringError,
        )

    def _layer(self, node: fx.Node) -> nn.Module | None:
        return self.modules[str(node.target)] if node.op == "call_module" else None

    def _evaluate(self, node: fx.Node, inputs: list[Any]) -> Any:
        if node.op == "placeholder":
            if len(self.values) > 1:
                raise LoweringError("a network has exactly one input")
            return Spikes(Term(INPUT), self.input_shape)
        if node.op == "output":
            if not isinstance(node.args[0], fx.Node):
                raise LoweringError("a network returns exactly one tensor, its logits")
            self._require_last(node.args[0], inputs[0])
            require(
                len(inputs[0].shape) == 1,
                f"the output must be one value per class, not shape {inputs[0].shape}; end with a "
                "Linear layer",
                LoweringError,
            )
            self.readout = self._readout(inputs[0])
            return self.readout
        layer = self._layer(node)
        require(
            not any(isinstance(value, Read) for value in inputs)
            or isinstance(layer, nn.Identity | nn.Dropout)
            or (layer is None and function_kind(node, self.modules) == "same"),
            "it lies behind the last or the largest of all time steps, which may only end the "
            "network; put it in front of the integrator",
            LoweringError,
        )
        if layer is None:
            return self._function(node, inputs)
        if isinstance(layer, Last | Largest):
            over = OverTime.LAST if isinstance(layer, Last) else OverTime.LARGEST
            return self._read(node, inputs[0], over)
        if isinstance(layer, SpikingNeuron):
            return self._fire(node, layer, inputs[0])
        if isinstance(layer, Loop):
            return self._loop(node, layer, inputs[0])
        if isinstance(layer, Repeat):
            self.time_steps, self.static = shown(layer, inputs[0], self.time_steps), True
            return inputs[0]
        return behind(layer, inputs[0])

    def _readout(self, value: Any) -> Current | RealReading:
        if not isinstance(value, Read):
            return as_current(totals(value))
        population, reading = read(value, self._name(value.path))
        self.populations.append(population)
        return reading

    def _read(self, node: fx.Node, value: Any, over: OverTime) -> Any:
        return over_time(value, over, integrator_of(node, self.modules))

    def _fire(self, node: fx.Node, layer: SpikingNeuron, value: Any) -> Spikes:
        name = self._name(str(node.target))
        return self._populate(node, name, layer, value)

    def _populate(self, node: fx.Node, name: str, layer: SpikingNeuron, value: Any) -> Spikes:
        if isinstance(value, Totals):
            raise LoweringError(
                f"it is fed with membrane potentials {value.what}, which have no one decay for its "
                "current; give all one decay, or put neurons between them"
            )
        real, factor = layer.lowered()
        neuron = detached(real)
        if isinstance(value, Integrated):
            neuron, current = current_based(
                neuron, mapped(partial(scaled, factor=factor), value, False)
            )
        else:
            current = as_drive(value).scaled(factor)
        neuron, current = stepwise(*unstretched(neuron, current))
        if node in self.live:
            self.populations.append(LinearizedPopulation(name, neuron, current))
        return Spikes(Term(name), current.shape)

    def _require_last(self, node: fx.Node, value: Any) -> None:
        """Of integrators that never leak, the last potential is read; refuse what reads another."""
        require(
            not isinstance(value, Integrated)
            or not value.reads_last
            or (node not in self.averaged and node not in self.summed),
            "integrators that never leak are read by their last potential, which says everything; "
            "return the potentials themselves, without a mean or a sum over time",
            LoweringError,
        )

    def _loop(self, node: fx.Node, loop: Loop, value: Any) -> Spikes:
        """Every population of a loop."""
        require(
            not any(isinstance(part, Delay | Integrator) for part in loop.layers.modules()),
            "inside a loop a layer sees one time step, so Delay and Integrator cannot stand there; "
            "give the connection a delay, and put the integrator in front of the loop",
            LoweringError,
        )
        names = {n: self._name(path) for n, path in loop.paths(str(node.target)).items()}
        sent: dict[str, Any] = {GIVEN: value}
        while len(sent) <= len(names):
            ready = [n for n in names if n not in sent and self._fed(loop, n, sent)]
            for name in ready:
                first = next(c for c in loop.incoming(name) if c.source in sent)
                shape = behind(first.layer, sent[first.source]).shape
                sent[name] = Spikes(Term(names[name]), shape)
        for name in names:
            parts = [
                behind(
                    c.layer, mapped(partial(delayed, steps=c.delay), sent[c.source], mixes=False)
                )
                for c in loop.incoming(name)
            ]
            neurons = loop.neurons[name]
            assert isinstance(neurons, SpikingNeuron)
            self._populate(node, names[name], neurons, reduce(join, parts))
        return sent[loop.output]

    def _fed(self, loop: Loop, name: str, sent: dict[str, Any]) -> bool:
        return any(c.source in sent for c in loop.incoming(name))

    def _name(self, path: str) -> str:
        """The population's name, which no other may have."""
        name = population_name(path)
        require(
            name not in (INPUT, READOUT),
            f"a neuron cannot be called {name}, the name of the network's own; rename the layer",
            LoweringError,
        )
        other = self.paths.get(name)
        require(
            other != path,
            "it is called more than once; call it once, on all time steps [T, N, ...], and use one "
            "neuron layer a call; neurons that feed themselves are "
            "arlif.neurons.recurrent.Recurrent(neuron, feedback)",
            LoweringError,
        )
        require(
            other is None,
            f"populations are called by their path with _ for ., and {other} has the same name; "
            "rename one",
            LoweringError,
        )
        self.paths[name] = path
        return name

    def _function(self, node: fx.Node, inputs: list[Any]) -> Any:
        kind = function_kind(node, self.modules)
        if kind == "add":
            return join(inputs[0], inputs[-1])
        if kind == "flatten":
            return mapped(flatten, inputs[0], mixes=False)
        if kind in ("last", "largest"):
            return self._read(node, inputs[0], OverTime(kind))
        if kind != "same":
            (self.averaged if kind == "mean" else self.summed).add(node)
        return inputs[0]


def detached(neuron: Neuron) -> Neuron:
    """A real neuron with its tensors as Python floats, as arrays where they hold several."""
    plain = {n: real_array(v) for n, v in neuron.constants().items() if isinstance(v, Tensor)}
    values = {n: v.item() if v.ndim == 0 else v for n, v in plain.items()}
    found: Neuron = replace(neuron, **values)
    return found


def _title(node: fx.Node, modules: dict[str, nn.Module]) -> str:
    if node.op == "call_module":
        return f"{node.target} ({type(modules[str(node.target)]).__name__})"
    return node.name
