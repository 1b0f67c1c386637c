"""Networks own their numbers: no array of theirs can be changed, and equality sees each entry."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np
import pytest
from support.networks_integer import example_network
from support.raw_neurons import cuba

from arlif.core.equality import ArrayEquality, fingerprint, frozen_array
from arlif.core.formats import FixedPointFormat
from arlif.core.maps import Dense
from arlif.core.network import Population, Readout
from arlif.core.tables import LookupTable


def arrays(value: Any) -> Iterator[np.ndarray]:
    """Every array inside, however deep."""
    if isinstance(value, np.ndarray):
        yield value
    elif is_dataclass(value):
        for part in fields(value):
            yield from arrays(getattr(value, part.name))
    elif isinstance(value, tuple | Mapping):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from arrays(item)


def test_no_array_of_a_network_can_be_changed() -> None:
    found = list(arrays(example_network()))
    assert len(found) == 12  # 3 weights, 4 tables, gains and biases of 2 populations, the readout
    for array in found:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_what_the_caller_changes_afterwards_changes_nothing() -> None:
    given = np.arange(12, dtype=np.int32).reshape(3, 4)
    kept = frozen_array(given.T, np.int32)
    before = given.T.copy()
    given[...] = 99
    assert np.array_equal(kept, before)
    assert kept.flags.c_contiguous


FORM = FixedPointFormat(8, 4)
MAKERS = {
    "dense": lambda values: Dense(np.reshape(values, (2, 8))),
    "table": lambda values: LookupTable(values, -8, 0),
    "readout": lambda values: Readout(values),
    "bias": lambda values: Population(
        "p", (16,), cuba(FORM, 4, 3, 2, 5, values), np.ones(16, int), 0, np.zeros(16, int)
    ),
}


@pytest.mark.parametrize("name", MAKERS)
def test_equality_and_fingerprints_see_each_entry(name: str) -> None:
    make, values = MAKERS[name], np.arange(16)
    assert make(values) == make(values.tolist())
    assert fingerprint(make(values)) == fingerprint(make(values.copy()))
    for entry in range(16):
        other = values.copy()
        other[entry] += 1
        assert make(other) != make(values)
        assert fingerprint(make(other)) != fingerprint(make(values))
    assert make(values) != "another kind"


def test_a_fingerprint_tells_shapes_types_and_nesting_apart() -> None:
    values = np.arange(4, dtype=np.int32)
    different = [
        values,
        values.reshape(2, 2),
        values.astype(np.uint32),
        (values, values),
        ((values,), values),
        (1, 23),
        (12, 3),
        Readout(values),
        (((), (1,)), 2),
        (((1,), ()), 2),
        "1",
        1,
    ]
    assert len({fingerprint(value) for value in different}) == len(different)


@dataclass(frozen=True, eq=False)
class Held(ArrayEquality):
    """An array beside a number."""

    array: Any = field(default_factory=lambda: np.zeros((2, 3), np.int32))
    number: int = 0


class Other(Held):
    """The same fields, another meaning."""


@pytest.mark.parametrize(
    "other",
    [
        Held(np.zeros((2, 3), np.float32)),
        Held(np.zeros((3, 2), np.int32)),
        Held(number=1),
        Other(),
    ],
)
def test_types_shapes_and_classes_are_part_of_a_value(other: Held) -> None:
    assert Held() == Held()
    assert Held() != other
    assert other != Held()
    assert fingerprint(Held()) != fingerprint(other)
