"""A step in stages: loops over a few vectors each, between which values wait in memory.

What a CPU looks ahead is shorter than the chain of exponentials and divisions of one vector, so
that it would mostly wait. A loop that holds one exponential of such a chain is short: many vectors
are under way at once.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from arlif.kernels.kept import kept
from arlif.kernels.terms import Kind, Terms

LONG = 12.0
"""A term of this price ends a stage: an exponential."""
WAITING, READING = 2.0, 1.0
"""What writing and reading a vector of a few costs in additions, and what reading alone does."""

VECTOR = {
    "x": "const V x = load(currents + i * lanes<F>);",
    "own": "const V *const own = owns + i * spread;",
    "state": "V *const state = now + i * states;",
    "keep": "V *const keep = keeps + i * kept;",
}
"""What a step calls what belongs to one vector."""


@dataclass(frozen=True)
class Stage:
    """One loop: what it computes, from what earlier stages stored, and what it stores itself."""

    given: tuple[int, ...]
    roots: tuple[int, ...]
    stored: tuple[int, ...]


def loops(
    terms: Terms, shown: Mapping[int, str], ends: Sequence[tuple[str, int]], keep: Sequence[int]
) -> list[str]:
    """C++ of a step for `count` vectors, at most `block`.

    shown: how terms are called that are there. ends: what is done last with a term. keep: the terms
    that keep[0], keep[1], ... become.
    """
    places = {place: f"keep[{j}]" for j, place in enumerate(keep)}
    found, lines = stages(terms, [place for _, place in ends], keep), list[str]()
    for stage in found:
        for place in stage.stored:
            if place not in places:
                places[place] = f"waiting{place}[i]"
                lines.append(f"V waiting{place}[block];")
    for number, stage in enumerate(found, 1):
        names = dict(shown)
        body = [f"const V t{place} = {places[place]};" for place in stage.given]
        names |= {place: f"t{place}" for place in stage.given}
        body += terms.lines((*stage.roots, *stage.stored), names)
        body += [f"{places[place]} = {names[place]};" for place in stage.stored]
        if number == len(found):
            body += [text.format(names[place]) for text, place in ends]
        lines += _loop(body)
    return lines


def _loop(body: Sequence[str]) -> list[str]:
    """A loop over vectors, whose body is written for one of them."""
    text = "\n".join(body)
    here = [line for name, line in VECTOR.items() if re.search(rf"\b{name}\b", text)]
    indented = (f"  {line}" for line in (*here, *body))
    return ["for (int64_t i = 0; i < count; ++i) {", *indented, "}"]


def stages(terms: Terms, results: Sequence[int], keep: Collection[int]) -> list[Stage]:
    """The stages that compute `results`, all of them in the last, and what to `keep`, anywhere."""
    computed, given, roots = list[set[int]](), list[tuple[int, ...]](), list[list[int]]()
    for wanted in (*_roots(terms, results, keep), [*results, *keep]):
        before = set[int]().union(*computed)
        open_ = [place for place in wanted if place not in before or place in results]
        given.append(_given(terms, open_, before, keep))
        roots.append(open_)
        computed.append({*terms.needed(open_, dict.fromkeys(given[-1], ""))})
    stored = list[set[int]]()
    for number, places in enumerate(computed):
        later = {*keep}.union(*given[number + 1 :]) if number + 1 < len(given) else {*keep}
        stored.append((places & later) - set[int]().union(*stored, *given[: number + 1]))
    found = (
        Stage(some, tuple(wanted), tuple(sorted(waiting)))
        for some, wanted, waiting in zip(given, roots, stored, strict=True)
    )
    return [stage for stage in found if stage.roots]


def _roots(terms: Terms, results: Sequence[int], keep: Collection[int]) -> list[list[int]]:
    """What every stage but the last has to compute.

    By turns exponentials, and what others are taken of, with what can be kept by then.
    """
    depth, exponentials = dict[int, int](), list[int]()
    for place in terms.needed((*results, *keep), {}):
        depth[place] = max((depth[arg] for arg in terms.all[place].args), default=0)
        if _is_long(terms, place):
            depth[place] += 1
            exponentials.append(place)
    found = list[list[int]]()
    for number in range(1, max(depth.values(), default=0) + 1):
        own = [place for place in exponentials if depth[place] == number]
        arguments = [arg for place in own for arg in terms.all[place].args]
        found += [[*arguments, *(place for place in keep if depth[place] == number - 1)], own]
    return found[1:]


def _given(
    terms: Terms, wanted: Sequence[int], before: set[int], keep: Collection[int]
) -> tuple[int, ...]:
    """What to read from earlier stages: what is there or cheap is computed again."""
    own = {place for place in wanted if _is_long(terms, place)}
    again, keeping = dict[int, float](), dict[int, float]()
    for place, term in enumerate(terms.all):
        if term.args and term.kind is not Kind.NUMBER:
            dear = _is_long(terms, place) and place not in own
            again[place] = inf if dear else term.price
            there = place in before and term.kind is Kind.VECTOR
            keeping[place] = (READING if place in keep else WAITING) if there else inf
    return tuple(kept(wanted, [term.args for term in terms.all], again, keeping))


def _is_long(terms: Terms, place: int) -> bool:
    return bool(terms.all[place].args) and terms.all[place].price >= LONG
