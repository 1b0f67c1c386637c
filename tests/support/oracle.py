"""Scalar oracles in plain Python, written from the equations; they import nothing of arlif."""

import math


def towards_zero(numerator: int, denominator: int) -> int:
    quotient = abs(numerator) // denominator
    return quotient if numerator >= 0 else -quotient


def clip(value: int, low: int, high: int) -> int:
    return max(low, min(high, value))


def read(values: list[int], low: int, shift: int, x: int) -> int:
    last = low + len(values) * 2**shift - 1
    return values[(clip(x, low, last) - low) // 2**shift]


def sigma(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0 else math.exp(x) / (1.0 + math.exp(x))


def arlif_float(
    xs: list[float],
    alpha: float = 1.0,
    beta: float = 0.0,
    memory: bool = True,
    strict: bool = False,
) -> list[tuple[int, float, float]]:
    """(s, u, r) at every step for the currents xs; the decay is 0.5, the threshold at rest 1."""
    u = r = 0.0
    history = []
    for x in xs:
        h = 0.5 * u + x
        theta = 1.0 + beta * math.tanh(x)
        s = 1 if h > theta or (h == theta and not strict) else 0
        if not memory:
            r = 0.0
        r = r * (sigma(alpha * x) if r >= 0 else 1.0 - sigma(alpha * x))
        r += (2 * s - 1) * sigma(x)
        u = h - s * (theta + sigma(r))
        history.append((s, u, r))
    return history


def sampled(function, entries, low, high, frac_bits, output_one) -> tuple[list[int], int, int]:
    """(values, low, shift) of a table of `entries` cells over [low, high)."""
    first = int(low * 2**frac_bits)
    width = int((high - low) * 2**frac_bits) // entries
    values = []
    for cell in range(entries):
        inputs = range(first + cell * width, first + (cell + 1) * width)
        centre = sum(inputs) / len(inputs) / 2**frac_bits
        values.append(round(function(centre) * output_one))
    return values, first, width.bit_length() - 1


def arlif_integer(
    xs: list[int],
    bits: int,
    factor_bits: int,
    decay: int,
    tables: dict[str, tuple[list[int], int, int]],
    memory: bool = True,
    strict: bool = False,
) -> list[tuple[int, int, int]]:
    """(s, u, r) at every step for raw currents xs; tables are (values, low, shift)."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    one = 2**factor_bits
    u = r = 0
    history = []
    for x in xs:
        h = clip(towards_zero(u * decay, one) + x, low, high)
        theta = read(*tables["threshold"], x)
        s = 1 if h > theta or (h == theta and not strict) else 0
        drive = read(*tables["drive"], x)
        kept = 0
        if memory:
            gate = read(*tables["gate"], x)
            kept = towards_zero(r * (gate if r >= 0 else one - gate), one)
        r = clip(kept + (drive if s else -drive), low, high)
        u = clip(h - ((theta + read(*tables["reset"], r)) if s else 0), low, high)
        history.append((s, u, r))
    return history


def lif_integer(
    xs: list[int], bits: int, factor_bits: int, decay: int, threshold: int, hard: bool
) -> list[tuple[int, int]]:
    """(s, u) at every step for raw currents xs."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    u = 0
    history = []
    for x in xs:
        h = clip(towards_zero(u * decay, 2**factor_bits) + x, low, high)
        s = 1 if h >= threshold else 0
        if s:
            h = 0 if hard else clip(h - threshold, low, high)
        u = h
        history.append((s, u))
    return history


def input_current(acc: int, gain: int, gain_shift: int, bias: int, bits: int) -> int:
    """The current of an accumulator in a state format of `bits`."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return clip(towards_zero(acc * gain, 2**gain_shift) + bias, low, high)


def lif_subtract_integer(
    xs: list[int], bits: int, factor_bits: int, decay: int, threshold: int, amount: int, hold: int
) -> list[tuple[int, int]]:
    """(s, u) at every step for raw currents xs."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    u = 0
    history = []
    for x in xs:
        held = hold if u >= threshold else 0
        h = clip(towards_zero(u * decay, 2**factor_bits) + x, low, high)
        s = 1 if h - held >= threshold else 0
        u = clip(h - amount, low, high) if s else h
        history.append((s, u))
    return history


def cuba_integer(
    xs: list[int],
    bits: int,
    factor_bits: int,
    current_decay: int,
    decay: int,
    threshold: int,
    bias: int,
) -> list[tuple[int, int, int]]:
    """(s, u, v) at every step for raw currents xs; registers are a bit narrower than `bits`."""
    limit, one = 2 ** (bits - 2) - 1, 2**factor_bits
    u = v = 0
    history = []
    for x in xs:
        u = towards_zero(u * current_decay, one) + x
        if u > limit + 1:
            u -= 2 * (limit + 1)
        elif u <= -(limit + 1):
            u += 2 * (limit + 1)
        u = clip(u, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        v = clip(towards_zero(v * decay, one) + u + bias, -limit, limit)
        s = 1 if v >= threshold else 0
        v = 0 if s else v
        history.append((s, u, v))
    return history


def lif_weighted_integer(
    xs: list[int], bits: int, factor_bits: int, decay: int, threshold: int, gain: int
) -> list[tuple[int, int]]:
    """(s, u) at every step for raw currents xs; the gain acts before the membrane."""
    weighted = [towards_zero(x * gain, 2**factor_bits) for x in xs]
    return lif_integer(weighted, bits, factor_bits, decay, threshold, hard=True)


def clif_integer(
    xs: list[int],
    bits: int,
    factor_bits: int,
    spike: int,
    decay: int,
    threshold: int,
    tables: dict[str, tuple[list[int], int, int]],
) -> list[tuple[int, int, int]]:
    """(s, u, m) at every step for raw currents xs; a spike adds the raw value `spike` to m."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    u = m = 0
    history = []
    for x in xs:
        h = clip(towards_zero(u * decay, 2**factor_bits) + x, low, high)
        s = 1 if h >= threshold else 0
        m = clip(towards_zero(m * read(*tables["gate"], h), 2**factor_bits) + s * spike, low, high)
        u = clip(h - threshold - read(*tables["reset"], m), low, high) if s else h
        history.append((s, u, m))
    return history


def adaptive_integer(
    xs: list[int],
    bits: int,
    factor_bits: int,
    one: int,
    decay: int,
    strength: int,
    kept: tuple[list[int], int, int],
) -> list[tuple[int, int, int]]:
    """(s, u, a) at every step of support.user_neurons.Adaptive; `one` is the raw state 1.0."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    u = a = 0
    history = []
    for x in xs:
        h = clip(towards_zero(u * decay, 2**factor_bits) + x, low, high)
        theta = one + towards_zero(a * strength, 2**factor_bits)
        s = 1 if h >= theta else 0
        a = clip(towards_zero(a * read(*kept, a), 2**factor_bits) + s * one, low, high)
        u = clip(h - theta, low, high) if s else h
        history.append((s, u, a))
    return history
