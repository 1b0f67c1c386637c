"""How single engines are asked to run; loads nothing heavy, the command line reads it."""

from dataclasses import dataclass, field
from enum import StrEnum

from hw_sim.lava.options import LavaOptions


class Device(StrEnum):
    """Where the integer engine computes."""

    CPU = "cpu"
    CUDA = "cuda"


@dataclass(frozen=True)
class EngineOptions:
    """lava: of Lava. device: of the integer engine."""

    lava: LavaOptions = field(default_factory=LavaOptions)
    device: Device = Device.CPU
