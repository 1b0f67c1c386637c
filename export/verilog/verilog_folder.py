"""write_verilog: a network as a folder of Verilog-2005 that needs nothing else."""

from math import prod
from pathlib import Path

from arlif.base.errors import NetworkError, require
from arlif.base.files import StrPath, json_text, write_files
from arlif.core.network import INPUT, QuantizedNetwork
from arlif.core.nodes import Projection
from export.golden import golden
from export.verilog.for_chip import laid_out
from export.verilog.manifest import NAME, manifest, manifest_tree
from export.verilog.placement import Plan
from export.verilog.plan import planned
from export.verilog.project import CONSTRAINTS, makefile, readme
from export.verilog.testbench import testbench, vectors
from export.verilog.top import network_text
from export.verilog.verilog_options import VerilogOptions

LIBRARY = Path(__file__).parent / "library"
"""Modules that every network shares, written by hand."""
MOST_BITS = 1 << 26
"""Bits of weights and delays: more than the block memory of mid-size devices, some 5 to 60 Mbit."""


def write_verilog(
    network: QuantizedNetwork, path: StrPath, options: VerilogOptions = VerilogOptions()
) -> tuple[str, ...]:
    """Write network.v to a path, with its library, memories and more beside it; their names.

    Raises NetworkError where the network has what Verilog cannot take yet, or is too large;
    WriteError.
    """
    _require_size(network)
    plan = plan_for(network, options)
    known = golden(network, options.vectors)
    main = Path(path)
    library = sorted(LIBRARY.glob("*.v"))
    held = vectors(plan, known)
    return write_files(
        main.parent,
        {
            **{f"lib/{part.name}": part.read_text(encoding="utf-8") for part in library},
            **{name: memory.text() for name, memory in (plan.memories | held).items()},
            **CONSTRAINTS,
            "tb.v": testbench(plan, options.vectors, held),
            "Makefile": makefile(),
            "README.md": readme(plan),
            NAME: json_text(manifest_tree(manifest(plan))) + "\n",
            main.name: network_text(plan),
        },
    )


def plan_for(network: QuantizedNetwork, options: VerilogOptions) -> Plan:
    """How a network is laid out. Raises NetworkError where it does not fit."""
    if options.fpga:
        return laid_out(network, options.fpga, options.lanes or None)
    return planned(network, options.lanes or None)


def _require_size(network: QuantizedNetwork) -> None:
    bits = {}
    for projection in network.projections:
        kept = [linear.stored_weights() for linear in projection.maps]
        weights = sum(8 * weights.size for weights in kept if weights is not None)
        bits[str(projection)] = weights + _held_bits(network, projection)
    total = sum(bits.values())
    listed = ", ".join(f"{name} {size / 1e6:.1f}" for name, size in bits.items() if size)
    require(
        total <= MOST_BITS,
        f"the weights and delays take {total / 1e6:.1f} Mbit on the chip, and the Verilog holds "
        f"at most {MOST_BITS / 1e6:.1f}: {listed}; use smaller layers or shorter delays",
        NetworkError,
    )


def _held_bits(network: QuantizedNetwork, projection: Projection) -> int:
    """Of the events that wait for a delay, all that can."""
    still = projection.source == INPUT and network.input.static
    if still or not 0 < projection.delay < network.time_steps:
        return 0
    neurons = prod(network.shape(projection.source))
    return (projection.delay + 1) * (neurons + 1) * (neurons.bit_length() + 1)
