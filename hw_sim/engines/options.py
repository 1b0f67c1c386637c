"""How single engines are asked to run; loads nothing heavy, the command line reads it."""

from dataclasses import dataclass, field
from enum import StrEnum

from arlif.base.errors import require
from arlif.run_folder import Engine
from hw_sim.engines.lava.options import LavaOptions

DEFAULT_PRESET, DEFAULT_BITS = "compact16", 8
"""Number formats and bits per weight where nobody says them; see arlif.quantize.presets."""
TRACED_SAMPLES = 32
"""Of so many first samples spikes and states are kept where nobody says it."""
CHECKED_SAMPLES = 256
"""On so many test samples a quantized network is compared with its parent where nobody says it."""
LAVA_SAMPLES = 32
"""So many samples Lava takes where nobody says it: it is slow."""


class Device(StrEnum):
    """Where the integer engine computes."""

    CPU = "cpu"
    CUDA = "cuda"


@dataclass(frozen=True)
class EngineOptions:
    """lava: of Lava. device: of the integer engine."""

    lava: LavaOptions = field(default_factory=LavaOptions)
    device: Device = Device.CPU

    def require_for(self, engine: Engine) -> None:
        """Raise ArlifError where an option is set that `engine` does not have."""
        require(
            engine is Engine.INTEGER or self.device is Device.CPU,
            f"--device {self.device} needs --engine integer, not {engine}",
        )
        require(
            engine is Engine.LAVA or self.lava == LavaOptions(),
            f"--time-limit, --lava-models and --workers need --engine lava, not {engine}",
        )
