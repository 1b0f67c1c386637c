"""How a convolution may pad: integers and files know zeros, by numbers."""

from torch import nn

from arlif.base.errors import LoweringError, require


def require_plain(layer: nn.Conv1d | nn.Conv2d) -> None:
    """Raise LoweringError unless a convolution pads with zeros, by numbers."""
    require(
        layer.padding_mode == "zeros",
        f"its padding_mode is {layer.padding_mode!r}, and only zeros are padded here; train with "
        "padding_mode='zeros'",
        LoweringError,
    )
    require(
        not isinstance(layer.padding, str),
        f"its padding is {layer.padding!r}; give padding as numbers, such as 1 for a kernel of 3",
        LoweringError,
    )
