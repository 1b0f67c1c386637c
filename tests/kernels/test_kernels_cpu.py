"""The compiled CPU kernels equal the plain loop of steps: spikes, states and gradients."""

import psutil
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.kernel_oracle import (
    NEURONS,
    arlif,
    assert_one_frame_equals_its_copies,
    close,
    outcome,
    parameters_agree,
    smooth_currents,
)

from arlif import kernels
from arlif.arithmetic.floating import FloatOps
from arlif.arithmetic.surrogates import Rectangle
from arlif.base.errors import ArlifError
from arlif.core.real_neurons import BUILT_IN, RealArlif
from arlif.kernels import build
from arlif.kernels.kernel import standard
from arlif.kernels.op import neuron as neuron_op
from arlif.neurons import LIF
from arlif.neurons.modules import run_steps

needs_library = pytest.mark.skipif(build.library() is None, reason="no C++ compiler here")
every_neuron = pytest.mark.parametrize("name", NEURONS)

LAYOUTS = {
    "contiguous": lambda x: x.contiguous(),
    "channels last": lambda x: (
        x.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, x.shape[:2])
    ),
    "time inside": lambda x: x.movedim(0, -1).contiguous().movedim(-1, 0),
    "one frame": lambda x: x[:1].expand(x.shape),
    "sliced": lambda x: torch.stack((x, x), -1)[..., 0],
}


@needs_library
@every_neuron
@settings(max_examples=25, deadline=None)
@given(
    steps=st.integers(1, 9),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 9), st.integers(1, 9)),
    layout=st.sampled_from(sorted(LAYOUTS)),
    width=st.sampled_from([0.5, 1.0, 2.0]),
    storage=st.sampled_from([torch.float32, torch.float64, torch.bfloat16]),
    scale=st.sampled_from([0.5, 2.0, 30.0]),
    seed=st.integers(0, 10**6),
)
@example(8, (2, 3, 9, 6), "contiguous", 0.5, torch.float32, 30.0, 84734)  # saturated gates
def test_kernel_equals_the_loop(name, steps, shape, layout, width, storage, scale, seed):
    torch.manual_seed(seed)
    neuron = NEURONS[name](width=width, decay=0.75, v_threshold=1.25)
    if storage == torch.float64:
        neuron = neuron.double()
    x = (torch.randn(steps, *shape) * scale).to(storage)
    x = smooth_currents(neuron, x, margin=2e-6 * max(scale, 1))
    x = LAYOUTS[layout](x)
    assert kernels.applies(neuron.real_neuron(), x)
    # The margin of smooth_currents is for a start at 0.
    start = tuple(torch.zeros(shape) for _ in neuron.real_neuron().variables)
    got, want = outcome(neuron, x, start), outcome(neuron, x, start, plain=True)
    assert torch.equal(got.spikes.double(), want.spikes)
    assert got.spikes.dtype == storage
    exact = 1e-12 if storage == torch.float64 else 1e-5
    rounded = 1e-2 if storage == torch.bfloat16 else exact
    assert close(got.of_x, want.of_x, rounded)
    for a, b in zip(got.final, want.final, strict=True):
        assert close(a, b, exact)
    for a, b in zip(got.of_state, want.of_state, strict=True):
        assert close(a, b, rounded)
    if storage == torch.float64:
        assert parameters_agree(got, want, 1e-12, 1e-12)
    else:
        assert parameters_agree(got, want)


def test_every_neuron_that_comes_with_arlif_is_held_to_the_loop():
    held = {type(make().real_neuron()) for make in NEURONS.values()}
    assert held >= {type(neuron) for neuron in BUILT_IN}


@needs_library
@every_neuron
def test_one_long_run_equals_two_short_ones(name):
    neuron = NEURONS[name]()
    x = torch.randn(300, 7, 11) * 2
    whole, end = neuron(x, return_state=True)
    first, middle = neuron(x[:123], return_state=True)
    second, last = neuron(x[123:], middle, return_state=True)
    assert torch.equal(whole, torch.cat([first, second]))
    assert all(torch.equal(a, b) for a, b in zip(end, last, strict=True))
    long = outcome(neuron, smooth_currents(neuron, x), tuple(torch.zeros_like(e) for e in end))
    want = outcome(
        neuron, smooth_currents(neuron, x), tuple(torch.zeros_like(e) for e in end), plain=True
    )
    assert close(long.of_x, want.of_x)


@needs_library
@every_neuron
def test_gradcheck_where_the_neuron_is_smooth(name):
    # Between its jumps a spike is constant: outside the surrogate the derivative is the true one.
    torch.manual_seed(1)
    neuron = NEURONS[name](width=0.01).double()
    x = torch.randn(4, 2, 3, dtype=torch.float64) * 2
    x = smooth_currents(neuron, x, margin=0.02, start=0.3)
    state = [0.3 * torch.ones_like(x[0]) for _ in neuron.real_neuron().variables]

    parameters = dict(neuron.named_parameters())

    def states(x, *rest):
        learned = dict(zip(parameters, rest[len(state) :], strict=True))
        call = (x, rest[: len(state)], True)
        _, final = torch.func.functional_call(neuron, learned, call)
        return tuple(final)

    leaves = [x, *state, *parameters.values()]
    assert torch.autograd.gradcheck(states, [leaf.detach().requires_grad_() for leaf in leaves])


@needs_library
@every_neuron
@pytest.mark.parametrize("count", [10**5, pytest.param(10**7, marks=pytest.mark.slow)])
def test_spikes_and_gradients_of_many_random_elements(name, count):
    torch.manual_seed(3)
    neuron = NEURONS[name]()
    x = smooth_currents(neuron, torch.randn(4, count // 4) * 2, margin=1e-6)
    start = tuple(torch.zeros_like(x[0]) for _ in neuron.real_neuron().variables)
    got, want = outcome(neuron, x, start), outcome(neuron, x, start, plain=True)
    assert torch.equal(got.spikes.double(), want.spikes)
    assert close(got.of_x, want.of_x)
    assert parameters_agree(got, want)


@needs_library
@every_neuron
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("storage", [torch.float32, torch.bfloat16])
def test_one_frame_at_every_step(name, layout, storage):
    """Expanded over time, the frame gives what its copies give, and their gradients' sum."""
    neuron, frame = NEURONS[name](width=0.5), (torch.randn(1, 2, 3, 5, 7) * 2).to(storage)
    frame = LAYOUTS[layout](frame).requires_grad_()
    assert_one_frame_equals_its_copies(neuron, frame, 4)


@needs_library
@every_neuron
@pytest.mark.parametrize("still", [False, True])
def test_backward_keeps_only_the_input(name, still):
    neuron, x = NEURONS[name](), torch.randn(1 if still else 4, 8, 16, 8, 8, requires_grad=True)
    kept = {}
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: kept.setdefault(t.untyped_storage().data_ptr(), t), lambda t: t
    ):
        neuron(x.expand(4, -1, -1, -1, -1))
    total = sum(t.untyped_storage().nbytes() for t in kept.values())
    assert x.nbytes <= total <= 1.1 * x.nbytes


@needs_library
def test_a_very_long_run_leaves_no_memory_behind():
    """What its backward pass keeps of every step is 300 MiB here; malloc may hold some of it."""
    neuron, x = arlif(), torch.randn(200_000, 3, requires_grad=True)
    before = psutil.Process().memory_info().rss
    neuron(x).sum().backward()
    assert psutil.Process().memory_info().rss - before < 200 * 2**20


@needs_library
def test_extreme_currents():
    x = torch.tensor([0.0, -0.0, 1e-30, 88.0, -88.0, 1e4, -1e4, 3e38, -3e38, torch.nan])
    x = x.expand(3, 2, -1).contiguous()
    for make in NEURONS.values():
        neuron = make()
        want, _ = run_steps(neuron.real_neuron(), FloatOps(neuron.surrogate), x, None)
        assert torch.equal(neuron(x), want)


@needs_library
@every_neuron
@pytest.mark.parametrize("storage", [torch.float32, torch.float64, torch.bfloat16])
def test_infinite_currents(name, storage):
    """Every order of three currents, some of them infinite; gradients where a state is none too."""
    neuron = NEURONS[name]().to(torch.float64 if storage == torch.float64 else torch.float32)
    currents = torch.tensor([torch.inf, -torch.inf, 2.0, -1.0], dtype=storage)
    x = torch.cartesian_prod(currents, currents, currents).T[:, None]
    want, end = run_steps(neuron.real_neuron(), FloatOps(neuron.surrogate), x, None)
    spikes, last = neuron(x, return_state=True)
    assert torch.equal(spikes, want)
    torch.testing.assert_close(last, end, equal_nan=True)
    if name == "lif hard":
        assert last.u.isfinite()[want[-1] == 1].all()
    start = neuron.real_neuron().initial_state(torch.zeros_like(x[0]))
    got, plain = outcome(neuron, x, start), outcome(neuron, x, start, plain=True)
    tolerance = 1e-2 if storage == torch.bfloat16 else 1e-5
    torch.testing.assert_close(
        got.of_x.double(), plain.of_x, rtol=tolerance, atol=tolerance, equal_nan=True
    )
    assert name == "clif" or plain.of_x.isfinite().all()


@needs_library
def test_silent_inputs_and_empty_batches():
    assert not arlif()(torch.zeros(4, 2, 3)).any()
    assert arlif()(torch.zeros(4, 0, 3)).shape == (4, 0, 3)


@needs_library
def test_torch_accepts_the_operation():
    x = torch.randn(3, 2, 5, requires_grad=True)
    state = torch.randn(2, 2, 5, requires_grad=True)
    parameters = [torch.tensor(0.7, requires_grad=True), torch.tensor(0.3, requires_grad=True)]
    rest = (parameters, [1.0, 1.0, 0.5], standard(RealArlif()).text)
    for start, states in ((None, 0), (state, 2)):
        torch.library.opcheck(neuron_op, (x, start, *rest, states))
    still = torch.randn(1, 2, 5).expand(3, -1, -1)
    torch.library.opcheck(neuron_op, (still, state, *rest, 2))


@needs_library
@every_neuron
def test_second_derivatives_are_refused(name):
    neuron, x = NEURONS[name](), torch.randn(4, 3, 5, requires_grad=True)
    (of_x,) = torch.autograd.grad(neuron(x).sum(), x, create_graph=True)
    with pytest.raises(ArlifError, match="run the plain loop"):
        of_x.square().sum().backward()


def test_the_loop_has_second_derivatives():
    neuron, x = arlif().double(), torch.randn(4, 3, 5, dtype=torch.float64) * 2
    x = smooth_currents(neuron, x, margin=0.02).requires_grad_()

    def last_state(x):
        _, state = run_steps(neuron.real_neuron(), FloatOps(Rectangle(0.01)), x, None)
        return state.u

    assert torch.autograd.gradgradcheck(last_state, x)


@needs_library
@every_neuron
@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")
def test_forward_mode_is_refused(name):
    x = torch.randn(4, 3, 5)
    with pytest.raises(ArlifError, match="jvp"):
        torch.func.jvp(NEURONS[name](), (x,), (x,))


@pytest.mark.slow
@needs_library
@pytest.mark.filterwarnings("default")
def test_torch_compile_runs_through_the_kernel():
    neuron, x = arlif(), torch.randn(4, 3, 5)
    compiled = torch.compile(neuron, fullgraph=True)
    assert torch.equal(compiled(x), neuron(x))


@pytest.mark.slow
@needs_library
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_torch_compile_takes_shapes_that_change(layout):
    torch.compiler.reset()
    neuron = arlif()
    compiled = torch.compile(neuron, fullgraph=True, dynamic=True)
    for shape in [(4, 3, 5, 7, 7), (4, 3, 6, 8, 8), (5, 2, 6, 9, 4)]:
        x = LAYOUTS[layout](torch.randn(shape) * 2)
        start = neuron.real_neuron().initial_state(torch.full_like(x[0], 0.1))
        got, want = outcome(compiled, x, start), outcome(neuron, x, start)
        assert torch.equal(got.spikes, want.spikes)
        assert close(got.of_x, want.of_x)


@needs_library
def test_half_precision_on_the_cpu_takes_the_loop_in_float32():
    x = torch.randn(4, 3, 5).half()
    assert not kernels.applies(LIF().real_neuron(), x)
    assert torch.equal(LIF()(x).float(), LIF()(x.float()))
