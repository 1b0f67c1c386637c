"""network.json: what a program has to know that builds and runs network.c."""

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, ClassVar

from arlif.base.digests import require_unchanged
from arlif.base.errors import ArlifError, FormatError
from arlif.base.files import read_json
from arlif.base.plain_data import STRICT, from_mapping
from arlif.core.network import Input
from export.records import require_numerics_version

NAME = "network.json"


@dataclass(frozen=True)
class InputFacts:
    """The network's input; see arlif.core.nodes.Input."""

    __pydantic_config__: ClassVar[Any] = STRICT
    shape: tuple[int, ...]
    low: int
    high: int
    scale: float
    static: bool

    def input(self) -> Input:
        """The same, checked."""
        return Input(self.shape, self.scale, self.low, self.high, self.static)


@dataclass(frozen=True)
class PopulationFacts:
    """A population: its name, its shape, the names of its states."""

    __pydantic_config__: ClassVar[Any] = STRICT
    name: str
    shape: tuple[int, ...]
    states: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """What network.c is.

    network: a fingerprint of the network. prefix: of what network.h declares. most_steps: with more
    the logits may overflow. stepwise: whether there are start and step, or run alone. memory: bytes
    by field of the struct.
    """

    __pydantic_config__: ClassVar[Any] = STRICT
    numerics_version: int
    network: str
    prefix: str
    style: str
    input: InputFacts
    populations: tuple[PopulationFacts, ...]
    classes: int
    time_steps: int
    most_steps: int
    stepwise: bool
    constant_bytes: int
    memory: dict[str, int]

    @property
    def neurons(self) -> int:
        """Of all populations."""
        return sum(prod(p.shape) for p in self.populations)


def read_manifest(folder: Path) -> Manifest:
    """The manifest beside a network.c. Raises FormatError where there is none that fits."""
    path = folder / NAME
    require_unchanged(path)
    try:
        content = read_json(path)
        if not isinstance(content, dict):
            raise FormatError(f"{path} holds no manifest")
        found = from_mapping(Manifest, content, str(path))
        found.input.input()
    except (OSError, ValueError, ArlifError) as error:
        raise FormatError(f"cannot read {path} ({error}); export the network again") from None
    require_numerics_version(found.numerics_version, path)
    return found
