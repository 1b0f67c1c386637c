"""A real step and its gradient as C++ expressions: few exponentials and divisions, no cancellation.

Sigmoids and tanh of one argument share its exponential; those that do not wait for one another, and
are functions of the same inputs, share a division. Where a constant that learns is inside of one,
or a step reads sigma(y) and sigma(-y), both come from 1 / (1 + exp(-y)), the second one as its
product with exp(-y), so that neither loses digits. These have a division of their own, as that
exponential may be very large.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

from arlif.core.graph import CURRENT, Node, Op
from arlif.kernels.derivative import OF_SPIKES, Derivative, of_state
from arlif.kernels.sigmoids import Argument, Pair, argument, is_negated, turned
from arlif.kernels.terms import Kind, Terms

EXPONENTIAL, DIVISION = 12.0, 8.0
"""Prices, in additions."""
MOST_POWERS = 4
"""exp_minus(y) to this power is finite, whatever y."""
OWN = MOST_POWERS + 1
"""exp_minus_wide(y) is finite, but not its product with other exponentials."""
SIGMOIDS = (Op.SIGMOID, Op.TANH)
ARITHMETIC = {
    Op.ADD: "{0} + {1}",
    Op.SUB: "{0} - {1}",
    Op.NEG: "-{0}",
    Op.TIMES: "{0} * {1}",
}
OF_NUMBERS = {
    Op.TANH: "std::tanh({0})",
    Op.SIGMOID: "1 / (1 + std::exp(-{0}))",
    Op.EXP: "std::exp({0})",
}


@dataclass
class Lowering:
    """A derivative as terms.

    of: the term of every node. late: terms that a step does not know, but its gradient; all that
    reads them is late too.
    """

    derivative: Derivative
    spread: Sequence[str]
    terms: Terms = field(default_factory=Terms)
    of: dict[int, int] = field(default_factory=dict)
    late: set[int] = field(default_factory=set)
    pairs: dict[Argument, Pair] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.nodes = nodes = self.derivative.nodes
        self.inputs = _reached(nodes, Op.INPUT)
        self.levels = _levels(nodes)
        self.delicate = self._delicate()
        self.turned = turned(self.derivative, self.levels)
        numbers = [n.name for n in nodes if n.op is Op.PARAMETER and n.name not in self.spread]
        self.numbers = {name: f"p[{place + 1}]" for place, name in enumerate(numbers)}
        for place in sorted(range(len(nodes)), key=lambda place: (self.levels[place], place)):
            if place not in self.of:
                self.of[place] = self._term(place)

    def _term(self, place: int) -> int:
        """The term of a node whose arguments have theirs."""
        node, terms = self.nodes[place], self.terms
        args = [self.of[arg] for arg in node.args]
        match node.op:
            case Op.INPUT:
                return self._input(node.name)
            case Op.NUMBER:
                return terms.add(repr(node.number), kind=Kind.NUMBER, price=0)
            case Op.PARAMETER if node.name in self.spread:
                return terms.add(f"own[{self.spread.index(node.name)}]", price=0)
            case Op.PARAMETER:
                return terms.add(self.numbers[node.name], kind=Kind.NUMBER, price=0)
            case Op.GE | Op.FIRE:
                a, b = terms.vector(args[0]), terms.value(args[1])
                return terms.add("{0} >= {1}", a, b, kind=Kind.MASK)
            case Op.WHERE | Op.SELECT:
                return self._choice(node, args)
            case Op.SURROGATE:
                return terms.add("surrogate({0}, {1})", *map(terms.vector, args))
            case Op.FINITE:
                return terms.add("finite({0})", terms.vector(args[0]), price=2)
            case Op.TIMES if pair := self._complements(node.args):
                return terms.add("{0} * {1}", pair.plus, pair.minus)
            case Op.SUB if pair := self._slope(node):
                return terms.add("F(4) * {0} * {1}", pair.plus, pair.minus, price=2)
            case Op.OVER if terms.kind(args[1]) is Kind.NUMBER:
                return terms.arithmetic("{0} * {1}", args[0], terms.arithmetic("1 / {0}", args[1]))
            case Op.OVER:
                return terms.arithmetic("{0} / {1}", *args, price=DIVISION)
            case Op.TANH | Op.SIGMOID | Op.EXP if terms.kind(args[0]) is Kind.NUMBER:
                return terms.arithmetic(OF_NUMBERS[node.op], args[0])
            case Op.EXP:
                return terms.add("exponential({0})", terms.vector(args[0]), price=EXPONENTIAL)
            case Op.SIGMOID if place >= self.derivative.own:
                return self._complement(node)
            case Op.TANH | Op.SIGMOID:
                self._sigmoids(place)
                return self.of[place]
        return terms.arithmetic(ARITHMETIC[node.op], *args)

    def _input(self, name: str) -> int:
        states = self.derivative.states
        if name == CURRENT:
            return self.terms.add("x", price=0)
        if name in states:
            return self.terms.add(f"state[{states.index(name)}]", price=inf)
        gradients = {of_state(name): f"of_state[{j}]" for j, name in enumerate(states)}
        late = self.terms.add((gradients | {OF_SPIKES: "of_spike"})[name])
        self.late.add(late)
        return late

    def _choice(self, node: Node, args: Sequence[int]) -> int:
        terms, pair = self.terms, self._complements(node.args[1:])
        yes, no = node.args[1:]
        if pair is not None and pair.condition is not None:
            return pair.minus if is_negated(self.nodes, self.nodes[yes]) else pair.plus
        condition = terms.mask(args[0])
        if self.nodes[no] == Node(Op.NEG, (yes,)):
            return terms.add("flip({0}, {1})", condition, terms.vector(args[1]), price=2)
        return terms.add("{0} ? {1} : {2}", condition, *map(terms.vector, args[1:]))

    def _sigmoids(self, first: int) -> None:
        """The terms of all that can be computed where the first one is."""
        same, own = (self.levels[first], self.inputs[first]), self.nodes[: self.derivative.own]
        members = dict[tuple[int, int], list[int]]()
        for place, node in enumerate(own):
            if node.op in SIGMOIDS and (self.levels[place], self.inputs[place]) == same:
                members.setdefault(self._denominator(node), []).append(place)
        denominators = sorted(members, key=lambda one: one[1])
        for one, inverse in zip(denominators, self._inverses(denominators), strict=True):
            for place in members[one]:
                self.of[place] = self._finished(self.nodes[place], inverse)

    def _denominator(self, node: Node) -> tuple[int, int]:
        """Of the one division of sigma or tanh, and which power of an exponential is in it."""
        if self._argument(node) in self.delicate:
            return self.terms.add("F(1) + {0}", self._wide(node)), OWN
        e = self.terms.add("exp_minus({0})", self._y(node), price=EXPONENTIAL)
        if node.op is Op.SIGMOID:
            return self.terms.add("F(1) + {0}", e), 1
        return self.terms.add("F(1) + {0} * {0}", e), 2

    def _finished(self, node: Node, inverse: int) -> int:
        """Sigma or tanh from what 1 / (its denominator) is."""
        argument = self._argument(node)
        if argument in self.delicate:
            minus = self.terms.add("{0} * {1}", self._wide(node), inverse)
            self.pairs[argument] = Pair(inverse, minus, self.turned.get(argument))
            return self._of_pair(node)
        return inverse if node.op is Op.SIGMOID else self._tanh(inverse)

    def _inverses(self, denominators: list[tuple[int, int]]) -> list[int]:
        """1 / a, 1 / b, 1 / c, ... from 1 / (a b c ...), as far as that product is finite."""
        terms, products, powers = self.terms, list[int](), 0
        for place, power in denominators:
            if products and powers + power > MOST_POWERS:
                break
            products.append(terms.add("{0} * {1}", products[-1], place) if products else place)
            powers += power
        found, inverse = list[int](), terms.add("F(1) / {0}", products[-1], price=DIVISION)
        for place in reversed(range(1, len(products))):
            found.append(terms.add("{0} * {1}", inverse, products[place - 1]))
            inverse = terms.add("{0} * {1}", inverse, denominators[place][0])
        rest = denominators[len(products) :]
        return [inverse, *reversed(found), *(self._inverses(rest) if rest else [])]

    def _complement(self, node: Node) -> int:
        """A sigmoid that only the gradient reads: 1 less one of the step's."""
        argument = self._argument(node)
        if argument in self.pairs:
            return self._of_pair(node)
        sigmoids = (place for place, n in enumerate(self.nodes) if n.op is Op.SIGMOID)
        step = next(place for place in sigmoids if self._argument(self.nodes[place]) == argument)
        return self.terms.add("F(1) - {0}", self.of[step])

    def _of_pair(self, node: Node) -> int:
        """sigma(y), sigma(-y) or tanh(y) from the pair of y, or of 2 y."""
        pair = self.pairs[self._argument(node)]
        sigmoid = pair.minus if is_negated(self.nodes, node) else pair.plus
        return sigmoid if node.op is Op.SIGMOID else self._tanh(sigmoid)

    def _tanh(self, sigmoid: int) -> int:
        """tanh(y) from sigma(2 y)."""
        return self.terms.add("F(2) * {0} - F(1)", sigmoid)

    def _complements(self, places: Sequence[int]) -> Pair | None:
        """The pair of y where two nodes are sigma(y) and sigma(-y), in either order."""
        a, b = (self.nodes[place] for place in places)
        both = a != b and a.op is b.op is Op.SIGMOID and self._argument(a) == self._argument(b)
        return self.pairs.get(self._argument(a)) if both else None

    def _slope(self, node: Node) -> Pair | None:
        """The pair of 2 y where a node is 1 - tanh(y) tanh(y)."""
        one, square = (self.nodes[arg] for arg in node.args)
        if one.number != 1 or square.op is not Op.TIMES or square.args[0] != square.args[1]:
            return None
        return self.pairs.get(self._argument(self.nodes[square.args[0]]))

    def _wide(self, node: Node) -> int:
        """exp(-z) of a pair"""
        y, condition = self._y(node), self.turned.get(self._argument(node))
        if condition is not None:
            y = self.terms.add("flip({0}, {1})", self.terms.mask(self.of[condition]), y, price=2)
        return self.terms.add("exp_minus_wide({0})", y, price=EXPONENTIAL)

    def _y(self, node: Node) -> int:
        """The term whose exponential a sigmoid or tanh reads."""
        op, y = self._argument(node)
        delicate = (op, y) in self.delicate
        term = self.terms.vector(self.of[y if delicate else node.args[0]])
        return self.terms.add("F(2) * {0}", term) if delicate and op is Op.TANH else term

    def _argument(self, node: Node) -> Argument:
        return argument(self.nodes, node)

    def _delicate(self) -> set[Argument]:
        """Arguments of the sigmoids and tanh that must not lose digits."""
        learned, found = set(self.derivative.parameters), set[Argument]()
        reads = _reached(self.nodes, Op.PARAMETER, (*SIGMOIDS, Op.FIRE, Op.GE))
        seen = dict[Argument, Node]()
        for node in self.nodes[: self.derivative.own]:
            if node.op in SIGMOIDS:
                argument = self._argument(node)
                if reads[node.args[0]] & learned or seen.setdefault(argument, node) != node:
                    found.add(argument)
        return found


def _reached(nodes: Sequence[Node], op: Op, behind: Sequence[Op] = ()) -> list[frozenset[str]]:
    """For every node, names of the inputs or parameters that it is a function of.

    behind: operations whose results are taken for functions of nothing.
    """
    found: list[frozenset[str]] = []
    for node in nodes:
        own = {node.name} if node.op is op else set[str]()
        args = () if node.op in behind else node.args
        found.append(frozenset(own.union(*(found[arg] for arg in args))))
    return found


def _levels(nodes: Sequence[Node]) -> list[int]:
    """For every node, how many sigmoids and tanh wait for one another up to it."""
    found: list[int] = []
    for node in nodes:
        below = max((found[arg] for arg in node.args), default=0)
        found.append(below + (node.op in SIGMOIDS))
    return found
