"""What a step keeps for its gradient: the cheapest choice between keeping and computing again."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence

Vertex = tuple[str, int]
Network = defaultdict[Vertex, defaultdict[Vertex, float]]
ENDLESS = float("inf")
SOURCE, SINK = ("source", 0), ("sink", 0)


def kept(
    wanted: Iterable[int],
    reads: Sequence[Sequence[int]],
    again: Mapping[int, float],
    keeping: Mapping[int, float],
) -> list[int]:
    """Which values to keep so that all those `wanted` are there or can be computed.

    reads: what each value is computed from. again, keeping: what computing a value once more and
    what keeping it cost; values in neither are there for nothing.
    """
    network: Network = defaultdict(lambda: defaultdict(float))
    waiting, seen = [value for value in wanted if value in again], set[int]()
    for value in waiting:
        network[SOURCE]["needed", value] = ENDLESS
    while waiting:
        value = waiting.pop()
        if value in seen:
            continue
        seen.add(value)
        needed, computed = ("needed", value), ("computed", value)
        network[needed][computed] = keeping[value]
        network[computed][SINK] = again[value]
        for read in reads[value]:
            if read in again:
                network[computed]["needed", read] = ENDLESS
                waiting.append(read)
    reached = _source_side(network)
    return sorted(
        value
        for value in seen
        if ("needed", value) in reached and ("computed", value) not in reached
    )


def _source_side(network: Network) -> set[Vertex]:
    """Vertices that the source still reaches once the largest flow runs (Edmonds and Karp)."""
    while True:
        came: dict[Vertex, Vertex] = {SOURCE: SOURCE}
        waiting = deque([SOURCE])
        while waiting and SINK not in came:
            here = waiting.popleft()
            for there, capacity in network[here].items():
                if capacity > 0 and there not in came:
                    came[there] = here
                    waiting.append(there)
        if SINK not in came:
            return set(came)
        path, there = [], SINK
        while there != SOURCE:
            path.append((came[there], there))
            there = came[there]
        flow = min(network[a][b] for a, b in path)
        assert flow < ENDLESS, "every value is kept or computed at some price"
        for a, b in path:
            network[a][b] -= flow
            network[b][a] += flow
