"""Networks of other libraries in the forms in which their tutorials and examples write them."""

import torch
from torch import Tensor, nn

from support.tutorial_forms import Form, N
from support.tutorials_norse import NORSE
from support.tutorials_snntorch import SNNTORCH
from support.tutorials_spikingjelly import SPIKINGJELLY, functional

FORMS = {
    f"{library}: {name}": form
    for library, forms in (("jelly", SPIKINGJELLY), ("snn", SNNTORCH), ("norse", NORSE))
    for name, form in forms.items()
}


def given(form: Form) -> tuple[nn.Module, Tensor]:
    """The network, alive, and inputs [1 or T, N, ...]."""
    torch.manual_seed(0)
    net = form.make().eval()
    for p in net.parameters():
        if p.ndim > 1:
            nn.init.uniform_(p, -0.3, 0.7)
    return net, (torch.rand(form.frames, N, *form.shape) < 0.5).float()


def answer(net: nn.Module, form: Form, x: Tensor) -> Tensor:
    """What the network itself returns, the first of several."""
    with torch.no_grad():
        found = net(x[0] if form.frames == 1 else x)
    functional.reset_net(net)
    return found[0] if isinstance(found, tuple) else found
