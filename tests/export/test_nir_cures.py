"""What plain NIR cannot say of a library's neurons, and that the neuron it names instead works."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from spikingjelly.activation_based import neuron as jelly
from support.other_libraries import READERS, imported, norse, outputs, snntorch
from torch import Tensor, nn

from arlif.base.errors import LoweringError
from arlif.interop.recognise import to_arlif
from export.nir import write_nir_lif

EACH = torch.linspace(0.5, 0.9, 6)
ALL, LOOPS, EACH_OWN = tuple(READERS), ("norse", "spikingjelly"), ("norse",)
ZERO = {"reset_mechanism": "zero", "reset_delay": False}


def snn(kind: str, **options: object) -> Callable[[], nn.Module]:
    return lambda: getattr(snntorch, kind)(init_hidden=True, **options)


def box(method: str) -> Callable[[], nn.Module]:
    reset = getattr(norse.torch.functional.reset, method)
    p = norse.torch.LIFBoxParameters(tau_mem_inv=EACH * 1000, reset_method=reset)
    return lambda: norse.torch.LIFBoxCell(p)


REFUSED = {
    "Leaky, each its decay": (
        snn("Leaky", beta=EACH),
        "reset_mechanism='zero' and reset_delay=False",
        snn("Leaky", beta=EACH, **ZERO),
        EACH_OWN,
    ),
    "Leaky without a reset": (
        snn("Leaky", beta=0.8, reset_mechanism="none"),
        "reset_mechanism='zero' and reset_delay=False",
        snn("Leaky", beta=0.8, **ZERO),
        ALL,
    ),
    "Lapicque": (
        snn("Lapicque", beta=0.8, reset_mechanism="zero"),
        "for a Lapicque use Leaky",
        snn("Leaky", beta=0.8, **ZERO),
        ALL,
    ),
    "RLeaky": (
        snn("RLeaky", beta=0.8, linear_features=6, reset_mechanism="zero"),
        "reset_mechanism='zero' and reset_delay=False",
        snn("RLeaky", beta=0.8, linear_features=6, **ZERO),
        LOOPS,
    ),
    "Synaptic": (
        snn("Synaptic", alpha=0.7, beta=0.8),
        "reset_mechanism='zero' and reset_delay=False",
        snn("Synaptic", alpha=0.7, beta=0.8, **ZERO),
        ALL,
    ),
    "Synaptic that keeps all": (
        snn("Synaptic", alpha=0.7, beta=1.0, **ZERO),
        r"decays below 1 \(alpha and beta of snnTorch",
        snn("Synaptic", alpha=0.7, beta=0.9, **ZERO),
        ALL,
    ),
    "RSynaptic": (
        snn("RSynaptic", alpha=0.7, beta=0.8, linear_features=6),
        "for an RSynaptic RLeaky",
        snn("RLeaky", beta=0.8, linear_features=6, **ZERO),
        LOOPS,
    ),
    "LIFBox, each its decay": (
        box("reset_subtract"),
        "reset_method=reset_value",
        box("reset_value"),
        EACH_OWN,
    ),
    "ComplementaryLIFNode": (jelly.ComplementaryLIFNode, "LIFNode", jelly.LIFNode, ALL),
}


def converted(neuron: Callable[[], nn.Module], x: Tensor) -> nn.Module:
    torch.manual_seed(0)
    net = norse.torch.SequentialState(nn.Linear(4, 6), neuron(), nn.Linear(6, 3))
    for layer in (net[0], net[2]):
        nn.init.uniform_(layer.weight, -0.5, 1.5)
    if not isinstance(net[1], norse.torch.LIFBoxCell):
        net = nn.Sequential(*net)
    return to_arlif(net, x).eval()


@pytest.mark.parametrize("name", REFUSED)
def test_what_nir_cannot_say_has_a_neighbour_that_libraries_run(name: str, tmp_path: Path) -> None:
    refused, cure, cured, libraries = REFUSED[name]
    x = torch.rand(12, 5, 4, generator=torch.Generator().manual_seed(1))
    with pytest.raises(LoweringError, match=rf"\w+: .*NIR.*{cure}.*, or keep to network.nir"):
        write_nir_lif(converted(refused, x), tmp_path / "refused.nir", (4,))
    network, path = converted(cured, x), tmp_path / "cured.nir"
    write_nir_lif(network, path, (4,))
    with torch.no_grad():
        want = network(x)
    assert len(want.unique(dim=0)) > 3  # it fires, and not always
    for library in libraries:
        assert torch.allclose(outputs(imported(library, path), x), want, atol=1e-4), library


def test_all_layers_that_are_refused_are_named_by_their_reason(tmp_path: Path) -> None:
    synaptic = snn("Synaptic", alpha=0.7, beta=0.8)
    layers = [nn.Linear(4, 4), synaptic(), nn.Linear(4, 4), synaptic(), nn.Linear(4, 4)]
    jammed = snn("Synaptic", alpha=1.0, beta=0.8, **ZERO)()
    net = to_arlif(nn.Sequential(*layers, jammed), torch.rand(3, 2, 4))
    with pytest.raises(LoweringError) as refusal:
        write_nir_lif(net, tmp_path / "network.nir", (4,))
    assert str(refusal.value).startswith("1, 3: NIR has no node for SynapticLateSubtract; give")
    assert "; 5: a Synaptic that keeps all" in str(refusal.value)


def test_layers_that_one_cure_helps_are_named_in_front_of_it(tmp_path: Path) -> None:
    zero, subtract = (
        snn("Synaptic", alpha=0.7, beta=0.8, reset_mechanism="zero"),
        snn("Synaptic", alpha=0.7, beta=0.8),
    )
    net = to_arlif(nn.Sequential(nn.Linear(4, 4), zero(), subtract()), torch.rand(3, 2, 4))
    with pytest.raises(LoweringError) as refusal:
        write_nir_lif(net, tmp_path / "network.nir", (4,))
    said = str(refusal.value)
    assert "1: NIR has no node for SynapticLateZero; 2: NIR has no node for SynapticLateS" in said
    assert said.count("give snnTorch's neuron") == 1
