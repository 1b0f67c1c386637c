"""Damage to files as disks, copies and editors do it, and as somebody would on purpose."""

from collections.abc import Iterator
from itertools import cycle, islice

import numpy as np

from arlif.base.seal import LENGTH, MARK


def mutants(content: bytes, count: int, seed: int = 0) -> Iterator[bytes]:
    """So many different contents, none equal to the whole one."""
    rng = np.random.default_rng(seed)
    changed = (change(bytearray(content), rng) for change in cycle(CHANGES))
    yield from islice((bytes(other) for other in changed if other != content), count)


def unsealed(content: bytes) -> bytes:
    """The part of a file that its seal is of."""
    assert content[-LENGTH:].startswith(MARK)
    return content[:-LENGTH]


def _bit(data: bytearray, rng: np.random.Generator) -> bytearray:
    data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
    return data


def _bytes(data: bytearray, rng: np.random.Generator) -> bytearray:
    for at in rng.integers(len(data), size=2 ** int(rng.integers(1, 9))):
        data[at] = rng.integers(256)
    return data


def _cut(data: bytearray, rng: np.random.Generator) -> bytearray:
    return data[: rng.integers(len(data))]


def _zeros(data: bytearray, rng: np.random.Generator) -> bytearray:
    at, size = rng.integers(len(data)), int(rng.integers(1, 4096))
    data[at : at + size] = bytes(len(data[at : at + size]))
    return data


def _swapped(data: bytearray, rng: np.random.Generator) -> bytearray:
    size = max(1, min(512, len(data) // 4))
    a, b = rng.integers(len(data) - size, size=2)
    data[a : a + size], data[b : b + size] = data[b : b + size], data[a : a + size]
    return data


def _more(data: bytearray, rng: np.random.Generator) -> bytearray:
    at = rng.integers(len(data) + 1)
    data[at:at] = rng.bytes(int(rng.integers(1, 64)))
    return data


def _number(data: bytearray, rng: np.random.Generator) -> bytearray:
    """Eight bytes, aligned, become a number that lengths and addresses do not like."""
    at = 8 * int(rng.integers(max(1, len(data) // 8)))
    strange = (-1, 0, 1 << 62, 1 << 31, len(data), 1)[rng.integers(6)]
    data[at : at + 8] = strange.to_bytes(8, "little", signed=True)[: len(data[at : at + 8])]
    return data


def _digits(data: bytearray, rng: np.random.Generator) -> bytearray:
    """A digit of a text becomes another one."""
    places = [at for at, byte in enumerate(data) if 48 <= byte <= 57]
    if places:
        data[places[rng.integers(len(places))]] = 48 + int(rng.integers(10))
    return data


CHANGES = (_bit, _bytes, _cut, _zeros, _swapped, _more, _number, _digits)
