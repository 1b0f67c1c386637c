"""What every engine is asked for and answers: the one signature, run(Work) -> Outcome."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from hw_sim.engines.simulation import Simulation

if TYPE_CHECKING:
    from torch import Tensor

Options = TypeVar("Options")
"""An engine's own frozen dataclass, see arlif.base.options."""

Progress = Callable[[int, int], None]
"""Called with (samples done, samples)."""


@dataclass(frozen=True)
class Work(Generic[Options]):
    """What an engine is asked for.

    path: the file to read. real: test inputs, time first, [1, N, *shape] or [T, N, *shape].
    traced: how many of the first samples to record.
    """

    path: Path
    real: "Tensor"
    time_steps: int
    traced: int
    options: Options
    progress: Progress


@dataclass(frozen=True)
class Outcome:
    """What an engine answers.

    network: the fingerprint of what the file held, where it can be told. clipped: the share of
    input values beyond the range of the network's input; 0 where the engine takes real numbers.
    figures: what only this engine can tell, by name, as JSON holds it.
    """

    simulation: Simulation
    network: str | None = None
    clipped: float = 0.0
    figures: Mapping[str, Any] = field(default_factory=dict)
