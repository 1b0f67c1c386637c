"""How a network is laid out in hardware, and what Verilog cannot take yet."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import NetworkError, require
from arlif.core.network import INPUT, READOUT, QuantizedNetwork
from arlif.core.nodes import LONGEST_DELAY, Population, Projection, Readout
from arlif.core.proven_ranges import population_ranges
from arlif.core.ranges import Interval
from export.verilog.incoming import Place, Source
from export.verilog.memories import walk
from export.verilog.netlist import (
    BIAS,
    CONSTANT,
    GAIN,
    SUMS,
    Netlist,
    Part,
    current_netlist,
    per_channel,
    update_netlist,
)
from export.verilog.pipeline import FAST, Pipeline, address_bits
from export.verilog.placement import UNDER_WAY, Layer, Plan
from export.verilog.scattering import Scattering, frame, scattering, windowed

LOGIT = "logit"
"""The output of the readout's update."""


def planned(network: QuantizedNetwork, lanes: int | Mapping[str, int] | None = None) -> Plan:
    """How a network is laid out.

    lanes: output channels at a time, at most, of all layers or by name; None is all.

    Raises NetworkError where the network has what Verilog cannot take yet, or a projection is kept
    as a matrix that is too large.
    """
    _require_possible(network)
    layers: list[Layer] = []
    nodes: tuple[Population | Readout, ...] = (*network.populations, network.readout)
    updates = [_pipeline(network, number, node) for number, node in enumerate(nodes)]
    margins = {INPUT: 1} | {
        node.name: pipeline.latency + UNDER_WAY
        for node, (pipeline, _) in zip(nodes, updates, strict=True)
    }
    for number, (node, (pipeline, late)) in enumerate(zip(nodes, updates, strict=True)):
        shape = frame(node.shape)
        asked = lanes[node.name] if isinstance(lanes, Mapping) else lanes
        used = min(asked or shape[0], shape[0])
        words = shape[1] * shape[2] * -(-shape[0] // used)
        incoming = sorted(
            network.incoming(node.name),
            key=lambda p: p.delay if _still(network, p) else LONGEST_DELAY + 1,
        )
        sources = (
            _source(network, p, shape, used, address_bits(words), margins[p.source])
            for p in incoming
        )
        layers.append(
            Layer(
                number,
                node.name,
                shape,
                used,
                _accumulator(network, node.name),
                tuple(sources),
                node if isinstance(node, Population) else None,
                pipeline,
                late,
                _values(network, node, pipeline.netlist),
                network.time_steps,
            )
        )
    return Plan(network, tuple(layers))


def _require_possible(network: QuantizedNetwork) -> None:
    reasons = [f"{p.name} never fires" for p in network.populations if not p.neuron.fires]
    if network.readout.reading is not None:
        reasons.append(f"the readout is {network.readout.reading}")
    require(
        not reasons,
        f"Verilog has no readout of states yet: {'; '.join(reasons)}; the engines integer, lava "
        "and onnx run them",
        NetworkError,
    )


def _still(network: QuantizedNetwork, projection: Projection) -> bool:
    return projection.source == INPUT and network.input.static


def _accumulator(network: QuantizedNetwork, name: str) -> Interval:
    """The sums of a layer; those of the readout go over all steps."""
    low, high = network.accumulator_interval(name)
    times = network.time_steps if name == READOUT else 1
    return low * times, high * times


def _source(
    network: QuantizedNetwork,
    projection: Projection,
    shape: tuple[int, int, int],
    lanes: int,
    address: int,
    margin: int,
) -> Source:
    source, still = network.shape(projection.source), _still(network, projection)
    sent, ors = Place(frame(source)), None
    if projection.pools:
        rows, columns, source = windowed(projection.pools, source)
        ors = rows, columns
    paths = scattering(projection.maps, source)
    if still and projection.target == READOUT:  # one frame, counted at every step
        times = paths.weights * max(0, network.time_steps - projection.delay)
        paths = Scattering(paths.rows, paths.columns, times, paths.groups)
    return Source(
        projection,
        paths,
        walk(paths, (shape[1], shape[2]), lanes, address),
        Place(frame(source)),
        sent,
        ors,
        still,
        projection.source == INPUT,
        margin,
        network.time_steps,
    )


def _pipeline(
    network: QuantizedNetwork, number: int, node: Population | Readout
) -> tuple[Pipeline, int]:
    """A layer's update, and the stage at which states and constants arrive."""
    name = f"update{number}"
    if isinstance(node, Readout):
        return Pipeline(name, _readout(network), (Part.ADD,)), 0
    ranges = population_ranges(network, node.name)
    netlist = update_netlist(node, ranges)
    late = Pipeline("", current_netlist(node, ranges), FAST).latency
    ports = [port for port in netlist.inputs if port not in (SUMS, GAIN, BIAS)]
    return Pipeline(name, netlist, FAST, dict.fromkeys(ports, late)), late


def _readout(network: QuantizedNetwork) -> Netlist:
    """The logit: the sum plus the bias of all steps."""
    netlist = Netlist()
    sums = netlist.input(SUMS, _accumulator(network, READOUT))
    added = per_channel(netlist, BIAS, _all_steps_bias(network))
    (low, high), (least, most) = netlist.interval(sums), netlist.interval(added)
    netlist.outputs[LOGIT] = netlist.plus(sums, added, (low + least, high + most))
    return netlist


def _all_steps_bias(network: QuantizedNetwork) -> NDArray[np.int64]:
    return network.readout.bias.astype(np.int64) * network.time_steps


def _values(
    network: QuantizedNetwork, node: Population | Readout, netlist: Netlist
) -> dict[str, NDArray[np.int64]]:
    """The constants that differ between channels or neurons, by port."""
    if isinstance(node, Readout):
        found = {BIAS: _all_steps_bias(network)}
    else:
        neuron = node.neuron
        found = {GAIN: node.gain.astype(np.int64), BIAS: node.bias.astype(np.int64)}
        found |= {
            port: np.asarray(neuron.constants[neuron.graph.nodes[place].name], np.int64)
            for port in netlist.inputs
            if port.startswith(CONSTANT)
            for place in (int(port.removeprefix(CONSTANT)),)
        }
    return {
        port: values.reshape(values.shape if values.ndim == 3 else (-1, 1, 1))
        for port, values in found.items()
        if port in netlist.inputs
    }
