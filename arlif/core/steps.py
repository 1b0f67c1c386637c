"""The neuron equations, each written once: engines interpret them, kernels are held to them.

A step takes `ops` (what a number is: arlif.core.ops.Ops), the neuron's constants, its state and the
input current x, and returns (spikes, new state). Nothing here branches on values, so the same lines
run on torch tensors, on numpy integers and on symbols that append nodes to a graph.
"""

from typing import Any, ClassVar, NamedTuple

from arlif.core.ops import Ops, Value

After = tuple[Any, Any]
"""Spikes and new state, in numbers of the kind that the caller gave."""


class ArlifState(NamedTuple):
    """u: membrane potential; r: adaptive reset memory. Both start at 0."""

    u: Value
    r: Value


class LifState(NamedTuple):
    """u: membrane potential. Starts at 0."""

    u: Value


class ClifState(NamedTuple):
    """u: membrane potential; m: complementary potential. Both start at 0."""

    u: Value
    m: Value


class CubaState(NamedTuple):
    """u: synaptic current; v: membrane potential. Both start at 0."""

    u: Value
    v: Value


class Stateful:
    """Mixin of every neuron, integer or real: which state its step takes and returns."""

    state_type: ClassVar[type[Any]] = LifState

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the state variables, in the order of the state."""
        return self.state_type._fields

    def initial_state(self, zeros: Value) -> Any:
        """The state before the first step, every variable equal to `zeros`."""
        return self.state_type(*(zeros for _ in self.variables))

    def step(self, ops: Ops, state: Any, x: Value) -> After:
        """One time step on `ops`: (spikes, new state)."""
        raise NotImplementedError


def arlif_step(ops: Ops, neuron: Any, state: ArlifState, x: Value) -> tuple[Value, ArlifState]:
    """One time step of the adaptive-reset LIF neuron (arXiv:2507.20746, Eqs. 5-8).

    h = k u + x;  theta = v_threshold + beta tanh(x);  s = [h >= theta]
    r = r (sigma(alpha x) if r >= 0 else 1 - sigma(alpha x)) + (2 s - 1) sigma(x)
    u = h - s (theta + sigma(r))
    """
    u, r = state
    h = ops.saturate(ops.multiply(u, neuron.decay, neuron.factor_bits) + x)
    theta = ops.lookup(neuron.threshold, x)
    s = ops.fire(h, theta)
    drive = ops.lookup(neuron.drive, x)
    push = ops.select(s, drive, -drive)
    if neuron.memory:
        gate = ops.lookup(neuron.gate, x)
        kept = ops.where(r >= 0, gate, neuron.one - gate)
        push = push + ops.multiply(r, kept, neuron.factor_bits)
    r = ops.saturate(push)
    u = ops.saturate(h - ops.select(s, theta + ops.lookup(neuron.reset, r), 0))
    return s, ArlifState(u, r)


def lif_soft_step(ops: Ops, neuron: Any, state: LifState, x: Value) -> tuple[Value, LifState]:
    """One time step of LIF with reset by subtraction: h = k u + x; s = [h >= v]; u = h - s v."""
    h = ops.saturate(ops.multiply(state.u, neuron.decay, neuron.factor_bits) + x)
    s = ops.fire(h, neuron.threshold)
    return s, LifState(ops.saturate(h - ops.select(s, neuron.threshold, 0)))


def lif_subtract_step(ops: Ops, neuron: Any, state: LifState, x: Value) -> tuple[Value, LifState]:
    """One time step of LIF that subtracts an amount of its own, as snnTorch's Leaky does.

    h = k u + x;  s = [h - hold [u >= v] >= v];  u = h - s amount
    A subtraction one step late is amount = v / k, hold = 0; one without delay is amount = hold = v.
    Source: snntorch 1.0.0, snntorch._neurons.leaky, reset_mechanism "subtract".
    """
    h = ops.saturate(ops.multiply(state.u, neuron.decay, neuron.factor_bits) + x)
    s = ops.fire(ops.where(state.u >= neuron.threshold, h - neuron.hold, h), neuron.threshold)
    return s, LifState(ops.saturate(h - ops.select(s, neuron.amount, 0)))


def lif_hard_step(ops: Ops, neuron: Any, state: LifState, x: Value) -> tuple[Value, LifState]:
    """One time step of LIF with reset to zero: h = k u + x; s = [h >= v]; u = (1 - s) h."""
    h = ops.saturate(ops.multiply(state.u, neuron.decay, neuron.factor_bits) + x)
    s = ops.fire(h, neuron.threshold)
    return s, LifState(ops.select(s, 0, h))


def clif_step(ops: Ops, neuron: Any, state: ClifState, x: Value) -> tuple[Value, ClifState]:
    """One time step of the complementary LIF neuron (arXiv:2402.04663, Eqs. 8-10).

    h = k u + x;  s = [h >= v];  m = m sigma(h / tau) + s;  u = h - s (v + sigma(m))
    """
    h = ops.saturate(ops.multiply(state.u, neuron.decay, neuron.factor_bits) + x)
    s = ops.fire(h, neuron.threshold)
    kept = ops.multiply(state.m, ops.lookup(neuron.gate, h), neuron.factor_bits)
    m = ops.saturate(kept + ops.select(s, neuron.one, 0))
    reset = neuron.threshold + ops.lookup(neuron.reset, m)
    return s, ClifState(ops.saturate(h - ops.select(s, reset, 0)), m)


def cuba_step(ops: Ops, neuron: Any, state: CubaState, x: Value) -> tuple[Value, CubaState]:
    """One time step of the current-based LIF of Loihi, as Lava simulates it (integers only).

    u = k_u u + x, wrapped once into (-l - 1, l + 1];  v = k_v v + u + bias, saturated at +-l
    s = [v >= threshold];  v = (1 - s) v                           l = neuron.limit, 2**23 - 1

    Source: lava-nc 0.10.0, lava.proc.lif.models, subthr_dynamics of AbstractPyLifModelFixed.
    """
    limit = neuron.limit
    turn = 2 * (limit + 1)
    u = ops.multiply(state.u, neuron.current_decay, neuron.factor_bits) + x
    u = ops.where(u >= limit + 2, u - turn, ops.where(-u >= limit + 1, u + turn, u))
    u = ops.saturate(u)
    v = ops.saturate(ops.multiply(state.v, neuron.decay, neuron.factor_bits) + u + neuron.bias)
    v = ops.where(v >= limit, limit, ops.where(v >= -limit, v, -limit))
    s = ops.fire(v, neuron.threshold)
    return s, CubaState(u, ops.select(s, 0, v))


def current(ops: Ops, accumulator: Value, gain: Value, gain_shift: int, bias: Value) -> Any:
    """Input current: x = saturate(round_to_zero(accumulator gain / 2**gain_shift) + bias)."""
    return ops.saturate(ops.multiply(accumulator, gain, gain_shift) + bias)
