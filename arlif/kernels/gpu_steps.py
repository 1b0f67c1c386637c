"""One time step of each neuron and its gradient as Triton functions: neurons.h, for a GPU.

Every neuron has two state variables here, u and r (m of CLIF); those without carry it unused.
p, q: the learned numbers, q the last. kept: what the gradient of a step needs.
"""

import triton
import triton.language as tl

from arlif.kernels.kinds import Kind

ARLIF: tl.constexpr = tl.constexpr(Kind.ARLIF.value)
ARLIF_WITHOUT_MEMORY: tl.constexpr = tl.constexpr(Kind.ARLIF_WITHOUT_MEMORY.value)
LIF_HARD: tl.constexpr = tl.constexpr(Kind.LIF_HARD.value)
LIF_SUBTRACT: tl.constexpr = tl.constexpr(Kind.LIF_SUBTRACT.value)
LIF_WEIGHTED: tl.constexpr = tl.constexpr(Kind.LIF_WEIGHTED.value)
CLIF: tl.constexpr = tl.constexpr(Kind.CLIF.value)


@triton.jit
def step(x, u, r, threshold, decay, p, q, KIND: tl.constexpr):
    """(spikes, u, r, kept) after input current x."""
    h = decay * u + x
    if KIND == ARLIF or KIND == ARLIF_WITHOUT_MEMORY:
        alpha, beta = p, q
        drive = tl.sigmoid(x)
        tanh = 2 * tl.sigmoid(2 * x) - 1
        v = h - (threshold + beta * tanh)
        fired = v >= 0
        push = tl.where(fired, drive, -drive)
        gate, slope = drive, drive
        if KIND == ARLIF:
            exponent = alpha * x
            small = tl.exp(-tl.abs(exponent))
            larger = 1 / (1 + small)
            smaller = small * larger  # 1 - larger, but nothing cancels
            gate = tl.where(tl.where(r >= 0, exponent, -exponent) >= 0, larger, smaller)
            slope = r * larger * smaller
            push += r * gate
        reset = tl.sigmoid(push)
        kept = (v, drive, tanh, reset, gate, slope)
        u = tl.where(fired, v - reset, h)
        r = push
    elif KIND == CLIF:
        v = h - threshold
        fired = v >= 0
        gate = tl.sigmoid((1 - decay) * h)
        m = r * gate + tl.where(fired, 1.0, 0.0)
        reset = tl.sigmoid(m)
        kept = (v, gate, reset, r)
        u = tl.where(fired, v - reset, h)
        r = m
    else:
        before = u
        if KIND == LIF_WEIGHTED:
            h = p * u + q * x
        v = h - threshold
        fired = v >= 0
        removed = tl.zeros_like(h) + threshold
        if KIND == LIF_SUBTRACT:
            removed = tl.zeros_like(h) + q
        left = h - removed
        if KIND == LIF_HARD or KIND == LIF_WEIGHTED:
            removed = h
            left = tl.zeros_like(h)  # infinity less infinity would be no number
        kept = (v, removed, before)
        u = tl.where(fired, left, h)
    return tl.where(fired, 1.0, 0.0), u, r, kept


@triton.jit
def _surrogate(v, of_spike, width):
    return tl.where(tl.abs(v) <= width / 2, of_spike / width, 0.0)


@triton.jit
def gradient(x, of_spike, kept, of_u, of_r, width, threshold, decay, p, q, KIND: tl.constexpr):
    """Gradients of x, of u and r before the step, and what the step adds to those of p and q."""
    v = kept[0]
    fired = v >= 0
    of_p = tl.zeros_like(v)
    of_q = tl.zeros_like(v)
    if KIND == ARLIF or KIND == ARLIF_WITHOUT_MEMORY:
        alpha, beta = p, q
        drive, tanh, reset, gate, slope = kept[1], kept[2], kept[3], kept[4], kept[5]
        lost = tl.where(fired, of_u, 0.0)
        of_push = of_r - lost * reset * (1 - reset)
        taken = threshold + beta * tanh + reset
        of_v = _surrogate(v, of_spike - of_u * taken + 2 * of_push * drive, width)
        of_theta = -(lost + of_v)
        of_h = of_u + of_v
        of_x = of_h + of_theta * beta * (1 - tanh * tanh)
        of_x += tl.where(fired, of_push, -of_push) * drive * (1 - drive)
        of_q += of_theta * tanh
        of_r = tl.zeros_like(v)
        if KIND == ARLIF:
            of_exponent = of_push * tl.abs(slope)
            of_x += alpha * of_exponent
            of_p += of_exponent * x
            of_r = of_push * gate
    elif KIND == CLIF:
        gate, reset, m = kept[1], kept[2], kept[3]
        of_m = of_r - tl.where(fired, of_u, 0.0) * reset * (1 - reset)
        of_v = _surrogate(v, of_spike - of_u * (threshold + reset) + of_m, width)
        of_h = of_u + of_v + (1 - decay) * (of_m * m * gate * (1 - gate))
        of_x = of_h
        of_r = of_m * gate
    else:
        lost = tl.where(fired, of_u, 0.0)
        of_h = of_u + _surrogate(v, of_spike - of_u * kept[1], width)
        if KIND == LIF_HARD or KIND == LIF_WEIGHTED:
            of_h -= lost
        if KIND == LIF_SUBTRACT:
            of_q -= lost
        of_x = of_h
        if KIND == LIF_WEIGHTED:
            decay = p
            of_p += of_h * kept[2]
            of_q += of_h * x
            of_x = q * of_h
    return of_x, decay * of_h, of_r, of_p, of_q
