"""What can be asked of the Verilog export; loads nothing heavy, for the command line's help."""

from dataclasses import dataclass

from arlif.base.errors import require
from arlif.base.options import option
from export.verilog.devices import CHIPS


@dataclass(frozen=True)
class VerilogOptions:
    """lanes: output channels that a layer adds to at a time; 0 is all. vectors: of tb.v.

    fpga: of CHIPS; "" is any other.
    """

    lanes: int = option(0, "--lanes", "output channels added to in one clock, 0 for all", 0)
    vectors: int = option(4, "--vectors", "inputs that the self-test knows the answers of", 1)

    fpga: str = option(
        "", "--fpga", f"lay out for {' or '.join(CHIPS)}: memories, and as many lanes as fit"
    )

    def __post_init__(self) -> None:
        require(self.lanes >= 0, f"--lanes is at least 0, not {self.lanes}")
        require(self.vectors >= 1, f"--vectors is at least 1, not {self.vectors}")
        require(
            self.fpga in ("", *CHIPS),
            f"--fpga is {' or '.join(CHIPS)}, not {self.fpga!r}; others need none",
        )
