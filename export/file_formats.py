"""Every file format in one table: a new one is a folder with its writer, and a row here.

Loads nothing heavy: the command line reads it for its help.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arlif.artifacts import MODEL, NIR, Artifact
from arlif.base.errors import ArlifError, require
from arlif.base.lazy import named
from arlif.base.options import NoOptions, options_of
from arlif.run_folder import Run
from export.c.c_options import COptions
from export.verilog.verilog_options import VerilogOptions

if TYPE_CHECKING:
    from arlif.core.network import QuantizedNetwork

NET = Artifact("network.net", "export", NIR)
ONNX = Artifact("network.onnx", "export", NIR)
FLOAT_ONNX = Artifact("float.onnx", "export --float", MODEL)
LIF_NIR = Artifact("lif.nir", "export", MODEL)
C = Artifact("c/network.c", "export --c", NIR, editable=True)
VERILOG = Artifact("verilog/network.v", "export --verilog", NIR, editable=True)


@dataclass(frozen=True)
class FileFormat:
    """A file that a run can hold its network in, or the main file of a folder that does.

    artifact: the file. Made from NIR it holds the integers, and writer takes (network, path); made
    from MODEL it holds the trained network, and writer takes (module, path, input_shape).
    writer, reader: functions, each as "module:name". reader, of a file that holds the integers
    without loss: path -> QuantizedNetwork; Lava's and ours can be read back, a graph cannot.
    meaning: for the help, of a file that is only written where it is asked for.
    options: the frozen dataclass of what can be asked of the writer, see arlif.base.options; it is
    the writer's last argument where it is not NoOptions. A writer of a folder writes what lies
    beside the artifact too, the artifact last, and returns what arlif.base.files.write_files does.
    """

    artifact: Artifact
    writer: str
    reader: str = ""
    meaning: str = ""
    options: type = NoOptions

    @property
    def write(self) -> Callable[..., tuple[str, ...] | None]:
        """What writes the file."""
        return named(self.writer)

    def asked(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        """The writer's last arguments: its options, those of `given` that are its own set."""
        own = {known.name for known in options_of(self.options)}
        if self.options is NoOptions:
            return ()
        return (self.options(**{name: value for name, value in given.items() if name in own}),)

    @property
    def flag(self) -> str:
        """What asks for the file on the command line, as --float; empty where it needs nothing."""
        return self.artifact.verb.partition(" ")[2]


FORMATS: dict[str, FileFormat] = {
    "nir": FileFormat(NIR, "export.nir:write_nir", "export.nir:read_nir"),
    "net": FileFormat(NET, "export.lava:write_net", "export.lava:read_net"),
    "onnx": FileFormat(ONNX, "export.onnx:write_onnx"),
    "float": FileFormat(
        FLOAT_ONNX,
        "export.onnx:write_onnx_float",
        meaning="Also the float network, float.onnx.",
    ),
    "lif": FileFormat(LIF_NIR, "export.nir:write_nir_lif"),
    "c": FileFormat(
        C,
        "export.c:write_c",
        meaning="Also a folder of C99 without dependencies, c/.",
        options=COptions,
    ),
    "verilog": FileFormat(
        VERILOG,
        "export.verilog:write_verilog",
        meaning="Also hardware, the folder verilog/.",
        options=VerilogOptions,
    ),
}
"""Every format by name. `arlif export` writes all but the first, which quantization writes."""


def exported(also: tuple[str, ...] = ()) -> list[FileFormat]:
    """What an export writes: every format that needs no flag, and those of these names.

    Raises ArlifError where no flag asks for one of the names.
    """
    offered = {name: f for name, f in FORMATS.items() if f.artifact.verb.split()[0] == "export"}
    asked = [name for name, row in offered.items() if row.flag]
    for name in also:
        require(name in asked, f"{name!r} is no further format; there are {', '.join(asked)}")
    return [row for name, row in offered.items() if not row.flag or name in also]


def require_options(rows: list[FileFormat], given: Mapping[str, Any]) -> None:
    """Raise ArlifError where an option is of none of these formats."""
    known = {known.name for row in rows for known in options_of(row.options)}
    for row in FORMATS.values():
        foreign = [o.flag for o in options_of(row.options) if o.name in given.keys() - known]
        verb = "needs" if len(foreign) == 1 else "need"
        require(not foreign, f"{', '.join(foreign)} {verb} {row.flag}")


def read_integers(run: Run, artifact: Artifact) -> tuple["QuantizedNetwork", Path]:
    """The integers in a run's file, or in what it was made from, and the file that held them.

    Raises ArlifError where the file is missing or damaged, or where there are no integers.
    """
    readers = {row.artifact: row.reader for row in FORMATS.values() if row.reader}
    source: Artifact | None = artifact
    while source is not None and source not in readers:
        source = source.made_from
    if source is None:
        raise ArlifError(f"{artifact.name} is not made from integers; use another file")
    path = run.require(source)
    network: QuantizedNetwork = named(readers[source])(path)
    return network, path
