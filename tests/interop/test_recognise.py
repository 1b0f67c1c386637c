"""arlif import asks the converter of the library that a network comes from, and no other."""

import pytest
import torch
from support.other_libraries import norse, snntorch
from torch import nn

import arlif
from arlif.base.errors import LoweringError
from arlif.interop import recognise
from arlif.interop.recognise import libraries, to_arlif

FRAMES = torch.rand(4, 2, 3)


def leaky() -> nn.Module:
    return snntorch.Leaky(beta=0.5, init_hidden=True, reset_mechanism="zero")


def test_the_library_of_nested_layers_is_found() -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.Sequential(leaky()))
    assert libraries(net) == ["snntorch"]
    assert to_arlif(net, FRAMES)(FRAMES).shape == FRAMES.shape


def test_a_network_of_arlif_is_left_alone() -> None:
    net = nn.Sequential(arlif.layers.Linear(3, 3), arlif.LIF())
    assert libraries(net) == []
    assert to_arlif(net, FRAMES) is net


def test_two_libraries_in_one_network_are_refused() -> None:
    net = nn.Sequential(leaky(), norse.torch.LIFBoxCell())
    with pytest.raises(LoweringError, match="norse and snntorch"):
        to_arlif(net, FRAMES)


def test_only_the_library_that_is_used_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    imported = recognise.import_module
    monkeypatch.setattr(recognise, "import_module", lambda n: asked.append(n) or imported(n))
    to_arlif(nn.Linear(2, 2), FRAMES)
    assert asked == []
    to_arlif(nn.Sequential(leaky()), FRAMES)
    assert asked == ["arlif.interop.snntorch"]
