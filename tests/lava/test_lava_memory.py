"""The shared memory of a simulation is known before it starts: batches shrink, or it is refused."""

import numpy as np
import pytest
from support.mapped_memory import mapped
from support.networks_small import digits_like

from arlif.base.errors import SimulationError
from hw_sim.engines.lava import Models, shared_memory, simulate
from hw_sim.engines.lava.shared_memory import needed


@pytest.mark.lava
@pytest.mark.parametrize(("models", "batch"), [("fast", 1), ("fast", 7), ("stock", 1)])
def test_what_is_needed_is_what_lava_maps(models: str, batch: int) -> None:
    network, inputs = digits_like(samples=400 * batch)  # runs long enough to be looked at
    seen = [0]
    simulate(
        network,
        inputs,
        network.time_steps,
        batch=batch,
        models=Models(models),
        progress=lambda done, total: seen.append(mapped()),
    )
    assert max(seen) == needed(network, Models(models), batch)


@pytest.mark.lava
def test_batches_shrink_to_the_room_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    network, _ = digits_like(samples=1)
    monkeypatch.setattr(shared_memory, "free", lambda: 2 * needed(network, Models.FAST, 5))
    assert shared_memory.fitting_batch(network, Models.FAST, 32, workers=2) == 5
    assert shared_memory.fitting_batch(network, Models.FAST, 3, workers=2) == 3


@pytest.mark.lava
@pytest.mark.parametrize("batch", [None, 4])
def test_too_little_room_is_refused_with_figures(
    monkeypatch: pytest.MonkeyPatch, batch: int | None
) -> None:
    network, inputs = digits_like(samples=8)
    monkeypatch.setattr(shared_memory, "free", lambda: 2**14)
    with pytest.raises(SimulationError, match=r"Lava needs 0\.\d MiB of /dev/shm.*0\.0 MiB.*--shm"):
        simulate(network, np.asarray(inputs), network.time_steps, batch=batch)
