"""A network that torch.compile fuses, for training steps."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from arlif.base.errors import ArlifError, first_line


def compiled(net: nn.Module) -> Callable[[Tensor], Tensor]:
    """The network as a compiled function of its input; compiling happens in the first call.

    The module itself is left as it is, so evaluation and hooks see every layer. The function
    raises ArlifError where torch cannot compile, as without a C++ compiler.
    """
    from torch._dynamo.exc import TorchDynamoException

    forward = torch.compile(lambda x: net(x))

    def run(x: Tensor) -> Tensor:
        try:
            return forward(x)
        except TorchDynamoException as error:
            raise ArlifError(
                f"torch.compile cannot compile the network here ({first_line(error)}); train with "
                "compile = false"
            ) from error

    return run
