"""The Triton kernels equal the plain loop: on a GPU, or interpreted on the CPU where there is none.

Where there is no GPU they are also compiled for one, as far as machine code.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from hypothesis import event, given, settings
from support.kernel_oracle import (
    NEURONS,
    Watched,
    assert_one_frame_equals_its_copies,
    close,
    outcome,
    parameters_agree,
    smooth_currents,
)
from support.programs import Program, RandomNeuron, programs
from support.toy_neurons import AdaptiveThreshold, Bursting
from torch.overrides import TorchFunctionMode

from arlif.core.neuron import Neuron
from arlif.core.real_neurons import BUILT_IN, RealCuba, RealLifSoft, RealLifSubtract
from arlif.kernels import dispatch, op
from arlif.kernels.kernel import standard
from arlif.neurons import NeuronLayer, SpikingNeuron
from arlif.neurons.modules import run_steps

pytest.importorskip("triton", reason="triton is not installed")
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def layer(neuron: Neuron, shape: tuple[int, ...], width: float) -> SpikingNeuron:
    """A layer whose constants of several values are all different."""
    made = NeuronLayer(neuron, shape, width)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(torch.linspace(0.8, 1.1, parameter.numel()).reshape(parameter.shape))
    return made


def built(name: str, shape: tuple[int, ...], width: float = 1.0) -> SpikingNeuron:
    """A neuron of NEURONS or OTHERS for currents [T, N, *shape]."""
    made = OTHERS[name](shape, width) if name in OTHERS else NEURONS[name](width=width)
    return made.to(DEVICE)


OTHERS: dict[str, Callable[[tuple[int, ...], float], SpikingNeuron]] = {
    "held threshold": lambda shape, width: layer(RealLifSubtract(hold=0.5), shape, width),
    "adaptive threshold": lambda shape, width: layer(AdaptiveThreshold(), shape, width),
    "bursting": lambda shape, width: layer(Bursting(), shape, width),
    "current": lambda shape, width: layer(
        RealCuba(0.75, 0.5, bias=torch.rand(shape[0], *(1 for _ in shape[1:]))), shape, width
    ),
}
every_neuron = pytest.mark.parametrize("name", [*NEURONS, *OTHERS])


@pytest.fixture(autouse=True)
def backend(monkeypatch):
    """Neurons run the Triton kernels on DEVICE; conftest.py has them interpreted on a CPU."""
    from arlif.kernels import gpu

    monkeypatch.setattr(op, "_backend", lambda x: gpu)
    monkeypatch.setattr(dispatch, "_has_library", lambda text: True)


@every_neuron
@pytest.mark.parametrize(("steps", "size"), [(1, 3), (4, 700), (19, 5), (3, 1)])
def test_spikes_states_and_gradients(name, steps, size):
    torch.manual_seed(steps)
    neuron = built(name, (size,), 0.5)
    x = smooth_currents(neuron, torch.randn(steps, 1, size, device=DEVICE) * 2)
    start = tuple(torch.zeros_like(x[0]) for _ in neuron.real_neuron().variables)
    got, want = outcome(neuron, x, start), outcome(neuron, x, start, plain=True)
    assert torch.equal(got.spikes.double(), want.spikes)
    assert close(got.of_x, want.of_x)
    for a, b in zip(got.final + got.of_state, want.final + want.of_state, strict=True):
        assert close(a, b)
    assert parameters_agree(got, want)


@every_neuron
@pytest.mark.parametrize("steps", [35, pytest.param(1024, marks=pytest.mark.slow)])
def test_long_runs_and_channels_last(name, steps):
    torch.manual_seed(steps)
    neuron = built(name, (2, 1, 3))
    x = smooth_currents(neuron, torch.randn(steps, 1, 2, 1, 3, device=DEVICE) * 2)
    x = x.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, (steps, 1))
    start = tuple(torch.zeros_like(x[0]) for _ in neuron.real_neuron().variables)
    got, want = outcome(neuron, x, start), outcome(neuron, x, start, plain=True)
    assert torch.equal(got.spikes.double(), want.spikes)
    assert close(got.of_x, want.of_x)
    assert parameters_agree(got, want)


@pytest.mark.parametrize("name", ["adaptive threshold", "current"])
def test_constants_per_channel_of_several_samples(name):
    torch.manual_seed(0)
    neuron = built(name, (3, 2, 2), 0.5)
    x = smooth_currents(neuron, torch.randn(3, 2, 3, 2, 2, device=DEVICE) * 2)
    start = tuple(torch.zeros_like(x[0]) for _ in neuron.real_neuron().variables)
    got, want = outcome(neuron, x, start), outcome(neuron, x, start, plain=True)
    assert torch.equal(got.spikes.double(), want.spikes)
    assert close(got.of_x, want.of_x)
    assert parameters_agree(got, want)


@pytest.mark.skipif(
    DEVICE.type == "cuda", reason="touches few pages of main memory, all of a GPU's"
)
def test_more_elements_than_32_bits_count(monkeypatch):
    """One program of a run whose last step begins at 2**31; the other neurons are never touched."""
    from arlif.kernels import gpu

    size, neurons = 2**30, gpu.ELEMENTS
    kernel, constants = standard(RealLifSoft()), [1.0, 0.5, 1.0]
    few = torch.randn(3, neurons).bfloat16()
    x, spikes, of_x = (torch.empty(3, size, dtype=torch.bfloat16) for _ in range(3))
    x[:, :neurons] = few
    of_x[:, :neurons] = 7
    monkeypatch.setattr(gpu, "_grid", lambda x: (1,))
    outputs = iter((spikes, of_x))
    with monkeypatch.context() as patch:
        patch.setattr(gpu, "like", lambda x: next(outputs))
        patch.setattr(gpu, "MOST_STEPS", 1)
        gpu.forward(x, None, [], constants, kernel, None)
        gpu.backward(x, None, [], constants, kernel, x, None, None, few)
    assert torch.equal(spikes[:, :neurons], gpu.forward(few, None, [], constants, kernel, None))
    want, _ = gpu.backward(few, None, [], constants, kernel, few, None, None, few)
    assert torch.equal(of_x[:, :neurons], want)


def test_a_gpu_without_triton_takes_the_loop_and_one_warning_says_so(monkeypatch, caplog):
    class OnGpu(NamedTuple):
        """What `applies` asks of currents, on whatever computer this is."""

        device: torch.device = torch.device("cuda")
        dtype: torch.dtype = torch.float32

    monkeypatch.setattr(dispatch, "find_spec", lambda name: None)
    dispatch._found_triton.cache_clear()
    try:
        real = NEURONS["arlif"]().real_neuron()
        assert not any(dispatch.applies(real, OnGpu()) for _ in range(3))
    finally:
        dispatch._found_triton.cache_clear()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "install triton" in caplog.text


@every_neuron
@pytest.mark.parametrize("steps", [3, 19])
def test_one_frame_at_every_step(name, steps):
    torch.manual_seed(steps)
    neuron = built(name, (300,), 0.5)
    frame = (torch.randn(1, 2, 300, device=DEVICE) * 2).requires_grad_()
    assert_one_frame_equals_its_copies(neuron, frame, steps)


@pytest.mark.parametrize("name", [*NEURONS, *(name for name in OTHERS if name != "bursting")])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_infinite_currents_have_the_gradients_of_the_loop(name):
    neuron = built(name, (3,))
    x = torch.tensor([torch.inf, -torch.inf, 2.0], device=DEVICE).expand(3, 1, -1).contiguous()
    start = neuron.real_neuron().initial_state(torch.zeros_like(x[0]))
    got, want = outcome(neuron, x, start), outcome(neuron, x, start, plain=True)
    assert torch.equal(got.spikes.double(), want.spikes)
    assert want.of_x.isfinite().all()
    assert close(got.of_x, want.of_x)


class Nearest(TorchFunctionMode):
    """Notes how near each neuron came to where a comparison turns out otherwise."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.distance = torch.full(shape, torch.inf, dtype=torch.float64)

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if getattr(function, "__name__", "") in ("__ge__", "__le__", "ge", "le"):
            distance = torch.as_tensor(args[0] - args[1]).abs().broadcast_to(self.distance.shape)
            self.distance = torch.minimum(self.distance, distance)
        return function(*args, **kwargs or {})


@pytest.mark.skipif(DEVICE.type == "cuda", reason="every step would be compiled")
@settings(max_examples=40)
@given(programs())
def test_random_steps(program: Program) -> None:
    """Compared are neurons that stay away from every jump, also of comparisons."""
    torch.manual_seed(0)
    neuron = NeuronLayer(RandomNeuron(program=program))
    x, *start = torch.randn(3, 1, 30), torch.randn(1, 30), torch.randn(1, 30)
    real, watch = neuron.real_neuron(), Watched(neuron.surrogate)
    with torch.no_grad(), Nearest(x[0].shape) as nearest:
        run_steps(real, watch, x.double(), real.state_type(*(part.double() for part in start)))
    away = torch.minimum(watch.nearest.expand_as(x[0]), nearest.distance) > 2e-6
    got, want = outcome(neuron, x, tuple(start)), outcome(neuron, x, tuple(start), plain=True)
    event(f"{away.sum() // 10}0 neurons")
    assert torch.equal(got.spikes.double()[:, away], want.spikes[:, away])
    for a, b in zip((got.of_x, *got.of_state), (want.of_x, *want.of_state), strict=True):
        assert close(a[..., away], b[..., away])
    for a, b in zip(got.final, want.final, strict=True):
        assert close(a[away], b[away])


@pytest.mark.parametrize("storage", [torch.bfloat16, torch.float16])
def test_narrow_currents(storage, monkeypatch):
    monkeypatch.setattr(dispatch.cpu, "STORAGE", dispatch.GPU_STORAGE)
    neuron = NEURONS["arlif"]().to(DEVICE)
    x = smooth_currents(neuron, (torch.randn(4, 1, 600, device=DEVICE) * 2).to(storage))
    start = tuple(torch.zeros(1, 600, device=DEVICE) for _ in range(2))
    got, want = outcome(neuron, x, start), outcome(neuron, x, start, plain=True)
    assert got.spikes.dtype == storage
    assert torch.equal(got.spikes.double(), want.spikes)
    assert close(got.of_x, want.of_x, 1e-2)
    assert parameters_agree(got, want)


COMPILE = """
import sys
import torch
import triton
from triton.backends.compiler import GPUTarget
from arlif.core.real_neurons import BUILT_IN
from arlif.kernels import gpu
from arlif.kernels.kernel import described, standard
from support.toy_neurons import Bursting


class Driver:
    get_current_target = staticmethod(lambda: GPUTarget("cuda", 90, 32))
    get_current_device = staticmethod(lambda: 0)
    get_current_stream = staticmethod(lambda device: 0)


class Compiled:
    def __init__(self, function):
        self.function = function

    def __getitem__(self, grid):
        return lambda *args, **names: self.compiled(*args, grid=grid, **names)

    def compiled(self, *args, **names):
        assert self.function.warmup(*args, **names).asm["cubin"]


triton.runtime.driver.set_active(Driver())
gpu._forward, gpu._backward = Compiled(gpu._forward), Compiled(gpu._backward)
number, storage = int(sys.argv[1]), getattr(torch, sys.argv[2])
if number < len(BUILT_IN):
    neuron = BUILT_IN[number]
    kernel = standard(neuron)
else:
    neuron = Bursting(decay=torch.rand(3, 5))
    kernel = described(Bursting, (), (), *2 * [("decay", "slope", "threshold")], ("decay",))
x, states = torch.zeros(16, 1, 3, 5, dtype=storage), torch.zeros(len(kernel.graph.states), 1, 3, 5)
parameters = [torch.as_tensor(getattr(neuron, name)) for name in kernel.tensors]
constants = [1.0, *(float(getattr(neuron, name)) for name in kernel.numbers)]
of_spread = torch.zeros(len(kernel.of_spread), 1, 3, 5)
for given in (states, None):
    gpu.forward(x, given, parameters, constants, kernel, given)
    gpu.backward(x, given, parameters, constants, kernel, x, given, given, of_spread)
"""


@pytest.mark.skipif(DEVICE.type == "cuda", reason="compiled and run by the tests above")
@pytest.mark.parametrize(
    ("number", "storage"),
    [
        (BUILT_IN.index(RealLifSoft()), "float32"),
        *(pytest.param(k, "bfloat16", marks=pytest.mark.slow) for k in range(1 + len(BUILT_IN))),
    ],
)
def test_kernels_compile_for_a_gpu(number, storage, monkeypatch, tmp_path):
    monkeypatch.delenv("TRITON_INTERPRET")
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, str(number), storage],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert done.returncode == 0, done.stderr
