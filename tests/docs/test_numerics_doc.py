"""docs/numerics.md is the specification: its tables run on the arithmetic of every backend."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import helper
from support.places import DOCS
from torch import nn

from arlif import layers
from arlif.arithmetic.integer import TorchIntegerOps
from arlif.arithmetic.straight_through import QatOps, TrainableTable, state_type
from arlif.arithmetic.surrogates import STANDARD
from arlif.core.formats import FixedPointFormat, nearest_integer
from arlif.core.integer_neurons import PRESETS
from arlif.core.network import Input
from arlif.core.ops import IntegerOps
from arlif.core.steps import CubaState, cuba_step
from arlif.core.tables import LookupTable
from arlif.quantize import Precision, QatNetwork, linearize
from export.onnx.interpreters import OnnxIntegerOps
from export.onnx.symbols import IR_VERSION, OPSET, Graph, Symbol, value_info

TEXT = (DOCS / "numerics.md").read_text(encoding="utf-8")
TABLE = LookupTable(np.arange(16), low=-32, shift=2)
Operation = Callable[..., Any]
"""Of ops, the table as they know it, and values."""


@dataclass(frozen=True)
class Rule:
    """The arithmetic that a table of the page is about."""

    state: FixedPointFormat = FixedPointFormat()
    factor_bits: int = 8


def rows(name: str, read: Callable[[str], Any] = int) -> list[tuple[Any, ...]]:
    block = re.search(rf"<!-- table: {name} -->\n(.*?)\n\n", TEXT, re.DOTALL)
    assert block, f"docs/numerics.md has no table {name}"
    lines = block[1].splitlines()[2:]
    assert lines
    return [tuple(read(cell) for cell in line.strip(" |").split("|")) for line in lines]


def evaluate_in_numpy(rule: Rule, operation: Operation, *values: int) -> int:
    return int(operation(IntegerOps(rule.state, rule.factor_bits), TABLE, *map(np.int32, values)))


def evaluate_in_torch(rule: Rule, operation: Operation, *values: int) -> int:
    tensors = torch.tensor(values, dtype=torch.int32).view(-1, 1)
    ops = TorchIntegerOps(rule.state, rule.factor_bits, torch.device("cpu"))
    return int(operation(ops, TABLE, *tensors))


def evaluate_in_training(rule: Rule, operation: Operation, *values: int) -> int:
    tensors = torch.tensor(values, dtype=torch.float64).view(-1, 1)
    table = TrainableTable(TABLE, lambda ops, x: ops.sigmoid(x), 1)
    with torch.no_grad():
        return int(operation(QatOps(rule.state, rule.factor_bits, STANDARD), table, *tensors))


def evaluate_in_onnx(rule: Rule, operation: Operation, *values: int) -> int:
    graph = Graph("", np.int64)
    names = [f"x{n}" for n in range(len(values))]
    result = operation(
        OnnxIntegerOps(graph, rule.state, rule.factor_bits),
        TABLE,
        *(Symbol(graph, n) for n in names),
    )
    graph.named(result.cast(np.int64), "result")
    proto = graph.proto(
        [value_info(name, np.int64, [1]) for name in names], [value_info("result", np.int64, [1])]
    )
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(proto, opset_imports=opsets, ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    feed = {name: np.array([value]) for name, value in zip(names, values, strict=True)}
    return int(session.run(None, feed)[0].item())


every_backend = pytest.mark.parametrize(
    "evaluate",
    [evaluate_in_numpy, evaluate_in_torch, evaluate_in_training, evaluate_in_onnx],
    ids=lambda function: function.__name__.rpartition("_")[2],
)


@every_backend
@pytest.mark.parametrize(("value", "factor", "factor_bits", "result"), rows("multiply"))
def test_multiply(evaluate, value: int, factor: int, factor_bits: int, result: int) -> None:
    def multiply(ops: Any, table: Any, value: Any, factor: Any) -> Any:
        return ops.multiply(value, factor)

    assert evaluate(Rule(factor_bits=factor_bits), multiply, value, factor) == result


@pytest.mark.parametrize(("value", "factor", "factor_bits", "result"), rows("multiply"))
def test_multiply_in_the_type_that_training_chooses(
    value: int, factor: int, factor_bits: int, result: int
) -> None:
    """The narrowest format that holds the value decides, float32 as well as float64."""
    bits = max(4, (value if value >= 0 else -value - 1).bit_length() + 1)
    dtype = torch.float64  # accumulators, which no state format holds
    if bits <= 30:
        dtype = state_type(FixedPointFormat(bits, 0), factor_bits)
    numbers = torch.tensor([value, factor], dtype=dtype)
    with torch.no_grad():
        assert int(QatOps(FixedPointFormat(), factor_bits, STANDARD).multiply(*numbers)) == result


def test_training_chooses_both_types() -> None:
    """A product of 24 bits beside the sign is the last that float32 holds."""
    assert state_type(FixedPointFormat(17, 8), 8) == torch.float32
    assert state_type(FixedPointFormat(18, 8), 8) == torch.float64
    assert state_type(FixedPointFormat(4, 0), 16) == torch.float32


@pytest.mark.parametrize(("value", "low", "high", "raw"), rows("quantize", float))
def test_quantize(value: float, low: float, high: float, raw: float) -> None:
    assert nearest_integer(value, int(low), int(high)) == raw


@pytest.mark.parametrize(("value", "low", "high", "raw"), rows("quantize", float))
def test_inputs_are_quantized_so(value: float, low: float, high: float, raw: float) -> None:
    """In numpy, and by the network that trains."""
    if low < -127 or high > 127:
        low, high = max(low, -127), min(high, 127)
        raw = min(max(raw, low), high)
    source = Input((1,), 0.25, int(low), int(high), static=False)
    real = np.full((1, 1, 1), value / 4)
    assert source.encode(real).item() == raw
    net = nn.Sequential(layers.Linear(1, 1, bias=False))
    nn.init.ones_(net[0].weight)
    trained = QatNetwork(linearize(net, (1,)), source, Precision(), 1)
    assert trained(torch.tensor(real)).item() / 0.25 == pytest.approx(raw, rel=1e-6)


@every_backend
@pytest.mark.parametrize(("bits", "value", "result"), rows("saturate"))
def test_saturate(evaluate, bits: int, value: int, result: int) -> None:
    rule = Rule(FixedPointFormat(bits, bits // 2))
    assert evaluate(rule, lambda ops, table, value: ops.saturate(value), value) == result


@every_backend
@pytest.mark.parametrize(("h", "theta", "spike"), rows("fire"))
def test_fire(evaluate, h: int, theta: int, spike: int) -> None:
    def fire(ops: Any, table: Any, h: Any, theta: Any) -> Any:
        return ops.fire(h, theta)

    assert evaluate(Rule(), fire, h, theta) == spike


@every_backend
@pytest.mark.parametrize(("u", "v", "x", "bias", "next_u", "next_v", "spike"), rows("cuba"))
def test_cuba(
    evaluate, u: int, v: int, x: int, bias: int, next_u: int, next_v: int, spike: int
) -> None:
    limit = 2**23 - 1

    def answer(which: int) -> Operation:
        def step(ops: Any, table: Any, u: Any, v: Any, x: Any, bias: Any) -> Any:
            constants = {"current_decay": 2048, "decay": 2048, "bias": bias, "edge": limit + 1}
            neuron = SimpleNamespace(limit=limit, threshold=limit, **constants)
            fired, state = cuba_step(ops, neuron, CubaState(u, v), x)
            return (*state, fired)[which]

        return step

    rule = Rule(FixedPointFormat(25, 6), factor_bits=12)
    got = [evaluate(rule, answer(which), u, v, x, bias) for which in range(3)]
    assert got == [next_u, next_v, spike]


@every_backend
@pytest.mark.parametrize(("x", "result"), rows("lookup"))
def test_lookup(evaluate, x: int, result: int) -> None:
    def lookup(ops: Any, table: Any, x: Any) -> Any:
        return ops.lookup(table, x)

    assert evaluate(Rule(), lookup, x) == result


def test_presets() -> None:
    for name, numbers in PRESETS.items():
        state = numbers.state_format
        assert (
            f"| `{name}` | {state.bits} bits, {state.frac_bits} fractional "
            f"| {numbers.factor_bits} fractional bits | {numbers.tables.entries} entries over "
            f"[{numbers.tables.low:.0f}, {numbers.tables.high:.0f}) |"
        ) in TEXT
