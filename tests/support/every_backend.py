"""What every backend makes of LIF with soft reset: python every_backend.py FOLDER.

Writes FOLDER/found.json.
"""

import json
import sys
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import nn

from arlif import layers
from arlif.arithmetic.floating import FloatOps
from arlif.arithmetic.surrogates import STANDARD
from arlif.core.integer_neurons import PRESETS
from arlif.core.network import Population
from arlif.core.real_neurons import NumpyRealOps, RealLifSoft
from arlif.kernels import dispatch, triton_printer
from arlif.kernels.kernel import standard
from arlif.neurons import LIF
from arlif.neurons.modules import run_steps
from arlif.quantize.neuron_constants import to_integer
from arlif.quantize.qat_neurons import QatNeuron
from export.onnx import write_onnx, write_onnx_float
from hw_sim.energy.operations import update_cost
from hw_sim.engines.integer.reference import simulate
from hw_sim.engines.integer.update import FusedUpdate, TorchUpdate
from hw_sim.engines.lava.processes.population import PopulationFixed
from support.networks_small import quantized

DECAY, THRESHOLD, NUMBERS = 0.75, 0.75, PRESETS["compact16"]
REAL = RealLifSoft(DECAY, THRESHOLD)
INTEGER = to_integer(REAL, NUMBERS)
ACCUMULATORS = np.random.default_rng(0).integers(-200, 400, (8, 16, 4), np.int32)
"""Currents, too: gain 1, no bias."""
CURRENTS = torch.from_numpy(ACCUMULATORS / 256).float()


def digest(values: Any) -> str:
    """Of spikes, as bytes."""
    return sha256(np.ascontiguousarray(np.asarray(values) != 0).tobytes()).hexdigest()


def by_lava() -> list[Any]:
    """The model of Lava's process, without Lava's runtime."""
    spikes: list[Any] = []
    rows = iter(ACCUMULATORS)
    given = dict.fromkeys(("gain_shift", "bias", "reset_interval", "reset_offset"), 0)
    given |= {"neuron": INTEGER, "gain": 1, "recorder": None, "read": None}
    model = SimpleNamespace(
        ops=INTEGER.ops,
        proc_params=given,
        a_in=SimpleNamespace(recv=lambda: next(rows)),
        s_out=SimpleNamespace(send=spikes.append),
        state=np.zeros((1, *ACCUMULATORS.shape[1:]), np.int32),
        time_step=1,
    )
    model.gain_ops = lambda: PopulationFixed.gain_ops(model)
    for _ in ACCUMULATORS:
        PopulationFixed.advance(model)
    return spikes


def by_steps(neuron: Any, ops: Any, currents: Any) -> list[Any]:
    """A plain loop over numpy."""
    state, spikes = neuron.initial_state(np.zeros_like(currents[0])), []
    for x in currents:
        fired, after = neuron.step(ops, state, x)
        state = neuron.state_type(*after)
        spikes.append(fired)
    return spikes


def onnx_files(folder: Path) -> dict[str, str]:
    """Digests of a network's files."""
    torch.manual_seed(0)
    neuron = LIF(DECAY, THRESHOLD)
    net = nn.Sequential(layers.Linear(4, 6), layers.Repeat(4), neuron, layers.Linear(6, 2)).eval()
    network = quantized(net, (4,))
    write_onnx_float(net, folder / "float.onnx", (4,))
    write_onnx(network, folder / "integer.onnx")
    simulate(network, np.zeros((1, 4), np.int8), 4)
    kinds = ("float", "integer")
    files = {kind: (folder / f"{kind}.onnx").read_bytes() for kind in kinds}
    return {f"ONNX {kind}": sha256(content).hexdigest() for kind, content in files.items()}


def main(folder: Path) -> dict[str, Any]:
    """By backend: a digest of its spikes, or what it printed or counted."""
    population = Population("p", (4,), INTEGER, np.ones(4, np.uint8), 0, np.zeros(4, np.int32))
    raw = torch.from_numpy(ACCUMULATORS)
    x = CURRENTS.clone().requires_grad_()
    assert dispatch.applies(REAL, x)
    fused, _ = dispatch.run(REAL, x, None, STANDARD, False)
    weights = torch.linspace(-1, 1, fused.numel()).view_as(fused)
    (gradient,) = torch.autograd.grad((fused * weights).sum(), x)
    trainable = QatNeuron(REAL, (4,), STANDARD)
    return {
        "numpy reals": digest(by_steps(REAL, NumpyRealOps(), CURRENTS.double().numpy())),
        "torch loop": digest(run_steps(REAL, FloatOps(), CURRENTS, None)[0]),
        "C++ float": digest(fused.detach()),
        "C++ gradient": sha256(gradient.numpy().tobytes()).hexdigest(),
        "Triton": triton_printer.printed(standard(REAL)),
        "integer reference": digest(by_steps(INTEGER, INTEGER.ops(), ACCUMULATORS)),
        "integer torch": digest(
            TorchUpdate(population, torch.device("cpu"))(raw, 8, None, False)[0]
        ),
        "C++ integer": digest(FusedUpdate(population)(raw, 8, None, False)[0]),
        "Lava": digest(by_lava()),
        "QAT": digest(trainable(raw.float(), INTEGER).detach()),
        "operation count": repr(sorted(map(repr, update_cost(population, 16).operations.items()))),
        **onnx_files(folder),
    }


if __name__ == "__main__":
    target = Path(sys.argv[1])
    (target / "found.json").write_text(json.dumps(main(target)))
