"""What can be reached in a graph, whatever its nodes are."""

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

Place = TypeVar("Place", bound=Hashable)


def reached(starts: Iterable[Place], next_to: Callable[[Place], Iterable[Place]]) -> set[Place]:
    """The starts, and all that `next_to` leads to from them, step by step."""
    found: set[Place] = set()
    waiting = list(starts)
    while waiting:
        place = waiting.pop()
        if place not in found:
            found.add(place)
            waiting += next_to(place)
    return found
