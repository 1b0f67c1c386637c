"""Scalars for TensorBoard, on the disk when a call returns: where there is no room, it says so."""

import io
import os
import time
from collections.abc import Mapping
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.summary.writer.record_writer import RecordWriter

from arlif.base.errors import WriteError


class Scalars:
    """An event file in `folder`; TensorBoard forgets what older files say of `first_step` on.

    torch's SummaryWriter writes in a thread, whose failure no caller can catch.
    Raises WriteError where the file cannot be written.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        self.path = folder / f"events.out.tfevents.{time.time_ns()}.{os.getpid()}"
        version = Event(wall_time=time.time(), file_version="brain.Event:2")
        start = SessionLog(status=SessionLog.START)
        self._write(version, Event(wall_time=time.time(), step=first_step, session_log=start))

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Append the values of a step."""
        named = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        self._write(Event(wall_time=time.time(), step=step, summary=Summary(value=named)))

    def add_text(self, name: str, text: str) -> None:
        """Append a text, which TensorBoard shows as Markdown."""
        value = Summary.Value(
            tag=f"{name}/text_summary",
            metadata=SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text")),
            tensor=TensorProto(
                dtype=DT_STRING,
                string_val=[text.encode()],
                tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)]),
            ),
        )
        self._write(Event(wall_time=time.time(), summary=Summary(value=[value])))

    def _write(self, *events: Event) -> None:
        records = io.BytesIO()
        for event in events:
            RecordWriter(records).write(event.SerializeToString())
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(records.getvalue())
        except OSError as error:
            raise WriteError(f"cannot write {self.path}: {error.strerror}", error.errno) from None
