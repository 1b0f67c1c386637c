"""A finished ONNX file: checked, labelled, written whole or not at all."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

import onnx
from onnx import FunctionProto, GraphProto, ModelProto, NodeProto, helper

from arlif.base.files import StrPath, atomic_path
from export.onnx.symbols import DOMAIN, IR_VERSION, OPSET

DIGEST = "sha256"
"""The metadata that says what the whole file hashes to."""
UNKNOWN = "0" * 64
"""What stands there while that is computed."""


def digest_of(content: bytes, noted: str) -> str:
    """SHA-256 of a file in which `noted`, its last place, counts as UNKNOWN."""
    before, _, after = content.rpartition(noted.encode())
    return sha256(before + UNKNOWN.encode() + after).hexdigest()


def strange_control(content: bytes) -> list[str]:
    """Operators with graphs inside and functions that no integer file of ours has.

    They may run for ever. Ours have Scan, none within another, and no function. Raises whatever
    protobuf does on any other file.
    """
    model = onnx.load_from_string(content)
    outer = [node for node in model.graph.node if _bodies(node)]
    inner = [node for scan in outer for body in _bodies(scan) for node in body.node]
    strange = [node for node in outer if node.op_type != "Scan"] + [*filter(_bodies, inner)]
    return [node.op_type for node in strange] + [function.name for function in model.functions]


def _bodies(node: NodeProto) -> list[GraphProto]:
    return [graph for held in node.attribute for graph in (held.g, *held.graphs) if graph.node]


def with_digest(model: ModelProto) -> bytes:
    """A model as a file that says in its metadata what it hashes to."""
    known = {entry.key: entry.value for entry in model.metadata_props}
    helper.set_model_props(model, {**known, DIGEST: UNKNOWN})
    content = model.SerializeToString()
    before, _, after = content.rpartition(UNKNOWN.encode())
    return before + digest_of(content, UNKNOWN).encode() + after


def save_model(
    graph: GraphProto,
    functions: Sequence[FunctionProto],
    metadata: Mapping[str, str],
    path: StrPath,
) -> None:
    """Check a graph fully, shapes and types included, and write it, with its digest.

    Raises ArlifError.
    """
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
        temporary.write_bytes(with_digest(model))
