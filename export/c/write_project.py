"""write_c: a network as a folder of C99 that needs nothing else."""

from pathlib import Path

from arlif.base.errors import NetworkError
from arlif.base.files import StrPath, json_text, write_files
from arlif.base.plain_data import to_mapping
from arlif.core.network import QuantizedNetwork
from export.c.c_manifest import NAME
from export.c.c_options import COptions, Style
from export.c.c_project import makefile, ports, readme, selftest
from export.c.choice import can_scatter, should_scatter, styles
from export.c.fused_style import fused_program
from export.c.network_file import header, manifest, source
from export.c.program import Program
from export.c.stepwise_style import stepwise_program
from export.golden import Golden, golden


def write_c(
    network: QuantizedNetwork, path: StrPath, options: COptions = COptions()
) -> tuple[str, ...]:
    """Write network.c to a path, with network.h, a self-test and more beside it; their names.

    Raises ArlifError where the options do not suit the network, WriteError.
    """
    vectors = golden(network, options.vectors)
    program, style, scattered = _program(network, options, vectors)
    names = options.prefix
    main = Path(path)
    return write_files(
        main.parent,
        {
            "network.h": header(network, program, names),
            NAME: json_text(to_mapping(manifest(network, program, names, style))) + "\n",
            "selftest.c": selftest(network, names, vectors),
            "Makefile": makefile(),
            **ports(),
            "README.md": readme(network, program, names, styles(network, style, scattered)),
            main.name: source(network, program, names),
        },
    )


def _program(
    network: QuantizedNetwork, options: COptions, vectors: Golden
) -> tuple[Program, Style, frozenset[int]]:
    """The program, its style, and which projections it scatters."""
    struct = f"{options.prefix}_network"
    none = frozenset[int]()
    if options.style in (Style.AUTO, Style.FUSED):
        try:
            return fused_program(network, struct), Style.FUSED, none
        except NetworkError:
            if options.style is Style.FUSED:
                raise
    scattered = none
    if options.style is Style.AUTO:
        scattered = should_scatter(network, vectors)
    elif options.style is Style.EVENT:
        scattered = can_scatter(network)
    style = Style.EVENT if scattered or options.style is Style.EVENT else Style.DENSE
    return stepwise_program(network, struct, scattered), style, scattered
