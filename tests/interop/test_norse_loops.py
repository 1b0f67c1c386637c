"""Networks of Norse's current-based, recurrent and integrating neurons do as in Norse."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support import norse_loops
from support.norse_loops import CELLS, OVER_TIME, Loop
from support.norse_networks import run, to_arlif
from support.other_libraries import norse
from torch import nn

from arlif.base.errors import LoweringError
from arlif.quantize import linearize


@pytest.mark.parametrize("kind", [*CELLS, *OVER_TIME])
@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 9999),
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=3),
    apart=st.booleans(),
    own=st.booleans(),
)
def test_spikes_are_those_of_norse(
    kind: str, seed: int, sizes: list[int], apart: bool, own: bool
) -> None:
    torch.manual_seed(seed)
    net = norse_loops.network(kind, sizes, apart)
    net = Loop(net) if own and kind in CELLS else net
    x = torch.rand(9, 4, sizes[0])
    with torch.no_grad():
        assert torch.equal(norse_loops.spikes(net, x), to_arlif(net, x)(x))


@pytest.mark.parametrize("layer", ["LICell", "LILinearCell"])
def test_potentials_of_a_readout(layer: str) -> None:
    torch.manual_seed(0)
    last = norse.torch.LICell() if layer == "LICell" else norse.torch.LILinearCell(3, 3)
    net = norse.torch.SequentialState(nn.Linear(4, 3), norse.torch.LIFCell(), last)
    with torch.no_grad():
        net[0].weight.mul_(20)
        x = torch.rand(30, 5, 4)
        want, ours = run(net, x), to_arlif(net, x)
        assert want.abs().max() > 1e-3
        assert torch.allclose(want, ours(x), atol=1e-6)
    linearize(ours, (4,))


class Reading(nn.Module):
    """A loop that returns what Norse keeps for itself."""

    def __init__(self, keeps: bool) -> None:
        super().__init__()
        self.fc, self.lif, self.keeps = nn.Linear(4, 3), norse.torch.LIFCell(), keeps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        state, out = None, []
        for frame in x:
            spikes, after = self.lif(self.fc(frame), state)
            state = after if self.keeps else None
            out.append(after.v if self.keeps else spikes)
        return torch.stack(out)


@pytest.mark.parametrize(("keeps", "told"), [(True, "its state is read"), (False, "pass that on")])
def test_states_are_neither_read_nor_dropped(keeps: bool, told: str) -> None:
    with pytest.raises(LoweringError, match=rf"lif: .*{told}"):
        to_arlif(Reading(keeps), torch.rand(5, 2, 4))


def test_everything_without_a_counterpart_is_named() -> None:
    net = norse.torch.SequentialState(
        nn.ReLU(),
        norse.torch.LIFAdExCell(),
        norse.torch.LIFCell(norse.torch.LIFParameters(tau_mem_inv=torch.tensor(2000.0))),
    )
    with pytest.raises(LoweringError) as caught:
        to_arlif(net)
    for part in ("0 (ReLU): ", "1 (LIFAdExCell): ", "use LIF,", "2 (LIFCell): dt * tau_mem_inv"):
        assert part in str(caught.value)
