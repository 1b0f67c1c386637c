"""write_c: a network as a folder of C99 that needs nothing else."""

from pathlib import Path

from arlif.base.files import StrPath, json_text, write_files
from arlif.base.plain_data import to_mapping
from arlif.core.network import QuantizedNetwork
from export.c.c_manifest import NAME
from export.c.c_options import COptions, Style
from export.c.c_project import makefile, readme, selftest
from export.c.dense_style import dense_program
from export.c.network_file import header, manifest, source


def write_c(network: QuantizedNetwork, path: StrPath, options: COptions = COptions()) -> None:
    """Write network.c to a path, with network.h, a self-test and more beside it.

    Raises ArlifError where the options do not suit the network, WriteError.
    """
    program = dense_program(network, f"{options.prefix}_network")
    names = options.prefix
    main = Path(path)
    write_files(
        main.parent,
        {
            "network.h": header(network, program, names),
            NAME: json_text(to_mapping(manifest(network, program, names, Style.DENSE))) + "\n",
            "selftest.c": selftest(network, names, options.vectors),
            "Makefile": makefile(),
            "README.md": readme(network, program, names),
            main.name: source(network, program, names),
        },
    )
