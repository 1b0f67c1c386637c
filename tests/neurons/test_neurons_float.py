"""arlif.ARLIF and arlif.LIF in float64 against the equations and their derivatives."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.kernel_oracle import NEURONS
from support.oracle import arlif_float

from arlif import ARLIF, LIF
from arlif.base.errors import ArlifError
from arlif.core.real_neurons import RealArlif
from arlif.kernels.kernel import standard
from arlif.kernels.op import neuron as neuron_op
from arlif.neurons.subtract import SubtractLIF

WIDTH = 1.0


class Dual:
    """A number with its derivative; spikes have the rectangular surrogate's derivative."""

    def __init__(self, value: float, slope: float = 0.0) -> None:
        self.value, self.slope = value, slope

    def __add__(self, other: "Dual | float") -> "Dual":
        other = dual(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other: "Dual | float") -> "Dual":
        other = dual(other)
        return Dual(self.value * other.value, self.slope * other.value + self.value * other.slope)

    __radd__, __rmul__ = __add__, __mul__

    def __sub__(self, other: "Dual | float") -> "Dual":
        return self + dual(other) * -1.0

    def __rsub__(self, other: float) -> "Dual":
        return dual(other) - self


def dual(number: "Dual | float") -> Dual:
    return number if isinstance(number, Dual) else Dual(number)


def sigma(x: Dual) -> Dual:
    value = 1.0 / (1.0 + math.exp(-x.value))
    return Dual(value, value * (1.0 - value) * x.slope)


def tanh(x: Dual) -> Dual:
    value = math.tanh(x.value)
    return Dual(value, (1.0 - value * value) * x.slope)


def spike(v: Dual) -> Dual:
    inside = abs(v.value) <= WIDTH / 2
    return Dual(1.0 if v.value >= 0 else 0.0, v.slope / WIDTH if inside else 0.0)


def objective(xs: list[Dual], alpha: Dual, beta: Dual, weights: list[float]) -> Dual:
    """sum_t w_t s_t + u_T + r_T, in the letters of the paper."""
    u, r, total = Dual(0.0), Dual(0.0), Dual(0.0)
    for x, weight in zip(xs, weights, strict=True):
        h = 0.5 * u + x
        theta = 1.0 + beta * tanh(x)
        s = spike(h - theta)
        gate = sigma(alpha * x)
        r = r * (gate if r.value >= 0 else 1.0 - gate)
        r = r + (2.0 * s - 1.0) * sigma(x)
        u = h - s * (theta + sigma(r))
        total = total + weight * s
    return total + u + r


def neuron(alpha: float, beta: float, memory: bool = True) -> ARLIF:
    module = ARLIF(memory=memory).double()
    with torch.no_grad():
        module.alpha_raw.fill_(alpha)
        module.beta_raw.fill_(math.atanh(beta))
    return module


currents = st.lists(st.floats(-4, 4), min_size=8, max_size=8)
betas = st.sampled_from([-0.3, 0.0, 0.3])


@given(currents, st.floats(0, 1), betas, st.booleans())
def test_spikes_and_states_follow_the_equations(
    xs: list[float], alpha: float, beta: float, memory: bool
) -> None:
    module = neuron(alpha, beta, memory)
    beta = module.beta.item()
    state, got = None, []
    for x in xs:
        current = torch.full((1, 1), x, dtype=torch.float64)
        s, state = module(current, state, return_state=True)
        got.append((s.item(), state.u.item(), state.r.item()))
    want = arlif_float(xs, alpha=alpha, beta=beta, memory=memory)
    assert [s for s, _, _ in got] == [s for s, _, _ in want]
    torch.testing.assert_close(torch.tensor(got), torch.tensor(want), atol=1e-10, rtol=1e-10)


@given(currents, st.floats(0.01, 0.99), betas, st.lists(st.floats(-1, 1), min_size=8, max_size=8))
def test_gradients_follow_the_equations(
    xs: list[float], alpha: float, beta: float, weights: list[float]
) -> None:
    module = neuron(alpha, beta)
    beta = module.beta.item()
    x = torch.tensor(xs, dtype=torch.float64)[:, None].requires_grad_()
    s, state = module(x, return_state=True)
    total = (s[:, 0] * torch.tensor(weights, dtype=torch.float64)).sum() + state.u + state.r
    total.sum().backward()

    def derivative(which: int) -> float:
        duals = [Dual(v, float(t == which)) for t, v in enumerate(xs)]
        a, b = Dual(alpha, float(which == 8)), Dual(beta, float(which == 9))
        return objective(duals, a, b, weights).slope

    want = torch.tensor([derivative(t) for t in range(8)], dtype=torch.float64)
    torch.testing.assert_close(x.grad[:, 0], want, atol=1e-10, rtol=1e-10)
    alpha_grad, beta_grad = module.alpha_raw.grad, module.beta_raw.grad / (1 - beta**2)
    assert alpha_grad.item() == pytest.approx(derivative(8), abs=1e-10, rel=1e-10)
    assert beta_grad.item() == pytest.approx(derivative(9), abs=1e-10, rel=1e-10)


def test_state_goes_in_and_out() -> None:
    torch.manual_seed(0)
    x = torch.randn(8, 3, 5, dtype=torch.float64)
    for module in (neuron(0.7, 0.3), LIF(reset="hard"), LIF(reset="soft")):
        whole = module(x)
        first, state = module(x[:3], return_state=True)
        second = module(x[3:], state)
        assert torch.equal(whole, torch.cat([first, second]))
        assert whole.shape == x.shape


def test_hard_and_soft_reset() -> None:
    x = torch.tensor([[0.6], [0.9], [0.0]], dtype=torch.float64)
    hard, hard_state = LIF(reset="hard")(x, return_state=True)
    soft, soft_state = LIF(reset="soft")(x, return_state=True)
    assert hard.flatten().tolist() == soft.flatten().tolist() == [0.0, 1.0, 0.0]
    assert hard_state.u.item() == 0.0
    assert soft_state.u.item() == pytest.approx(0.5 * (0.6 * 0.5 + 0.9 - 1.0))


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=20), st.floats(0, 1), st.floats(0.25, 2))
def test_soft_reset_membrane_is_the_leaky_sum_of_input_minus_output(
    xs: list[float], decay: float, v_threshold: float
) -> None:
    """Theorem 1 for soft reset: u[T] = sum_t k^(T - t) (x[t] - v s[t]), no input is lost."""
    x = torch.tensor(xs, dtype=torch.float64)[:, None]
    s, state = LIF(decay, v_threshold, reset="soft")(x, return_state=True)
    powers = [decay ** (len(xs) - 1 - t) for t in range(len(xs))]
    leak = torch.tensor(powers, dtype=torch.float64)
    want = (leak[:, None] * (x - v_threshold * s)).sum(0)
    torch.testing.assert_close(state.u, want, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize(("hold", "u", "reached"), [(0.0, 0.0, 0.7), (0.1, 1.0, 0.8)])
def test_the_threshold_of_subtracting_neurons_is_float64(hold: float, u: float, reached: float):
    neuron = SubtractLIF(0.0, 0.7, amount=0.35, hold=hold)
    x = torch.tensor([[[reached - 1e-9, reached + 1e-9]]], dtype=torch.float64)
    assert neuron(x, [torch.full_like(x[0], u)]).flatten().tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SubtractLIF(0.5, 1.0, -0.1, 0.0), "amount .* -0.1 and 0.0"),
        (lambda: SubtractLIF(0.5, 1.0, 0.0, -0.1), "hold .* 0.0 and -0.1"),
        (lambda: ARLIF(decay=1.5), "decay"),
        (lambda: ARLIF(v_threshold=0.0), "threshold"),
        (lambda: ARLIF(width=0.0), "width"),
        (lambda: LIF(reset="none"), "'hard' or 'soft'"),  # type: ignore[arg-type]
        (lambda: ARLIF()(torch.zeros(0, 3)), "at least one time step"),
        (lambda: ARLIF()(torch.zeros(4, 3, dtype=torch.int32)), "floating-point"),
    ],
)
def test_bad_input_is_named(build, message: str) -> None:
    with pytest.raises(ArlifError, match=message):
        build()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("other", NEURONS)
@pytest.mark.parametrize("name", NEURONS)
def test_only_a_state_of_its_own_kind_is_taken(name: str, other: str, dtype: torch.dtype) -> None:
    """On the kernels (float32) and on the plain loop (float16)."""
    own, stranger = NEURONS[name](), NEURONS[other]()
    x = torch.randn(4, 3, 700).to(dtype).requires_grad_()
    _, state = stranger(x.detach(), return_state=True)
    if type(state) is own.real_neuron().state_type:
        own(x, state).sum().backward()
        assert torch.equal(own(x, list(state)), own(x, state))
    else:
        with pytest.raises(ArlifError, match="state"):
            own(x, state)
        if len(state) != len(own.real_neuron().variables):
            with pytest.raises(ArlifError, match="None to start at 0"):
                own(x, list(state))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("name", NEURONS)
def test_a_state_of_another_shape_is_refused(name: str, dtype: torch.dtype) -> None:
    neuron, x = NEURONS[name](), torch.randn(4, 3, 5).to(dtype)
    for shape in [(1, 5), (2, 5), (3, 5, 1), ()]:
        start = [torch.zeros(shape) for _ in neuron.real_neuron().variables]
        with pytest.raises(ArlifError, match="need states"):
            neuron(x, start)


def test_a_state_does_not_reach_a_kernel_that_reads_more() -> None:
    x, parameters = torch.zeros(2, 3), [torch.ones(()), torch.zeros(())]
    text = standard(RealArlif()).text
    for state, states in [(torch.zeros(1, 3), 0), (torch.zeros(2, 1), 0), (None, 1)]:
        with pytest.raises(ArlifError, match=r"this neuron (takes a state \(2, 3\)|has 2 states)"):
            neuron_op(x, state, parameters, [1.0, 1.0, 0.5], text, states)
