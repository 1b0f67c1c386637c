"""Real neurons as C++: the structures that the loops of real.cpp run, forward and backward."""

from collections.abc import Iterable, Sequence
from math import inf

from arlif.kernels.derivative import Derivative, derivative
from arlif.kernels.early_factors import with_early_factors
from arlif.kernels.kept import kept
from arlif.kernels.kernel import Kernel
from arlif.kernels.real_terms import Lowering
from arlif.kernels.short_loops import loops
from arlif.kernels.terms import Kind, Terms

KEEPING = 6.0
"""What writing and reading a vector costs, in additions."""


def printed(kernels: Sequence[Kernel]) -> str:
    """The header that real.cpp includes: Neuron<F, 0>, Neuron<F, 1>, ... and how many there are.

    Raises ArlifError where a step has no gradient.
    """
    head = f"""template <class Number, int number> struct Neuron;
constexpr int neurons = {len(kernels)};
"""
    structures = (
        structure(number, kernel, Lowering(_derivative(kernel), kernel.spread))
        for number, kernel in enumerate(kernels)
    )
    return "\n".join((head, *structures))


def _derivative(kernel: Kernel) -> Derivative:
    return with_early_factors(derivative(kernel.graph, kernel.learned))


def structure(number: int, kernel: Kernel, lowering: Lowering, integers: str = "") -> str:
    """One neuron: what a step does and keeps, and what its gradient makes of that.

    integers: the field that holds what quantized.h needs; real neurons have none.
    """
    of, terms, term = lowering.derivative, lowering.terms, lowering.of
    spikes, *after = (terms.vector(term[place]) for place in (of.spikes, *of.after))
    wanted = (of.of_x, *of.of_states, *of.of_parameters)
    of_x, *others = (terms.vector(term[place]) for place in wanted)
    of_states, of_learned = others[: len(after)], others[len(after) :]
    keep = _kept(terms, _late(terms, lowering.late), (of_x, *others))
    constants, shown = _constants(terms)

    ends = [(f"state[{j}] = {{}};", place) for j, place in enumerate(after)]
    step = loops(terms, shown, [*ends, ("store(spikes + i * lanes<F>, {});", spikes)], ())
    record, names = loops(terms, shown, ends, keep), dict(shown)
    gradient = [f"const V t{place} = keep[{j}];" for j, place in enumerate(keep)]
    names |= {place: f"t{place}" for place in keep}
    gradient += terms.lines((of_x, *others), names)
    gradient += [f"of_state[{j}] = {names[place]};" for j, place in enumerate(of_states)]
    fields = [f"const Integers<F> {integers};"] if integers else []
    initial = ["surrogate(F(p[0]))", *(f"{name}(F({code}))" for name, code in constants.items())]
    initial += [f"{integers}(integers)"] if integers else []
    found = dict(zip(kernel.learned, of_learned, strict=True))
    for kind in ("sums", "of_spread"):
        learned = getattr(kernel, kind)
        gradient += [f"{kind}[{j}] += {names[found[n]]};" for j, n in enumerate(learned)]
    return f"""
template <class Number> struct Neuron<Number, {number}> {{
  using F = Number;
  using V = Vector<F>;
  static constexpr int states = {len(after)}, kept = {max(1, len(keep))};
  static constexpr int spread = {len(kernel.spread)};
  static constexpr int sums = {len(kernel.sums)}, of_spread = {len(kernel.of_spread)};
  const {kernel.surrogate.__name__}<F> surrogate;
{_indented((*(f"const F {name};" for name in constants), *fields))}
  explicit Neuron(const double *p, const void *integers)
      : {", ".join(initial)} {{}}
  template <class S>
  INLINE void step(int64_t count, const S *currents, const V *owns, V *now, S *spikes) const {{
{_indented(step)}
  }}
  template <class S>
  INLINE void record(int64_t count, const S *currents, const V *owns, V *now, V *keeps) const {{
{_indented(record)}
  }}
  INLINE V gradient(V x, const V *own, V of_spike, const V *keep, V *of_state, V *sums,
                    V *of_spread) const {{
{_indented(gradient)}
    return {names[of_x]};
  }}
}};
"""


def _indented(lines: Iterable[str]) -> str:
    return "\n".join(f"    {line}" for line in lines)


def _constants(terms: Terms) -> tuple[dict[str, str], dict[int, str]]:
    """Fields of a structure with what they are computed from, and how terms are shown in it."""
    read = {arg for term in terms.all if term.kind is not Kind.NUMBER for arg in term.args}
    fields, shown = {}, {}
    for place, term in enumerate(terms.all):
        if term.kind is Kind.NUMBER and place in read:
            literal = not (term.args or term.code.startswith("p"))
            shown[place] = f"F({term.code})" if literal else f"c{place}"
            if not literal:
                fields[shown[place]] = terms.number(place)
        elif term.code == "x":
            shown[place] = "x"
    return fields, shown


def _late(terms: Terms, late: Iterable[int]) -> set[int]:
    """Terms that only a gradient knows."""
    found = set(late)
    for place, term in enumerate(terms.all):
        if not found.isdisjoint(term.args):
            found.add(place)
    return found


def _kept(terms: Terms, late: set[int], gradients: Sequence[int]) -> list[int]:
    """What the step keeps for these gradients."""
    needed = terms.needed(gradients, {})
    read = {arg for place in needed if place in late for arg in terms.all[place].args}
    early = [place for place in (read | {*gradients}) if place not in late]
    steps = {p: t for p, t in enumerate(terms.all) if p not in late and t.price > 0}
    return kept(
        early,
        [term.args for term in terms.all],
        {place: term.price for place, term in steps.items()},
        {place: inf if t.kind is Kind.MASK else KEEPING for place, t in steps.items()},
    )
