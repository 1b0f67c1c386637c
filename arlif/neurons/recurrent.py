"""Layers of neurons that feed themselves or each other, one time step after another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from arlif.base.errors import require
from arlif.layers import evaluating
from arlif.neurons.modules import SpikingNeuron

GIVEN = "given"
"""The source of a connection that is what the loop itself is given."""


@dataclass(frozen=True, eq=False)
class Connection:
    """A layer between two layers of neurons: what the source sends at t arrives at t + delay."""

    source: str
    target: str
    layer: nn.Module
    delay: int = 0


class Loop(nn.Module):
    """Spiking layers by name, joined by connections, over [T, N, ...].

    A neuron's current is the sum of what its connections bring; the source GIVEN is the loop's own
    input. output: whose spikes leave it. Before the first step nothing was sent.
    Raises ArlifError where a cycle has no delay, on names that are not there, and on neurons that
    compute all time steps at once.
    """

    def __init__(
        self,
        neurons: Mapping[str, SpikingNeuron],
        connections: Iterable[Connection],
        output: str,
    ) -> None:
        super().__init__()
        self.neurons = nn.ModuleDict(dict(neurons))
        self.connections = tuple(connections)
        self.layers = nn.ModuleList(connection.layer for connection in self.connections)
        self.output = output
        self._shapes: dict[torch.Size, dict[str, torch.Size]] = {}
        names = set(neurons)
        for name, layer in neurons.items():
            require(
                layer.stepwise,
                f"{name}: {type(layer).__name__} computes all time steps at once, and a loop needs "
                "spikes of one step for the next; take neurons with a step, such as ARLIF",
            )
        for c in self.connections:
            require(
                c.source in names | {GIVEN} and c.target in names and c.delay >= 0,
                f"a connection joins {', '.join(sorted(names))} or {GIVEN!r} with a delay of 0 or "
                f"more steps, not {c.source} to {c.target} with {c.delay}",
            )
        require(output in names, f"no neurons are called {output!r}, which shall be the output")
        self.order = _order(list(neurons), self.connections)

    def paths(self, path: str) -> dict[str, str]:
        """What each neuron layer is called if this is at `path`; one alone, as the loop."""
        return {n: path if len(self.order) == 1 else f"{path}.{n}" for n in self.order}

    def incoming(self, name: str) -> list[Connection]:
        """The connections into neurons; their layers are this module's own."""
        return [
            Connection(c.source, c.target, layer, c.delay)
            for c, layer in zip(self.connections, self.layers, strict=True)
            if c.target == name
        ]

    def forward(
        self, x: Tensor, state: Any = None, return_state: bool = False
    ) -> Tensor | tuple[Tensor, Any]:
        """Spikes of the output neurons, [T, N, ...], for x [T, N, ...].

        state: the state to start from, as returned before; None starts at 0, with nothing under
        way. return_state: also return the state after the last step.
        """
        states, past = ({}, self._nothing(x)) if state is None else (dict(state[0]), dict(state[1]))
        spikes = []
        for frame in x.unsqueeze(1):
            sent = {GIVEN: frame}
            for name in self.order:
                parts = [
                    c.layer(past[c.source][c.delay - 1] if c.delay else sent[c.source])
                    for c in self.incoming(name)
                ]
                current = sum(parts[1:], start=parts[0])
                sent[name], states[name] = self.neurons[name](current, states.get(name), True)
            spikes.append(sent[self.output])
            past = {name: [sent[name], *frames][: len(frames)] for name, frames in past.items()}
        result = torch.cat(spikes)
        return (result, (states, past)) if return_state else result

    def shapes(self, x: Tensor) -> dict[str, torch.Size]:
        """The shapes of what a sample sends in one time step, by source, for x [T, N, ...]."""
        if x.shape[2:] not in self._shapes:
            self._shapes[x.shape[2:]] = self._shapes_of(x[:1, :1])
        return self._shapes[x.shape[2:]]

    def _shapes_of(self, frame: Tensor) -> dict[str, torch.Size]:
        """See shapes, for one frame [1, 1, ...]."""
        sent = {GIVEN: frame}
        with torch.no_grad(), evaluating(self):
            while len(sent) < 1 + len(self.order):
                before = len(sent)
                for name in self.order:
                    known = [c for c in self.incoming(name) if c.source in sent]
                    if known and name not in sent:
                        sent[name] = known[0].layer(sent[known[0].source])
                require(
                    len(sent) > before,
                    f"{', '.join(n for n in self.order if n not in sent)} receive nothing of what "
                    "the loop is given; connect them",
                )
        return {name: value.shape[2:] for name, value in sent.items()}

    def _nothing(self, x: Tensor) -> dict[str, list[Tensor]]:
        """What was sent before the first step, as many frames as connections wait for."""
        longest = {c.source: 0 for c in self.connections}
        for c in self.connections:
            longest[c.source] = max(longest[c.source], c.delay)
        return {
            name: [x.new_zeros(1, x.shape[1], *shape)] * longest.get(name, 0)
            for name, shape in self.shapes(x).items()
        }


class Recurrent(Loop):
    """Neurons that feed themselves: s[t] = neurons(x[t] + feedback(s[t - delay])).

    feedback: a layer over [T, N, ...], such as arlif.layers.Linear(n, n); before the first step it
    is fed with zeros. delay: at least 1.
    """

    def __init__(self, neuron: SpikingNeuron, feedback: nn.Module, delay: int = 1) -> None:
        connections = (
            Connection(GIVEN, "neuron", nn.Identity()),
            Connection("neuron", "neuron", feedback, delay),
        )
        super().__init__({"neuron": neuron}, connections, "neuron")


def spiking_layers(net: nn.Module) -> dict[str, SpikingNeuron]:
    """The network's neuron layers by name, in order of construction."""
    looped = {
        loop.neurons[name]: path
        for where, loop in net.named_modules()
        if isinstance(loop, Loop)
        for name, path in loop.paths(where).items()
    }
    return {looped.get(m, n): m for n, m in net.named_modules() if isinstance(m, SpikingNeuron)}


def _order(names: list[str], connections: tuple[Connection, ...]) -> tuple[str, ...]:
    """Sources before targets, but for connections that wait."""
    waiting, ordered = list(names), []
    while waiting:
        sources = {c.target for c in connections if c.delay == 0 and c.source in waiting}
        ready = next((name for name in waiting if name not in sources), None)
        require(
            ready is not None,
            f"{', '.join(waiting)} hold a cycle without delay; give the connection that goes back "
            "a delay of 1 step or more",
        )
        waiting.remove(str(ready))
        ordered.append(str(ready))
    return tuple(ordered)
