"""A neuron's step and its gradient as Triton functions: what the loops of gpu.py call."""

import hashlib
import linecache
from collections.abc import Mapping, Sequence
from functools import cache
from math import inf
from types import ModuleType

from arlif.arithmetic.surrogates import Rectangle, Surrogate, Triangle
from arlif.core.graph import CURRENT, Node, Op, dependencies, needed
from arlif.kernels.derivative import OF_SPIKES, Derivative, derivative, of_state
from arlif.kernels.kept import kept
from arlif.kernels.kernel import Kernel

KEEPING = 4.0
"""What holding a value in a register until its gradient costs, in additions."""
PRICES = {Op.TANH: 10.0, Op.SIGMOID: 10.0, Op.EXP: 8.0, Op.OVER: 6.0}
"""What computing a value again costs; other operations cost 1."""
CHOICES, CONDITIONS = (Op.WHERE, Op.SELECT), (Op.GE, Op.FIRE)
EXPRESSIONS = {
    Op.ADD: "{0} + {1}",
    Op.SUB: "{0} - {1}",
    Op.NEG: "-{0}",
    Op.TIMES: "{0} * {1}",
    Op.OVER: "{0} / {1}",
    Op.GE: "{0} >= {1}",
    Op.FIRE: "{0} >= {1}",
    Op.WHERE: "tl.where({0}, {1}, {2})",
    Op.SELECT: "tl.where({0}, {1}, {2})",
    Op.TANH: "2 * tl.sigmoid(2 * {0}) - 1",
    Op.SIGMOID: "tl.sigmoid({0})",
    Op.EXP: "tl.exp({0})",
    Op.FINITE: 'tl.where(tl.abs({0}) < float("inf"), {0}, 0.0)',
}
SLOPES: dict[type[Surrogate], str] = {
    Rectangle: "tl.where(tl.abs({0}) <= width / 2, {1} / width, 0.0)",
    Triangle: "tl.where(tl.abs({0}) < width, (width - tl.abs({0})) / (width * width) * {1}, 0.0)",
}
MODULE = '''import triton
import triton.language as tl

KEPT = {kept}


@triton.jit
def sigmoids(y):
    """sigma(y) and sigma(-y); in neither does anything cancel."""
    small = tl.exp(-tl.abs(y))
    larger = 1 / (1 + small)
    smaller = small * larger
    return tl.where(y >= 0, larger, smaller), tl.where(y >= 0, smaller, larger)


@triton.jit
def step(x, state, constants):
    """Spikes, new state, and what the gradient needs."""
    none = tl.zeros_like(x)
{step}


@triton.jit
def gradient(x, kept, constants, width, of_spikes, of_state, shares):
    """Gradients of x, of the state before, and `shares`, those of parameters, with the step's."""
    none = tl.zeros_like(x)
{gradient}
'''


@cache
def module(kernel: Kernel) -> ModuleType:
    """The printed module of a kernel; `linecache` shows Triton its source."""
    source = printed(kernel)
    name = f"arlif_{hashlib.sha256(source.encode()).hexdigest()[:16]}"
    file = f"{name}.py"
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
    made = ModuleType(name)
    exec(compile(source, file, "exec"), made.__dict__)
    return made


def printed(kernel: Kernel) -> str:
    """The source of a module whose `step` and `gradient` are those of a kernel.

    constants: the kernel's numbers, its tensors of one number, and those of several, in order.
    KEPT: how many values a step keeps for its gradient.
    """
    found = derivative(kernel.graph, (*kernel.sums, *kernel.of_spread))
    singles = [name for name in kernel.tensors if name not in kernel.spread]
    constants = (*kernel.numbers, *singles, *kernel.spread)
    inputs = {CURRENT: "x", OF_SPIKES: "of_spikes"}
    for i, name in enumerate(found.states):
        inputs |= {name: f"state[{i}]", of_state(name): f"of_state[{i}]"}
    known: dict[int, str] = {}
    for place, node in enumerate(found.nodes):
        match node.op:
            case Op.INPUT:
                known[place] = inputs[node.name]
            case Op.PARAMETER:
                known[place] = f"constants[{constants.index(node.name)}]"
            case Op.NUMBER:
                known[place] = repr(node.number)
    keep = _kept(found)
    held = {place: f"kept[{i}]" for i, place in enumerate(keep)}
    slope = SLOPES[kernel.surrogate]
    return MODULE.format(
        kept=len(keep),
        step=_body(found, known, slope, "{1}", found.spikes, found.after, keep),
        gradient=_body(
            found,
            known | held,
            slope,
            "shares[{0}] + {1}",
            found.of_x,
            found.of_states,
            found.of_parameters,
        ),
    )


def _kept(found: Derivative) -> list[int]:
    """Values that a step keeps for its gradient; x is there again, and what depends on neither."""
    seeds = {OF_SPIKES, *map(of_state, found.states)}
    read = dependencies(found)
    late = [not seeds.isdisjoint(names) for names in read]
    again = {
        place: inf if node.op is Op.INPUT else PRICES.get(node.op, 1.0)
        for place, node in enumerate(found.nodes)
        if read[place] and not late[place] and node.name != CURRENT
    }
    wanted = {arg for place in range(len(late)) if late[place] for arg in found.nodes[place].args}
    wanted |= {found.of_x, *found.of_states, *found.of_parameters}
    return kept(
        sorted(wanted), [node.args for node in found.nodes], again, dict.fromkeys(again, KEEPING)
    )


def _body(
    found: Derivative,
    known: Mapping[int, str],
    slope: str,
    last: str,
    value: int,
    values: Sequence[int],
    others: Sequence[int],
) -> str:
    """Statements that compute a value, values and others, and return them.

    slope: of a spike's gradient. last: what is returned of each of the others, {1}, which is
    number {0}.
    """
    nodes, varies = found.nodes, dependencies(found)
    results = (value, *values, *others)
    todo = [place for place in needed(found, results, known) if place not in known]
    partners = _partners(nodes, todo)
    texts, lines = dict(known), []

    def number(place: int) -> str:
        text = texts[place]
        return f"tl.where({text}, 1.0, 0.0)" if nodes[place].op in CONDITIONS else text

    for place in todo:
        if place in texts:
            continue
        node, left = nodes[place], f"n{place}"
        texts[place] = left
        args = [number(arg) for arg in node.args]
        if node.op in CHOICES:
            args[0] = texts[node.args[0]]
        expression = (EXPRESSIONS | {Op.SURROGATE: slope})[node.op].format(*args)
        if place in partners:
            partner = partners[place]
            texts[partner] = f"n{partner}"
            left, expression = f"{left}, n{partner}", f"sigmoids({args[0]})"
        lines.append(f"{left} = {expression}")

    full = {p: number(p) if varies[p] else f"none + {number(p)}" for p in results}
    states = "".join(f"{full[place]}, " for place in values)
    rest = "".join(f"{last.format(i, full[place])}, " for i, place in enumerate(others))
    lines.append(f"return {full[value]}, ({states}), ({rest})")
    return "\n".join(f"    {line}" for line in lines)


def _partners(nodes: Sequence[Node], places: Sequence[int]) -> dict[int, int]:
    """Which of some nodes are sigma(-y), by the place of a sigma(y) among them."""
    sigmoids = {nodes[place].args[0]: place for place in places if nodes[place].op is Op.SIGMOID}
    pairs = {}
    for argument, place in sigmoids.items():
        node = nodes[argument]
        if node.op is Op.NEG and node.args[0] in sigmoids:
            pairs[sigmoids[node.args[0]]] = place
    return pairs
