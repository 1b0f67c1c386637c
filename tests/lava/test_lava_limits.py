"""What Lava's simulator cannot hold is told before it starts; no Lava is needed."""

from functools import partial
from mmap import PAGESIZE
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.networks_small import digits_like
from support.refusals import Rule

from arlif.base.errors import SimulationError
from arlif.core.maps import Dense
from arlif.core.network import INPUT, READOUT, Input, Projection, QuantizedNetwork, Readout
from hw_sim.engines.lava import deaths, launch, shared_memory, supervise
from hw_sim.engines.lava.job import FAILURE, Job
from hw_sim.engines.lava.lava_options import Models
from hw_sim.engines.lava.shared_memory import fitting_batch, needed, require_room


def reaching(weight: int, shift: int, low: int = 0, high: int = 1, behind: int = 1) -> None:
    """Stock Lava on one input behind a weight, then one of `behind`, then the shift."""
    maps = tuple(Dense(np.array([[w]])) for w in (weight, behind))
    joined = (Projection(INPUT, READOUT, maps, shift),)
    source = Input((1,), 1.0, low, high)
    launch._require_stock(QuantizedNetwork(source, (), joined, Readout([0]), 1))


def rule(name: str, accepted: Any, refused: Any, *told: str) -> Rule:
    return Rule(name, accepted, refused, (*told, "24 bits"), SimulationError)


LIMITS = (
    rule("up", partial(reaching, 127, 16), partial(reaching, 64, 17), "[0, 8388608]"),
    rule("down", partial(reaching, -64, 17), partial(reaching, -65, 17), "[-8519680, 0]"),
    rule(
        "a negative input",
        partial(reaching, 64, 17, -1, 0),
        partial(reaching, 65, 17, -1, 0),
        "[-8519680, 0]",
    ),
    rule(
        "the shift, of the last map alone",
        partial(reaching, 127, 17, behind=0),
        partial(reaching, 127, 17),
        "[0, 16646144]",
    ),
)


@pytest.mark.parametrize("rule", LIMITS, ids=str)
def test_stock_lava_holds_24_bits(rule: Rule) -> None:
    rule.check()


def test_a_sum_that_leaves_24_bits_on_the_way_is_refused() -> None:
    """67 weights of 127 and inputs up to 127, then times 127, which fits 32 bits, then times 0."""
    maps = tuple(map(Dense, (np.full((1, 67), 127), np.array([[127]]), np.array([[0]]))))
    source, joined = Input((67,), 1.0), (Projection(INPUT, READOUT, maps),)
    network = QuantizedNetwork(source, (), joined, Readout([0]), 1)
    with pytest.raises(SimulationError, match="past the 24 bits"):
        launch._require_stock(network)


def by_hand(batch: int, *messages: int) -> int:
    """Bytes: of each channel its messages, twice, and two pages; of seven processes nine pages."""
    channels = sum(2 + -(-2 * batch * size // PAGESIZE) for size in messages)
    return PAGESIZE * (channels + 9 * 7)


@pytest.mark.parametrize("batch", [1, 7, 32])
def test_the_memory_of_the_fast_models_by_hand(batch: int) -> None:
    """A byte for a spike, four for a sum; two populations, three synapses, three others: eight."""
    network, _ = digits_like(samples=1)
    assert [p.shape for p in network.populations] == [(12, 8, 8), (16, 4, 4)]
    messages = (64, 4 * 768, 768, 4 * 256, 256, 4 * 10)
    assert needed(network, Models.FAST, batch) == by_hand(batch, *messages) + 9 * PAGESIZE


def test_memory_of_stock_models_is_that_of_every_map_and_delay() -> None:
    """Two maps on one way, none on the other, which waits two steps: one stage a step."""
    eye = Dense(np.eye(2, dtype=np.int8))
    joined = (Projection(INPUT, READOUT, (eye, eye)), Projection(INPUT, READOUT, ()))
    network = QuantizedNetwork(Input((2,), 1.0), (), joined, Readout([0, 0]), 1)
    assert needed(network, Models.STOCK, 1) == by_hand(1, *(2, 8, 8) * 2)


def test_room_is_shared_by_workers_and_counted_to_the_byte(monkeypatch: Any) -> None:
    network, _ = digits_like(samples=1)
    five = needed(network, Models.FAST, 5)
    for room, workers, fits in ((five, 1, 5), (five - 1, 1, 4), (3 * five, 3, 5), (0, 1, 1)):
        monkeypatch.setattr(shared_memory, "free", lambda room=room: room)
        assert fitting_batch(network, Models.FAST, 32, workers) == fits
    monkeypatch.setattr(shared_memory, "free", lambda: 2 * five)
    require_room(network, Models.FAST, 5, 2)
    with pytest.raises(SimulationError, match="for 3 x 5 samples abreast"):
        require_room(network, Models.FAST, 5, 3)


@pytest.mark.parametrize(
    ("asked", "models", "samples", "batch"),
    [
        (None, Models.FAST, 99, 32),
        (None, Models.FAST, 3, 3),
        (None, Models.STOCK, 99, 1),
        (1, Models.STOCK, 99, 1),
        (50, Models.FAST, 99, 50),
        (50, Models.FAST, 3, 3),
    ],
)
def test_samples_abreast(asked, models, samples: int, batch: int, monkeypatch: Any) -> None:
    monkeypatch.setattr(shared_memory, "free", lambda: 2**40)
    network, _ = digits_like(samples=1)
    assert launch._batch(network, asked, models, samples, 2) == batch


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (3, "stopped with exit code 3"),
        (-9, "was killed by SIGKILL; is memory short? simulate fewer samples at once"),
        (-7, "was killed by SIGBUS; is /dev/shm full?"),
        (-11, "was killed by SIGSEGV"),
    ],
)
def test_an_exit_code_is_told_with_its_cure(code: int, said: str) -> None:
    assert deaths.how_it_ended(code).startswith(said)
    assert (";" in deaths.how_it_ended(code)) == (code in (-9, -7))


class Ended:
    """A worker with that exit code; None while it runs."""

    def __init__(self, code: int | None) -> None:
        self.code = code

    def poll(self) -> int | None:
        return self.code


@pytest.fixture
def folders(tmp_path: Any) -> list[Any]:
    """Two workers' folders: 3 and 4 samples done, and a log."""
    made = [tmp_path / name for name in "ab"]
    for index, folder in enumerate(made):
        folder.mkdir()
        np.save(folder / Job.DONE, np.array([3 + index]))
        text = [f"line {n}" for n in range(50)]
        if index:
            text[10:13] = [f"{FAILURE}p1 at time step 3", "Traceback (most", "  File"]
        (folder / Job.LOG).write_text("\n".join(text), encoding="utf-8")
    return made


def test_workers_are_watched_until_all_have_ended(folders: Any) -> None:
    told: list[int] = []
    supervise.watch({folder: Ended(0) for folder in folders}, 60, told.append)
    assert told == [7]


RAISED = f"{FAILURE}p1 at time step 3: line 13"


@pytest.mark.parametrize(
    ("codes", "said", "first", "absent"),
    [
        ((-9, None), r"^Lava was killed by SIGKILL", "line 49", "line 19\n"),
        ((0, 2), r"^Lava stopped with exit code 2", RAISED, "line 9\n"),
        ((0, None), r"^Lava took longer than the limit of 0\.01 s", RAISED, "line 9\n"),
    ],
)
def test_one_that_fails_or_hangs_is_told_in_a_line_with_its_log_as_a_note(
    codes: Any, said: str, first: str, absent: str, folders: Any
) -> None:
    workers = {folder: Ended(code) for folder, code in zip(folders, codes, strict=True)}
    with pytest.raises(SimulationError, match=said) as caught:
        supervise.watch(workers, 0.01, lambda done: None)
    assert str(caught.value).endswith(f"; its log says: {first}")
    (note,) = caught.value.__notes__
    assert note.startswith(("line 20\n", FAILURE))
    assert absent not in note


FAILED = [f"{FAILURE}p{n} at time step 3" for n in (1, 2)]
TRACEBACK, PLACE, VALUE = (
    "Traceback (most recent call last):",
    '  File "neuron.py", line 1',
    "ValueError",
)


@pytest.mark.parametrize(
    ("lines", "first"),
    [
        ([*FAILED, TRACEBACK, PLACE, VALUE, TRACEBACK, PLACE, VALUE], f"{FAILED[0]}: {VALUE}"),
        ([FAILED[0], TRACEBACK, FAILED[1], PLACE, VALUE], f"{FAILED[0]}: {VALUE}"),
        (
            [FAILED[0], TRACEBACK, TRACEBACK, PLACE, FAILED[1], PLACE, VALUE],
            f"{FAILED[0]}: {VALUE}",
        ),
        (["before", FAILED[0], "of another", TRACEBACK, PLACE, VALUE], f"{FAILED[0]}: {VALUE}"),
        ([FAILED[0], TRACEBACK, PLACE], FAILED[0]),
        ([f"{FAILED[0]}: killed"], f"{FAILED[0]}: killed"),
        (["before"], "before"),
        ([], "(nothing)"),
    ],
)
def test_two_that_fail_at_once_write_between_each_others_lines(
    lines: list[str], first: str, tmp_path: Path
) -> None:
    (tmp_path / Job.LOG).write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(SimulationError) as caught:
        supervise.watch({tmp_path: Ended(1)}, 60, lambda done: None)
    assert str(caught.value).endswith(f"; its log says: {first}")


def test_a_folder_whose_sockets_have_no_name_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 80)
    folder.mkdir()
    with pytest.raises(SimulationError, match=r"set TMPDIR, .*, to a shorter one"):
        supervise.start(folder)
    assert not list(folder.iterdir())
