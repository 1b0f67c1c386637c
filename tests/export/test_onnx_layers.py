"""Single layers in the float graph equal torch's, with every option away from its default."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from arlif import LIF, layers
from arlif.base.errors import LoweringError
from export.onnx import write_onnx_float

SHAPE = (4, 7, 6)


def batch_norm(affine: bool) -> nn.Module:
    norm = layers.BatchNorm2d(4, eps=0.25, affine=affine)
    for name, low in (("running_mean", -1.0), ("running_var", 0.5)):
        getattr(norm, name).copy_(torch.linspace(low, 2, 4))
    if affine:
        nn.init.uniform_(norm.weight, 0.5, 2.0)
        nn.init.uniform_(norm.bias, -1.0, 1.0)
    return norm


LAYERS = {
    "padding": lambda: layers.Conv2d(4, 6, (3, 2), padding=(2, 1)),
    "same": lambda: layers.Conv2d(4, 6, (3, 2), padding="same", dilation=(1, 2)),
    "valid": lambda: layers.Conv2d(4, 6, 3, padding="valid", stride=2),
    "stride": lambda: layers.Conv2d(4, 6, 3, stride=(2, 1)),
    "dilation": lambda: layers.Conv2d(4, 6, 3, dilation=(1, 2)),
    "groups": lambda: layers.Conv2d(4, 6, 3, groups=2, bias=False),
    "norm": lambda: batch_norm(True),
    "norm without weights": lambda: batch_norm(False),
    "all to one": lambda: layers.AdaptiveAvgPool2d(1),
    "columns": lambda: layers.AdaptiveAvgPool2d((None, 3)),
    "rows": lambda: layers.AdaptiveAvgPool2d((7, 2)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_equals_torchs(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    layer = LAYERS[name]().eval()
    x = torch.rand(2, 3, *SHAPE) + 1
    with torch.no_grad():
        width = layer(x).flatten(2).shape[2]
        net = nn.Sequential(layer, layers.Flatten(), layers.Linear(width, 5)).eval()
        want = net(x)
    got = run(net, tmp_path / "net.onnx", x)["logits"]
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


def run(net: nn.Module, path: Path, x: Tensor, **words: Any) -> dict[str, Any]:
    write_onnx_float(net, path, SHAPE, **words)
    session = onnxruntime.InferenceSession(path)
    names = [value.name for value in session.get_outputs()]
    return dict(zip(names, session.run(names, {"input": x.numpy()}), strict=True))


def test_states_are_written_where_they_are_asked_for(tmp_path: Path) -> None:
    net = nn.Sequential(LIF(0.5), layers.Flatten(), layers.Linear(168, 5)).eval()
    x = torch.rand(2, 3, *SHAPE)
    assert set(run(net, tmp_path / "net.onnx", x)) == {"logits", "0.spikes"}
    assert set(run(net, tmp_path / "net.onnx", x, states=True)) == {"logits", "0.spikes", "0.u"}


class Mean(nn.Module):
    """The mean over time of what a network returns."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).mean(0)


def axes_of(path: Path) -> dict[str, list[Any]]:
    """The axes of inputs and outputs: a number, or a name where any number may stand."""
    graph = onnx.load(path).graph
    return {
        value.name: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.output)
    }


def test_axes_say_what_they_are(tmp_path: Path) -> None:
    """Time and samples are open; a frame that is repeated has one time step."""
    head = (LIF(0.5), layers.Flatten(), layers.Linear(168, 5))
    for first, steps in ((nn.Identity(), "T"), (layers.Repeat(2), 1)):
        write_onnx_float(nn.Sequential(first, *head).eval(), tmp_path / "net.onnx", SHAPE)
        axes = axes_of(tmp_path / "net.onnx")
        assert axes["input"] == [steps, "N", *SHAPE]
        assert axes["logits"] == ["T", "N", "classes"]
        assert axes["1.spikes"] == ["T", "N", *SHAPE]
    write_onnx_float(Mean(nn.Sequential(*head)).eval(), tmp_path / "net.onnx", SHAPE)
    assert axes_of(tmp_path / "net.onnx")["logits"] == ["N", "classes"]


def test_layers_behind_the_mean_over_time(tmp_path: Path) -> None:
    body = nn.Sequential(LIF(0.5), layers.Flatten(), layers.Linear(168, 5))
    net, x = nn.Sequential(Mean(body), layers.Linear(5, 3)).eval(), torch.rand(2, 3, *SHAPE)
    with torch.no_grad():
        want = net(x)
    np.testing.assert_allclose(run(net, tmp_path / "n.onnx", x)["logits"], want, atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (layers.AdaptiveAvgPool2d((7, 4)), "uneven windows"),
        (layers.BatchNorm2d(4, track_running_stats=False), "running statistics"),
    ],
)
def test_options_without_an_onnx_form_are_refused(
    layer: nn.Module, message: str, tmp_path: Path
) -> None:
    with pytest.raises(LoweringError, match=message):
        write_onnx_float(nn.Sequential(layer), tmp_path / "net.onnx", SHAPE)
