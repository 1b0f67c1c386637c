"""Many samples, or time steps, in parts that memory holds."""

from collections.abc import Iterator

from arlif.base.errors import require


def cut(stop: int, size: int, start: int = 0) -> Iterator[slice]:
    """Slices of `size`, the last one of what is left, that cover start to stop in order.

    They cut along any axis: x[part], or time first x[:, part]. Raises ArlifError on a size below 1.
    """
    require(size >= 1, f"a part holds at least 1, not {size}")
    return (slice(first, min(first + size, stop)) for first in range(start, stop, size))
