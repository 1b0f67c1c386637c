"""A finished ONNX file: checked, labelled, written whole or not at all."""

from collections.abc import Mapping, Sequence

import onnx
from onnx import FunctionProto, GraphProto, helper

from arlif.base.files import StrPath, atomic_path
from export.onnx.symbols import DOMAIN, IR_VERSION, OPSET


def save_model(
    graph: GraphProto,
    functions: Sequence[FunctionProto],
    metadata: Mapping[str, str],
    path: StrPath,
) -> None:
    """Check a graph fully, shapes and types included, and write it. Raises ArlifError."""
    model = helper.make_model(
        graph,
        functions=functions,
        producer_name="arlif",
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)]
        + [helper.make_opsetid(DOMAIN, 1) for _ in functions[:1]],
    )
    helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model, full_check=True)
    with atomic_path(path) as temporary:
        onnx.save(model, str(temporary))
