"""The Triton kernels equal the plain loop: on a GPU, or interpreted on the CPU where there is none.

Where there is no GPU they are also compiled for one, as far as machine code.
"""

import subprocess
import sys
from typing import NamedTuple

import pytest
import torch
from support.kernel_oracle import (
    NEURONS,
    assert_one_frame_equals_its_copies,
    close,
    outcome,
    parameters_agree,
    smooth_currents,
)

from arlif.kernels import op
from arlif.kernels.kinds import Kind

pytest.importorskip("triton", reason="triton is not installed")
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
every_neuron = pytest.mark.parametrize("name", NEURONS)


@pytest.fixture(autouse=True)
def backend(monkeypatch):
    """Neurons run the Triton kernels on DEVICE; conftest.py has them interpreted on a CPU."""
    from arlif.kernels import gpu

    monkeypatch.setattr(op, "_backend", lambda x: gpu)


@every_neuron
@pytest.mark.parametrize(("steps", "size"), [(1, 3), (4, 700), (19, 5), (3, 1)])
def test_spikes_states_and_gradients(name, steps, size):
    torch.manual_seed(steps)
    neuron = NEURONS[name](width=0.5, decay=0.75, v_threshold=1.25).to(DEVICE)
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
    neuron = NEURONS[name]().to(DEVICE)
    x = smooth_currents(neuron, torch.randn(steps, 1, 2, 1, 3, device=DEVICE) * 2)
    x = x.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, (steps, 1))
    start = tuple(torch.zeros_like(x[0]) for _ in neuron.real_neuron().variables)
    got, want = outcome(neuron, x, start), outcome(neuron, x, start, plain=True)
    assert torch.equal(got.spikes.double(), want.spikes)
    assert close(got.of_x, want.of_x)
    assert parameters_agree(got, want)


@pytest.mark.skipif(
    DEVICE.type == "cuda", reason="touches few pages of main memory, all of a GPU's"
)
def test_more_elements_than_32_bits_count():
    """One program of a run whose last step begins at 2**31; the other neurons are never touched."""
    from arlif.kernels import gpu

    size, neurons = 2**30, 512
    few = torch.randn(3, neurons).bfloat16()
    x, spikes, of_x = (torch.empty(3, size, dtype=torch.bfloat16) for _ in range(3))
    x[:, :neurons] = few
    of_x[:, :neurons] = 7
    none, sums = torch.empty(0), torch.zeros(1, 2, dtype=torch.float64)
    gpu._forward[(1,)](
        x, spikes, x, x, none, 3, size, size, 1.0, 0.5,
        KIND=2, STATES=1, START=False, END=False, BLOCK=neurons,
    )  # fmt: skip
    gpu._backward[(1,)](
        x, x, of_x, x, x, x, none, sums, torch.empty(2 * size), 3, size, size, 1.0, 1.0, 0.5,
        KIND=2, STATES=1, START=False, END=False, DEPTH=1, BLOCK=neurons,
    )  # fmt: skip
    constants = ([1.0, 1.0, 0.5], 2)
    assert torch.equal(spikes[:, :neurons], gpu.forward(few, None, none, *constants, None))
    want, _ = gpu.backward(few, None, none, *constants, few, None, None)
    assert torch.equal(of_x[:, :neurons], want)


def test_a_gpu_without_triton_takes_the_loop_and_one_warning_says_so(monkeypatch, caplog):
    from arlif.kernels import dispatch

    class OnGpu(NamedTuple):
        """What `applies` asks of currents, on whatever computer this is."""

        device: torch.device = torch.device("cuda")
        dtype: torch.dtype = torch.float32

    monkeypatch.setattr(dispatch, "find_spec", lambda name: None)
    dispatch._has_triton.cache_clear()
    try:
        real = NEURONS["arlif"]().real_neuron()
        assert not any(dispatch.applies(real, OnGpu()) for _ in range(3))
    finally:
        dispatch._has_triton.cache_clear()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "install triton" in caplog.text


@every_neuron
@pytest.mark.parametrize("steps", [3, 19])
def test_one_frame_at_every_step(name, steps):
    neuron = NEURONS[name](width=0.5).to(DEVICE)
    frame = (torch.randn(1, 2, 300, device=DEVICE) * 2).requires_grad_()
    assert_one_frame_equals_its_copies(neuron, frame, steps)


@every_neuron
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_infinite_currents_have_the_gradients_of_the_loop(name):
    neuron = NEURONS[name]().to(DEVICE)
    x = torch.tensor([torch.inf, -torch.inf, 2.0], device=DEVICE).expand(3, 1, -1).contiguous()
    start = neuron.real_neuron().initial_state(torch.zeros_like(x[0]))
    got, want = outcome(neuron, x, start), outcome(neuron, x, start, plain=True)
    assert torch.equal(got.spikes.double(), want.spikes)
    assert want.of_x.isfinite().all()
    assert close(got.of_x, want.of_x)


@pytest.mark.parametrize("storage", [torch.bfloat16, torch.float16])
def test_narrow_currents(storage, monkeypatch):
    from arlif.kernels import dispatch

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
from triton import compile
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from arlif.kernels import gpu

kind, storage = int(sys.argv[1]), sys.argv[2]
pointers = {"x": storage, "spikes": storage, "of_spikes": storage, "of_x": storage,
            "of_parameters": "fp64"}
integers, flags = ("steps", "size", "stride"), ("KIND", "STATES", "START", "END", "DEPTH", "BLOCK")
values = {"KIND": kind, "STATES": gpu.STATES[kind], "START": True, "END": True,
          "DEPTH": gpu.STEPS_IN_REGISTERS, "BLOCK": gpu.ELEMENTS}
reals = ("width", "threshold", "decay")
for kernel in (gpu._forward, gpu._backward):
    constants = {n: values[n] for n in kernel.arg_names if n in flags}
    types = {
        n: "constexpr" if n in flags else "i32" if n in integers else "fp32" if n in reals
        else "*" + pointers.get(n, "fp32")
        for n in kernel.arg_names
    }
    source = ASTSource(fn=kernel, signature=types, constexprs=constants)
    assert compile(source, target=GPUTarget("cuda", 90, 32)).asm["cubin"]
"""


@pytest.mark.skipif(DEVICE.type == "cuda", reason="compiled and run by the tests above")
@pytest.mark.parametrize(
    ("kind", "storage"),
    [(0, "fp32"), *(pytest.param(k, "bf16", marks=pytest.mark.slow) for k in range(1, len(Kind)))],
)
def test_kernels_compile_for_a_gpu(kind, storage, monkeypatch, tmp_path):
    monkeypatch.delenv("TRITON_INTERPRET")
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, str(kind), storage], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
