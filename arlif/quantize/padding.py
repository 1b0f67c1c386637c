"""How a convolution pads: integers and files know zeros, as many at both ends of an axis."""

from torch import nn

from arlif.base.errors import LoweringError, require


def zeros_around(layer: nn.Conv1d | nn.Conv2d) -> tuple[int, ...]:
    """The zeros at each end of each axis, of padding in numbers, "same" or "valid".

    Raises LoweringError where it pads others than zeros, or more of them at one end.
    """
    require(
        layer.padding_mode == "zeros",
        f"its padding_mode is {layer.padding_mode!r}, and only zeros are padded here; train with "
        "padding_mode='zeros'",
        LoweringError,
    )
    if not isinstance(layer.padding, str):
        return tuple(layer.padding)
    if layer.padding == "valid":
        return (0,) * len(layer.kernel_size)
    both = [d * (k - 1) for d, k in zip(layer.dilation, layer.kernel_size, strict=True)]
    require(
        all(zeros % 2 == 0 for zeros in both),
        f"its padding is 'same' and its kernel is {tuple(layer.kernel_size)}, so that one end gets "
        "more zeros than the other; take a kernel of odd size, or give padding as numbers",
        LoweringError,
    )
    return tuple(zeros // 2 for zeros in both)
