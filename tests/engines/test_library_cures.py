"""What another library says of a file that it cannot run, with what to do, which works."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from support.other_libraries import imported, outputs
from torch import nn

import arlif
from arlif import layers
from arlif.core.real_neurons import RealLifReset, RealSynaptic
from arlif.neurons.layer import NeuronLayer
from arlif.neurons.recurrent import Recurrent
from export.nir import write_nir_lif
from hw_sim.engines.libraries import in_snntorch, in_spikingjelly
from hw_sim.engines.libraries.frame_by_frame import with_cure

EACH = np.linspace(0.8, 1.2, 6)
NEURONS: dict[str, Callable[[], nn.Module]] = {
    "keeps all": lambda: arlif.LIF(1.0, 1.0, "hard"),
    "keeps nothing": lambda: arlif.LIF(0.0, 1.0, "hard"),
    "each its own": lambda: NeuronLayer(RealLifReset(EACH / 2, EACH)),
    "current of a moment": lambda: NeuronLayer(RealSynaptic(0.0, 0.5, 1.0)),
    "resets elsewhere": lambda: NeuronLayer(RealLifReset(0.5, 1.0, reset=-0.5)),
    "loop": lambda: Recurrent(arlif.LIF(0.5, 1.0, "hard"), layers.Linear(6, 6)),
}
CURES = {"snntorch": in_snntorch.CURES, "spikingjelly": in_spikingjelly.CURES}
SAID = [
    ("snntorch", "keeps all", "a decay below 1"),
    ("snntorch", "each its own", "the same constants"),
    ("snntorch", "loop", "it reads no loops"),
    ("spikingjelly", "keeps nothing", "a decay above 0"),
    ("spikingjelly", "each its own", "the same constants"),
    ("spikingjelly", "current of a moment", "decays above 0"),
    ("spikingjelly", "resets elsewhere", "reset to where their potentials leak to"),
]


@pytest.mark.parametrize(("library", "kind", "cure"), SAID)
def test_an_error_of_a_library_says_what_to_do(
    library: str, kind: str, cure: str, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(layers.Linear(4, 6), NEURONS[kind](), layers.Linear(6, 3)).eval()
    path, x = tmp_path / "lif.nir", 2 * torch.rand(8, 5, 4)
    write_nir_lif(net, path, (4,))
    with pytest.raises((AssertionError, AttributeError, ValueError)) as failure:
        outputs(imported(library, path), x)
    said = with_cure(failure.value, CURES[library])
    assert cure in said
    if "take the engine norse" in said:
        with torch.no_grad():
            want = net(x)
        assert torch.allclose(outputs(imported("norse", path), x), want, atol=1e-4)


def test_what_is_not_known_is_said_as_it_is() -> None:
    assert with_cure(ValueError("out of\ncheese"), in_snntorch.CURES) == "out of"
