"""write_c: a network as a folder of C99 that needs nothing else."""

from pathlib import Path

from arlif.base.errors import NetworkError
from arlif.base.files import StrPath, json_text, write_files
from arlif.base.plain_data import to_mapping
from arlif.core.network import QuantizedNetwork
from export.c.c_manifest import NAME
from export.c.c_options import COptions, Style
from export.c.c_project import makefile, readme, selftest
from export.c.dense_style import dense_program
from export.c.fused_style import fused_program
from export.c.network_file import header, manifest, source
from export.c.program import Program


def write_c(
    network: QuantizedNetwork, path: StrPath, options: COptions = COptions()
) -> tuple[str, ...]:
    """Write network.c to a path, with network.h, a self-test and more beside it; their names.

    Raises ArlifError where the options do not suit the network, WriteError.
    """
    program, style = _program(network, options)
    names = options.prefix
    main = Path(path)
    return write_files(
        main.parent,
        {
            "network.h": header(network, program, names),
            NAME: json_text(to_mapping(manifest(network, program, names, style))) + "\n",
            "selftest.c": selftest(network, names, options.vectors),
            "Makefile": makefile(),
            "README.md": readme(network, program, names),
            main.name: source(network, program, names),
        },
    )


def _program(network: QuantizedNetwork, options: COptions) -> tuple[Program, Style]:
    """The program and its style; auto is fused where that style takes the network, else dense."""
    struct = f"{options.prefix}_network"
    if options.style is Style.DENSE:
        return dense_program(network, struct), Style.DENSE
    try:
        return fused_program(network, struct), Style.FUSED
    except NetworkError:
        if options.style is Style.FUSED:
            raise
        return dense_program(network, struct), Style.DENSE
