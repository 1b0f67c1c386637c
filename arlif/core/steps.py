"""The neuron equations, each written once: engines interpret them, kernels are held to them.

A step takes `ops` (what a number is: arlif.core.ops.Ops), the neuron's constants, its state and the
input current x, and returns (spikes, new state). Nothing here branches on values, so the same lines
run on torch tensors, on numpy integers and on symbols that append nodes to a graph.
"""

from typing import Any, NamedTuple

from arlif.core.ops import Ops, Value

After = tuple[Any, Any]
"""Spikes and new state, in numbers of the kind that the caller gave."""


NEVER: Any = 0
"""The spikes of a neuron that never fires."""


LEAST: Any = 2.0**-126
"""The least normal float32: h - theta reaches it where h > theta, in integers, too (raw 1)."""


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


class SynapticState(NamedTuple):
    """i: synaptic current; u: membrane potential. Both start at 0."""

    i: Value
    u: Value


class PotentialState(NamedTuple):
    """v: membrane potential. Starts at 0."""

    v: Value


class CurrentPotentialState(NamedTuple):
    """i: synaptic current; v: membrane potential. Both start at 0."""

    i: Value
    v: Value


class CubaState(NamedTuple):
    """u: synaptic current; v: membrane potential. Both start at 0."""

    u: Value
    v: Value


def arlif_step(ops: Ops, neuron: Any, state: ArlifState, x: Value) -> tuple[Value, ArlifState]:
    """One time step of the adaptive-reset LIF neuron (arXiv:2507.20746, Eqs. 5-8).

    h = k u + x;  theta = v_threshold + beta tanh(x);  s = [h >= theta], or [h > theta] if strict
    r = r (sigma(alpha x) if r >= 0 else 1 - sigma(alpha x)) + (2 s - 1) sigma(x)
    u = h - s (theta + sigma(r))
    """
    u, r = state
    h = ops.saturate(ops.multiply(u, neuron.decay) + x)
    theta = ops.lookup(neuron.threshold, x)
    s = ops.fire(h - theta, LEAST) if neuron.strict else ops.fire(h, theta)
    drive = ops.lookup(neuron.drive, x)
    push = ops.select(s, drive, -drive)
    if neuron.memory:
        gate = ops.lookup(neuron.gate, x)
        kept = ops.where(r >= 0, gate, 1 - gate)
        push = push + ops.multiply(r, kept)
    r = ops.saturate(push)
    u = ops.saturate(h - ops.select(s, theta + ops.lookup(neuron.reset, r), 0))
    return s, ArlifState(u, r)


def lif_soft_step(ops: Ops, neuron: Any, state: LifState, x: Value) -> tuple[Value, LifState]:
    """One time step of LIF with reset by subtraction: h = k u + x; s = [h >= v]; u = h - s v."""
    h = ops.saturate(ops.multiply(state.u, neuron.decay) + x)
    s = ops.fire(h, neuron.threshold)
    return s, LifState(ops.saturate(h - ops.select(s, neuron.threshold, 0)))


def lif_subtract_step(ops: Ops, neuron: Any, state: LifState, x: Value) -> tuple[Value, LifState]:
    """One time step of LIF that subtracts an amount of its own, as snnTorch's Leaky does.

    h = k u + x;  s = [h >= (v + hold if u >= v else v)];  u = h - s amount
    A subtraction one step late is amount = v / k, hold = 0; one without delay is amount = hold = v.
    Source: snntorch 1.0.0, snntorch._neurons.leaky, reset_mechanism "subtract".
    """
    threshold = neuron.threshold
    h = ops.saturate(ops.multiply(state.u, neuron.decay) + x)
    s = ops.fire(h, ops.where(state.u >= threshold, threshold + neuron.hold, threshold))
    return s, LifState(ops.saturate(h - ops.select(s, neuron.amount, 0)))


def lif_hard_step(ops: Ops, neuron: Any, state: LifState, x: Value) -> tuple[Value, LifState]:
    """One time step of LIF with reset to zero: h = k u + x; s = [h >= v]; u = (1 - s) h."""
    h = ops.saturate(ops.multiply(state.u, neuron.decay) + x)
    s = ops.fire(h, neuron.threshold)
    return s, LifState(ops.select(s, 0, h))


def lif_reset_step(ops: Ops, neuron: Any, state: LifState, x: Value) -> tuple[Value, LifState]:
    """One time step of LIF that leaks and resets to any potential.

    h = k u + x + leak;  s = [h >= v];  u = (1 - s) h + s reset

    It is an Euler step of tau dv/dt = v_leak - v + r I: k = 1 - dt / tau, leak = (1 - k) v_leak,
    x = (1 - k) r I.
    """
    h = ops.saturate(ops.multiply(state.u, neuron.decay) + x + neuron.leak)
    s = ops.fire(h, neuron.threshold)
    return s, LifState(ops.select(s, neuron.reset, h))


def synaptic_step(
    ops: Ops, neuron: Any, state: SynapticState, x: Value
) -> tuple[Value, SynapticState]:
    """One time step of current-based LIF: i = k_i i + x, then lif_reset_step on i.

    The membrane takes the current of this step, as in snnTorch's Synaptic, Norse's LIFCell and
    Loihi.
    """
    i = ops.saturate(ops.multiply(state.i, neuron.current_decay) + x)
    s, after = lif_reset_step(ops, neuron, LifState(state.u), i)
    return s, SynapticState(i, after.u)


def integrator_step(
    ops: Ops, neuron: Any, state: PotentialState, x: Value
) -> tuple[Value, PotentialState]:
    """One time step of a leaky integrator, which never fires: v = k v + x + leak."""
    v = ops.saturate(ops.multiply(state.v, neuron.decay) + x + neuron.leak)
    return NEVER, PotentialState(v)


def synaptic_integrator_step(
    ops: Ops, neuron: Any, state: CurrentPotentialState, x: Value
) -> tuple[Value, CurrentPotentialState]:
    """One time step of a current-based integrator: i = k_i i + x, then integrator_step on i."""
    i = ops.saturate(ops.multiply(state.i, neuron.current_decay) + x)
    s, after = integrator_step(ops, neuron, PotentialState(state.v), i)
    return s, CurrentPotentialState(i, after.v)


def lif_weighted_step(ops: Ops, neuron: Any, state: LifState, x: Value) -> tuple[Value, LifState]:
    """One time step of LIF with reset to zero and a weighted input: h = k u + gain x."""
    return lif_hard_step(ops, neuron, state, ops.multiply(x, neuron.gain))


def clif_step(ops: Ops, neuron: Any, state: ClifState, x: Value) -> tuple[Value, ClifState]:
    """One time step of the complementary LIF neuron (arXiv:2402.04663, Eqs. 8-10).

    h = k u + x;  s = [h >= v];  m = m sigma(h / tau) + s;  u = h - s (v + sigma(m))
    """
    h = ops.saturate(ops.multiply(state.u, neuron.decay) + x)
    s = ops.fire(h, neuron.threshold)
    kept = ops.multiply(state.m, ops.lookup(neuron.gate, h))
    m = ops.saturate(kept + ops.select(s, 1, 0))
    reset = neuron.threshold + ops.lookup(neuron.reset, m)
    return s, ClifState(ops.saturate(h - ops.select(s, reset, 0)), m)


def cuba_step(ops: Ops, neuron: Any, state: CubaState, x: Value) -> tuple[Value, CubaState]:
    """One time step of the current-based LIF of Loihi, as Lava simulates it (integers only).

    u = k_u u + x, wrapped once into (-l - 1, l + 1];  v = k_v v + u + bias, saturated at +-l
    s = [v >= threshold];  v = (1 - s) v          l = neuron.limit, 2**23 - 1;  l + 1 = neuron.edge

    Source: lava-nc 0.10.0, lava.proc.lif.models, subthr_dynamics of AbstractPyLifModelFixed.
    """
    edge, limit = neuron.edge, neuron.limit
    turn = edge + edge
    u = ops.multiply(state.u, neuron.current_decay) + x
    u = ops.saturate(ops.where(edge >= u, ops.where(-u >= edge, u + turn, u), u - turn))
    v = ops.saturate(ops.multiply(state.v, neuron.decay) + u + neuron.bias)
    v = ops.where(v >= limit, limit, ops.where(v >= -limit, v, -limit))
    s = ops.fire(v, neuron.threshold)
    return s, CubaState(u, ops.select(s, 0, v))


def current(ops: Ops, accumulator: Value, gain: Value, bias: Value) -> Any:
    """Input current: x = saturate(round_to_zero(accumulator gain / 2**gain_shift) + bias).

    gain_shift: the factor bits of `ops`.
    """
    return ops.saturate(ops.multiply(accumulator, gain) + bias)
