"""How Lava is asked to run; loads nothing heavy, the command line reads it for its help."""

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from arlif.base.options import option

if TYPE_CHECKING:
    from arlif.core.network import Projection


class Models(Enum):
    """Which process models run the synapses."""

    FAST = "fast"
    """Exact matrix products, many samples abreast."""
    STOCK = "stock"
    """Lava's own Conv and Dense, one sample at a time."""

    def steps(self, projection: "Projection") -> int:
        """The least number of time steps that a projection takes."""
        return 1 if self is Models.FAST else max(1, len(projection.maps))


TIME_LIMIT_S = 600.0
"""How many seconds a simulation may take where nobody says it."""


@dataclass(frozen=True)
class LimitOptions:
    """Seconds a simulation may take."""

    time_limit_s: float = option(TIME_LIMIT_S, "--time-limit", "seconds that it may take", 1)


@dataclass(frozen=True)
class LavaOptions(LimitOptions):
    """Seconds a simulation may take, whose synapse models run, simulations side by side."""

    models: Models = option(
        Models.FAST, "--lava-models", "our exact matrix products, or its own models"
    )
    workers: int = option(1, "--workers", "simulations side by side", 1)
