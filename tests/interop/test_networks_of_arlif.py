"""arlif import makes stacks of torch's layers run, unwraps torch.compile, and says what to do."""

from pathlib import Path

import pytest
import torch
from support.places import SHARED
from torch import Tensor, nn

import arlif
from arlif import layers
from arlif.base.errors import ArlifError, LoweringError
from arlif.interop.recognise import to_arlif
from arlif.quantize import linearize
from hw_sim.origin.user_module import build_user_module, require_like_inputs, require_runs

FRAMES = torch.rand(6, 2, 1, 4, 4)


def stack() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), arlif.LIF(0.5, 0.3, "hard")),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(4, 3),
        nn.BatchNorm1d(3),
    ).eval()


def test_a_stack_of_torch_layers_works_on_every_time_step() -> None:
    net = stack()
    ours = to_arlif(net, FRAMES)
    with torch.no_grad():
        currents = torch.stack([net[0][1](net[0][0](frame)) for frame in FRAMES])
        spikes = net[0][2](currents)
        want = torch.stack([net[4](net[3](net[2](net[1](frame)))) for frame in spikes])
        got = ours(FRAMES)
    assert spikes.any()
    assert torch.equal(got, want)
    assert ours[3] is net[3]
    assert not any(part.training for part in ours.modules())
    assert linearize(ours, (1, 4, 4)).populations[0].name == "0_2"


def test_what_runs_as_it_is_stays() -> None:
    net = nn.Sequential(layers.Conv2d(1, 4, 3), nn.Flatten(2), nn.Sequential(nn.Linear(16, 3)))
    assert to_arlif(net, FRAMES) is net


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch.compile itself
def test_a_compiled_network_is_unwrapped() -> None:
    net = nn.Sequential(layers.Linear(3, 3), arlif.LIF())
    assert to_arlif(torch.compile(net), torch.rand(2, 1, 3)) is net


class Own(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


def test_a_forward_that_fails_says_where_time_is() -> None:
    with pytest.raises(LoweringError, match=r"\(6, 1, 1, 4, 4\): Expected 3D.*arlif.layers"):
        require_runs(to_arlif(Own(), FRAMES), FRAMES)


def test_recurrent_cells_of_torch_say_what_to_use() -> None:
    net = nn.Sequential(layers.Linear(3, 3), arlif.LIF(), nn.LSTM(3, 3), nn.GRU(3, 3))
    with pytest.raises(LoweringError, match=r"2 \(LSTM\).*Recurrent.*"):
        linearize(net, (3,))


MOVED, NOWHERE = "snntorch", "nowhere"
CASES = {
    "from lava.lib.dl import absent": "export_hdf5",
    "import lava.absent": "export_hdf5",
    f"import arlif.{MOVED}": r"there is arlif\.interop\.snntorch$",
    f"import arlif.{NOWHERE}": "nowhere'",
    "def build(): return {'0.weight': 1}": "dict, not.*load_state_dict",
    "import torch\ndef build(): torch.load('gone.pt')": r"nets.py, line 2\); paths count from",
    "def build(): return 3": "int, not a torch.nn.Module; return the network",
    "def build(path, width=3): return 3": r"without arguments, and takes \(path, width=3\); name a",
    "import torch; build = torch.nn.Linear(2, 2)": "is an object, a Linear; name a function that r",
}


@pytest.mark.parametrize("text", CASES)
def test_what_builds_no_network_says_what_to_do(text: str, tmp_path: Path) -> None:
    file = tmp_path / "nets.py"
    file.write_text(text)
    with pytest.raises(ArlifError, match=CASES[text]) as refused:
        build_user_module(file, "build")
    assert "\n" not in str(refused.value)
    assert "export_hdf5" in str(refused.value) or "lava" not in text


def test_networks_of_lava_dl_come_as_files() -> None:
    kind = type("Dense", (nn.Linear,), {"__module__": "lava.lib.dl.slayer.block.cuba"})
    with pytest.raises(LoweringError, match="export_hdf5"):
        to_arlif(nn.Sequential(kind(3, 3)), torch.rand(2, 1, 3))


NETS = SHARED / "cases/torch/foreign_nets.py"


@pytest.mark.skipif(not NETS.is_file(), reason="no foreign networks in ../shared/cases")
@pytest.mark.parametrize(
    "name", ["sj_multi", "sj_container", "sj_plif", "sj_mean", "sj_conv_maxpool"]
)
def test_foreign_networks_of_spikingjelly(name: str) -> None:
    functional = pytest.importorskip("spikingjelly.activation_based.functional")
    torch.manual_seed(0)
    x = torch.randn(50, 20, *((1, 4, 4) if name == "sj_conv_maxpool" else (16,)))
    net = build_user_module(NETS, name).eval()
    functional.reset_net(net)
    with torch.no_grad():
        for part in net.modules():
            if isinstance(part, nn.Linear | nn.Conv2d):
                part.weight.mul_(4)
        want = net(x)
        got = to_arlif(net, x)(x)
    assert want.any()
    assert torch.equal(want, got)


@pytest.mark.parametrize("other", [torch.float64, torch.device("meta")])
def test_weights_that_are_not_like_inputs_are_named(other: torch.dtype | torch.device) -> None:
    with pytest.raises(LoweringError, match=rf"weights are .*{other}.*return network\.cpu\(\)"):
        require_like_inputs(stack().to(other))
    require_like_inputs(stack())


class EveryStep(nn.Module):
    """A loop over time steps by hand."""

    def __init__(self, counted: bool) -> None:
        super().__init__()
        self.counted, self.fc, self.lif = counted, layers.Linear(16, 3), arlif.LIF()

    def forward(self, x: Tensor) -> Tensor:
        steps = range(len(x)) if self.counted else range(3)
        return torch.stack([self.lif(self.fc(x)) for _ in steps])


def test_a_loop_over_time_is_refused_once_with_its_cure() -> None:
    with pytest.raises(LoweringError, match="without loops over time"):
        linearize(EveryStep(counted=True), (16,))
    with pytest.raises(LoweringError) as caught:
        linearize(EveryStep(counted=False), (16,))
    assert str(caught.value).count("it is called more than once") == 1
