"""Padded average pools in the float graph equal torch's, whether padding counts or not."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from arlif import layers
from arlif.neurons import LIF
from export.onnx import write_onnx_float

SHAPE = (2, 7, 6)


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("rounded_up", [True, False])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 2, 1), ((2, 4), (2, 3), (1, 2))])
def test_a_padded_pool_equals_torch(
    kernel, stride, padding, rounded_up: bool, counted: bool, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    pool = layers.AvgPool2d(kernel, stride, padding, rounded_up, counted)
    x = torch.rand(1, 3, *SHAPE) + 1
    width = pool(x).flatten(2).shape[2]
    net = torch.nn.Sequential(
        layers.Repeat(2), LIF(), pool, layers.Flatten(), layers.Linear(width, 5)
    ).eval()
    write_onnx_float(net, tmp_path / "net.onnx", SHAPE)
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    names = [value.name for value in session.get_outputs()]
    got = dict(
        zip(names, session.run(names, {"input": x.numpy(), "time_steps": np.array(2)}), strict=True)
    )
    np.testing.assert_allclose(got["logits"], net(x).detach(), rtol=1e-5, atol=1e-5)
