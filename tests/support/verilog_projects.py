"""Exported Verilog projects, run in Icarus, and neurons as logic on vectors."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.network import QuantizedNetwork
from arlif.core.proven_ranges import NeuronRanges
from export.verilog import write_verilog
from export.verilog.netlist import neuron_netlist
from export.verilog.pipeline import LOGIC, Pipeline
from export.verilog.verilog_options import VerilogOptions

needs_icarus = pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="there is no Icarus Verilog (apt-get install iverilog)"
)
needs_verilator = pytest.mark.skipif(
    shutil.which("verilator") is None, reason="there is no Verilator (apt-get install verilator)"
)


def simulated(folder: Path) -> str:
    """What tb.v says in Icarus."""
    sources = ["tb.v", "network.v", *(f"lib/{p.name}" for p in (folder / "lib").glob("*.v"))]
    build = ["iverilog", "-g2005", "-DARLIF_TAPS", "-s", "tb", "-o", "tb.vvp", *sources]
    for command in (build, ["vvp", "-n", "tb.vvp"]):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr + done.stdout
    return done.stdout


def exported(network: QuantizedNetwork, folder: Path, lanes: int = 0, vectors: int = 2) -> Path:
    """The folder of a network's project."""
    write_verilog(network, folder / "network.v", VerilogOptions(lanes, vectors))
    return folder


def neuron_on_vectors(
    neuron: IntegerNeuron, ranges: NeuronRanges, vectors: NDArray[np.int64], folder: Path
) -> NDArray[np.int64]:
    """Spike and states after, [N, 1 + states], of the printed logic on [N, x and states].

    The neuron's constants are one for all neurons.
    """
    netlist = neuron_netlist(neuron, ranges)
    names = ["x", *(f"s_{state}" for state in neuron.variables)]
    outputs = ["spike", *(f"n_{state}" for state in neuron.variables)]
    inputs = [
        (name, netlist.wires[netlist.inputs[name]].bits) for name in names if name in netlist.inputs
    ]
    ports = [
        f".{n}(word[{64 * names.index(n) + bits - 1}:{64 * names.index(n)}])" for n, bits in inputs
    ]
    wires = [
        f"  wire signed [{netlist.wires[netlist.outputs[n]].bits - 1}:0] {n};" for n in outputs
    ]
    ports += [f".{n}({n})" for n in outputs]
    shown = " ".join(["%0d"] * len(outputs))
    bench = [
        "module bench;",
        f"  reg [{64 * len(names) - 1}:0] words[0:{len(vectors) - 1}], word;",
        "  integer k;",
        *wires,
        f"  neuron one ({', '.join(ports)});",
        "  initial begin",
        '    $readmemh("words.hex", words);',
        f"    for (k = 0; k < {len(vectors)}; k = k + 1) begin",
        "      word = words[k];",
        "      #1;",
        f'      $display("{shown}", {", ".join(["spike[0]", *outputs[1:]])});',
        "    end",
        "  end",
        "endmodule",
        "",
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.v").write_text(Pipeline("neuron", netlist, LOGIC).text() + "\n".join(bench))
    rows = ("".join(f"{int(v) & (2**64 - 1):016x}" for v in row[::-1]) for row in vectors)
    (folder / "words.hex").write_text("\n".join(rows) + "\n")
    build = ["iverilog", "-g2005", "-Wall", "-Wno-timescale", "-o", "bench.vvp", "bench.v"]
    for command in (build, ["vvp", "-n", "bench.vvp"]):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr + done.stdout
    return np.array([line.split() for line in done.stdout.splitlines()], np.int64)
