"""How a network of another library is written: its layers, and its forward as a function."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

T, N = 6, 5
FRAME, FLAT = (1, 8, 8), (16,)


@dataclass(frozen=True)
class Form:
    """One way of writing a network. shape: of a frame. frames: 1 where one is shown at every step.

    refused: what a refusal says; empty where it converts.
    """

    make: Callable[[], nn.Module]
    shape: tuple[int, ...]
    frames: int
    refused: str = ""


class Written(nn.Module):
    """Layers by name, and a forward that uses them."""

    def __init__(self, forward: Callable[[Any, Tensor], Any], **children: nn.Module) -> None:
        super().__init__()
        self.written = forward
        for name, child in children.items():
            self.add_module(name, child)

    def forward(self, x: Tensor) -> Any:
        return self.written(self, x)
