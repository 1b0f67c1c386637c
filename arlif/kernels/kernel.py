"""What a fused kernel of a real neuron is printed from, as a value and as a text."""

import json
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from arlif.arithmetic.surrogates import SURROGATES, Rectangle, Surrogate
from arlif.core.graph import Graph, Node, Op
from arlif.core.neuron import Neuron, traced
from arlif.kernels.derivative import real_graph

Names = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Kernel:
    """A neuron's step and how its constants come; two are the same where their texts are.

    graph: of real numbers, with the constants as parameters. tensors: names of those that come as
    tensors; learned, spread: names of tensors that have a gradient, that hold several values.
    surrogate: shape of a spike's gradient; its width is the first number that a call takes.
    """

    graph: Graph
    tensors: Names
    learned: Names
    spread: Names
    surrogate: type[Surrogate] = Rectangle

    @property
    def numbers(self) -> Names:
        """Constants that come as numbers."""
        return tuple(name for name in self.graph.parameters() if name not in self.tensors)

    @property
    def sums(self) -> Names:
        """Learned constants of one value: their gradient is one number."""
        return tuple(name for name in self.learned if name not in self.spread)

    @property
    def of_spread(self) -> Names:
        """Learned constants of several values."""
        return tuple(name for name in self.learned if name in self.spread)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Kernel) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    @cached_property
    def text(self) -> str:
        """What `kernel` reads: an argument of a torch operation holds it."""
        graph = self.graph
        nodes = [(node.op.value, node.args, node.name, node.number) for node in graph.nodes]
        step = (nodes, graph.spikes, graph.states, graph.after)
        return json.dumps((step, self.surrogate.__name__, self.tensors, self.learned, self.spread))


@cache
def kernel(text: str) -> Kernel:
    """The kernel of a text."""
    (nodes, spikes, states, after), surrogate, tensors, learned, spread = json.loads(text)
    graph = Graph(
        tuple(Node(Op(op), tuple(args), name, number) for op, args, name, number in nodes),
        spikes,
        tuple(states),
        tuple(after),
    )
    kinds = {kind.__name__: kind for kind in SURROGATES.values()}
    return Kernel(graph, tuple(tensors), tuple(learned), tuple(spread), kinds[surrogate])


def constants_of(neuron: type[Neuron]) -> tuple[Names, Names, Names, Names]:
    """Names of a class's constants; of those that learn; of those that are nothing at their start.

    A constant that is 0 by default and stays 0 costs nothing. The last names are of its flags.
    """
    known = neuron.parameters()
    plain = neuron()
    learn = tuple(name for name, parameter in known.items() if parameter.learned)
    zero = tuple(n for n, p in known.items() if not p.learned and getattr(plain, n) == 0)
    return tuple(known), learn, zero, tuple(plain.flags())


def described(
    neuron: type[Neuron],
    flags: tuple[tuple[str, Any], ...],
    zeros: Names,
    tensors: Names,
    learned: Names,
    spread: Names,
) -> Kernel:
    """The kernel of a class of neurons with these flags; `zeros` are no constants but 0.

    Raises ArlifError where its step cannot be traced.
    """
    some = neuron(**dict(flags)).with_constants(dict.fromkeys(neuron.parameters(), 1.0))
    graph = real_graph(traced(some, dict.fromkeys(zeros, 0.0)))
    used = [*graph.parameters()]

    def read(names: Names) -> Names:
        return tuple(name for name in used if name in names)

    return Kernel(graph, read(tensors), read(learned), read(spread))


def standard(neuron: Neuron) -> Kernel:
    """The kernel of a neuron whose constants are one per layer."""
    _, learn, vanish, _ = constants_of(type(neuron))
    zeros = tuple(name for name in vanish if getattr(neuron, name) == 0)
    flags = tuple(neuron.flags().items())
    return described(type(neuron), flags, zeros, learn, learn, ())
