"""The faults that `make mutants` tries: one line each, valid Python, seeded, spread over rooms."""

import ast

import pytest
from scripts.mutants import LEFT_OUT, ROOMS, found
from support.mutations import Mutation, mutations, sample
from support.places import ROOT

FAULTS = {
    "x = a <= b": {"x = a < b"},
    "x = a < (b) <= c": {"x = a <= (b) <= c", "x = a < (b) < c"},
    "x = a is not b": {"x = a is b"},
    "x = a not in b": {"x = a in b"},
    "x = a and (b or c)": {"x = a or (b or c)", "x = a and (b and c)"},
    "x = a + b": {"x = a - b"},
    "x = a // b": {"x = a / b"},
    "x = a << 4": {"x = a >> 4", "x = a << 5", "x = a << 3"},
    "x = 0": {"x = 1", "x = (-1)"},
    "x = 0.5": {"x = 2.0"},
    "x = -a": {"x = a"},
    "x = -(a)": {"x = (a)"},
    "x = not a": {"x = a"},
    "x = True": {"x = False"},
    "x = min(a, b)": {"x = max(a, b)"},
    "x = np.rint(a)": {"x = np.floor(a)"},
    "x = b if a else c": {"x = b if not (a) else c"},
    "x = é + b": {"x = é - b"},
    "f(a)": {"pass"},
    "x += a": {"pass"},
    "if a: raise b": {"if not (a): raise b", "if a: pass"},
    # What means nothing, or is no number:
    "'a text'": set(),
    "x: Literal[1] = a": set(),
    "x = f'{1 + 2}'": set(),
    "x = folder / 'name'": set(),
    "x = zip(a, b, strict=True)": set(),
    "x = a.reshape(-1)": set(),
    "@dataclass(frozen=True)\nclass A: pass": set(),
    "x = (a\n+ b)": set(),
}


@pytest.mark.parametrize("source", FAULTS)
def test_faults_by_hand(source: str) -> None:
    found = mutations("file.py", source + "\n")
    assert {mutation.after for mutation in found} == FAULTS[source]
    assert len(found) == len(FAULTS[source])


@pytest.mark.parametrize("room", ROOMS)
def test_each_fault_is_one_line_of_valid_python_that_means_something_else(room: str) -> None:
    faults = found(room)
    assert len(faults) > 100
    for mutation in faults[:: len(faults) // 40]:
        assert mutation.path.startswith(f"{room}/")
        assert not mutation.path.startswith(LEFT_OUT)
        source = (ROOT / mutation.path).read_text(encoding="utf-8")
        changed = mutation.apply(source)
        pairs = zip(source.splitlines(), changed.splitlines(), strict=True)
        assert [n for n, (a, b) in enumerate(pairs, 1) if a != b] == [mutation.line]
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(source))


def test_a_fault_of_another_source_is_not_applied() -> None:
    (mutation,) = mutations("file.py", "x = a + b\n")
    with pytest.raises(AssertionError, match="another source"):
        mutation.apply("x = a * b\n")


def rooms() -> dict[str, list[Mutation]]:
    """Three folders of 3, 40 and 40 lines with two faults each."""
    return {
        name: [
            Mutation(f"{name}.py", line, "", after)
            for line in range(1, lines + 1)
            for after in ("one", "two")
        ]
        for name, lines in (("small", 3), ("a", 40), ("b", 40))
    }


def test_a_sample_is_its_seed_and_spread_over_folders_and_lines() -> None:
    drawn = sample(rooms(), 23, seed=1)
    assert drawn == sample(rooms(), 23, seed=1)
    assert drawn != sample(rooms(), 23, seed=2)
    places = [(mutation.path, mutation.line) for _, mutation in drawn]
    assert len(set(places)) == 23
    assert {room: sum(room == r for r, _ in drawn) for room in rooms()} == {
        "small": 3,
        "a": 10,
        "b": 10,
    }
    assert {mutation.after for _, mutation in drawn} == {"one", "two"}
    assert sample(rooms(), 5, seed=1) == drawn[:5]
    assert len(sample(rooms(), 1000, seed=1)) == 83
    assert sample({}, 5, seed=1) == []
