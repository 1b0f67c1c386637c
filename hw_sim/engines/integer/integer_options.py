"""What can be asked of the integer engine."""

from dataclasses import dataclass
from enum import StrEnum

from arlif.base.options import option


class Device(StrEnum):
    """Where the integer engine computes."""

    CPU = "cpu"
    CUDA = "cuda"


@dataclass(frozen=True)
class IntegerOptions:
    """Where to compute, and whether time steps come one by one."""

    device: Device = option(Device.CPU, "--device", "where to compute")
    stream: bool = option(False, "--stream", "one time step at a time, as a device would")
