"""docs/numerics.md is the specification: its tables run on the arithmetic of every backend."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import helper
from support.places import DOCS

from arlif.arithmetic.integer import TorchIntegerOps
from arlif.arithmetic.straight_through import QatOps, TrainableTable
from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import PRESETS
from arlif.core.ops import IntegerOps
from arlif.core.real_neurons import Sigmoid
from arlif.core.tables import LookupTable
from export.onnx.interpreters import OnnxIntegerOps
from export.onnx.symbols import IR_VERSION, OPSET, Graph, Symbol, value_info

TEXT = (DOCS / "numerics.md").read_text(encoding="utf-8")
TABLE = LookupTable(np.arange(16), low=-32, shift=2)
Operation = Callable[..., Any]
"""Of ops, the table as they know it, and values."""


def rows(name: str) -> list[tuple[int, ...]]:
    block = re.search(rf"<!-- table: {name} -->\n(.*?)\n\n", TEXT, re.DOTALL)
    assert block, f"docs/numerics.md has no table {name}"
    lines = block[1].splitlines()[2:]
    assert lines
    return [tuple(int(cell) for cell in line.strip("|").split("|")) for line in lines]


def evaluate_in_numpy(state: FixedPointFormat, operation: Operation, *values: int) -> int:
    return int(operation(IntegerOps(state), TABLE, *map(np.int32, values)))


def evaluate_in_torch(state: FixedPointFormat, operation: Operation, *values: int) -> int:
    tensors = torch.tensor(values, dtype=torch.int32).view(-1, 1)
    return int(operation(TorchIntegerOps(state, torch.device("cpu")), TABLE, *tensors))


def evaluate_in_training(state: FixedPointFormat, operation: Operation, *values: int) -> int:
    tensors = torch.tensor(values, dtype=torch.float64).view(-1, 1)
    with torch.no_grad():
        result = operation(QatOps(state, 1.0), TrainableTable(TABLE, Sigmoid(), 1), *tensors)
    return int(result)


def evaluate_in_onnx(state: FixedPointFormat, operation: Operation, *values: int) -> int:
    graph = Graph("", np.int64)
    names = [f"x{n}" for n in range(len(values))]
    result = operation(OnnxIntegerOps(graph, state), TABLE, *(Symbol(graph, n) for n in names))
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
        return ops.multiply(value, factor, factor_bits)

    assert evaluate(FixedPointFormat(), multiply, value, factor) == result


@every_backend
@pytest.mark.parametrize(("bits", "value", "result"), rows("saturate"))
def test_saturate(evaluate, bits: int, value: int, result: int) -> None:
    state = FixedPointFormat(bits, bits // 2)
    assert evaluate(state, lambda ops, table, value: ops.saturate(value), value) == result


@every_backend
@pytest.mark.parametrize(("h", "theta", "spike"), rows("fire"))
def test_fire(evaluate, h: int, theta: int, spike: int) -> None:
    def fire(ops: Any, table: Any, h: Any, theta: Any) -> Any:
        return ops.fire(h, theta)

    assert evaluate(FixedPointFormat(), fire, h, theta) == spike


@every_backend
@pytest.mark.parametrize(("x", "result"), rows("lookup"))
def test_lookup(evaluate, x: int, result: int) -> None:
    def lookup(ops: Any, table: Any, x: Any) -> Any:
        return ops.lookup(table, x)

    assert evaluate(FixedPointFormat(), lookup, x) == result


def test_presets() -> None:
    for name, numbers in PRESETS.items():
        state = numbers.state_format
        assert (
            f"| `{name}` | {state.bits} bits, {state.frac_bits} fractional "
            f"| {numbers.factor_bits} fractional bits | {numbers.tables.entries} entries over "
            f"[{numbers.tables.low:.0f}, {numbers.tables.high:.0f}) |"
        ) in TEXT
