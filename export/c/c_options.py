"""What can be asked of the C export.

Loads nothing heavy: the command line reads it for its help.
"""

from dataclasses import dataclass
from enum import StrEnum

from arlif.base.errors import require
from arlif.base.options import option


class Style(StrEnum):
    """How the code goes through a network."""

    AUTO = "auto"
    DENSE = "dense"
    EVENT = "event"
    FUSED = "fused"


@dataclass(frozen=True)
class COptions:
    """Style of the code, golden vectors of the self-test, prefix of what network.h declares."""

    style: Style = option(Style.AUTO, "--style", "how the code goes through the network")
    vectors: int = option(4, "--vectors", "inputs that the self-test knows the answers of", 1)
    prefix: str = option("arlif", "--prefix", "what the names in network.h begin with")

    def __post_init__(self) -> None:
        require(
            self.prefix.isascii() and self.prefix.isidentifier() and self.prefix[0].isalpha(),
            f"--prefix is a word of C such as arlif, not {self.prefix!r}",
        )
        require(self.vectors >= 1, f"--vectors is at least 1, not {self.vectors}")
