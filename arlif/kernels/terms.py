"""C++ expressions under way: what a printer makes of a graph's nodes before it writes lines."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from arlif.base.reached import reached


class Kind(Enum):
    """What a term is in C++: a vector, a vector's condition, or one number before the loops."""

    VECTOR = "V"
    MASK = "auto"
    NUMBER = "F"


@dataclass(frozen=True)
class Term:
    """A C++ expression of other terms, {0}, {1}, ...

    price: of computing it, in additions; 0 for what is there anyway.
    """

    code: str
    args: tuple[int, ...] = ()
    kind: Kind = Kind.VECTOR
    price: float = 1.0


@dataclass
class Terms:
    """Terms, each made once and after what it reads."""

    all: list[Term] = field(default_factory=list)
    places: dict[Term, int] = field(default_factory=dict)

    def add(self, code: str, *args: int, kind: Kind = Kind.VECTOR, price: float = 1.0) -> int:
        """The place of a term."""
        term = Term(code, args, kind, price)
        if term not in self.places:
            self.places[term] = len(self.all)
            self.all.append(term)
        return self.places[term]

    def kind(self, place: int) -> Kind:
        return self.all[place].kind

    def arithmetic(self, code: str, *args: int, price: float = 1.0) -> int:
        """An expression of numbers: a number itself where all of them are."""
        args = tuple(self.value(arg) for arg in args)
        if all(self.kind(arg) is Kind.NUMBER for arg in args):
            return self.add(f"({code})", *args, kind=Kind.NUMBER, price=0)
        return self.add(code, *args, price=price)

    def value(self, place: int) -> int:
        """A condition as 1 and 0; other terms as they are."""
        if self.kind(place) is not Kind.MASK:
            return place
        return self.add("{0} ? V{{}} + F(1) : V{{}}", place)

    def vector(self, place: int) -> int:
        """Any term as a vector."""
        place = self.value(place)
        if self.kind(place) is Kind.VECTOR:
            return place
        return self.add("V{{}} + {0}", place, price=0)

    def mask(self, place: int) -> int:
        """Any term as a condition: whether it is above 0, as a spike is."""
        if self.kind(place) is Kind.MASK:
            return place
        return self.add("{0} > F(0)", self.vector(place), kind=Kind.MASK)

    def needed(self, roots: Iterable[int], given: Mapping[int, str]) -> list[int]:
        """Terms that the roots are computed from, in order, without those that are given."""
        found = reached(roots, lambda place: () if place in given else self.all[place].args)
        return sorted(found - given.keys())

    def lines(self, roots: Sequence[int], names: dict[int, str]) -> list[str]:
        """Statements that compute the roots; `names` grows by what they define."""
        found = []
        for place in self.needed(roots, names):
            term = self.all[place]
            names[place] = f"t{place}"
            code = term.code.format(*(names[arg] for arg in term.args))
            found.append(f"const {term.kind.value} t{place} = {code};")
        return found

    def number(self, place: int) -> str:
        """The expression of a number, as one line in double precision."""
        term = self.all[place]
        return term.code.format(*(self.number(arg) for arg in term.args))
