"""From a quantized network to connected Lava processes."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.core.network import INPUT, READOUT, QuantizedNetwork
from hw_sim.engines.lava.job import Job
from hw_sim.engines.lava.processes.ends import Integrator, Source
from hw_sim.engines.lava.processes.or_of_spikes import Or
from hw_sim.engines.lava.processes.population import Population
from hw_sim.engines.lava.processes.synapse import Synapse, Wait
from hw_sim.engines.lava.recorder import Recorder, create
from hw_sim.engines.lava.stream import Stream, depths
from hw_sim.engines.simulation import count_type


def build(
    network: QuantizedNetwork, inputs: NDArray[np.int8], job: Job, folder: Path
) -> tuple[list[Any], int]:
    """Processes wired up, the last one last, and the time steps to run; results go to `folder`."""
    source = network.input
    stream = Stream(inputs.shape[source.sample_axis], job.time_steps, job.batch)
    depth = depths(network, job.models)
    reading = network.readout.reading
    nodes: dict[str, Any] = {
        INPUT: Source(
            inputs=inputs, static=source.static, shape=source.shape, stream=stream, name=INPUT
        )
    }
    for index, population in enumerate(network.populations):
        name = population.name
        recorder = Recorder(
            folder / str(index),
            stream,
            depth[name],
            population.shape,
            population.neuron,
            steps=name in job.record.layers,
            states=job.record.states,
        )
        nodes[name] = Population(
            shape=(job.batch, *population.shape),
            neuron=population.neuron,
            gain=population.per_neuron(population.gain),
            gain_shift=population.gain_shift,
            bias=population.per_neuron(population.bias),
            reset_interval=job.time_steps,
            reset_offset=depth[name] + 1,
            recorder=recorder,
            read=reading.variable if reading is not None and reading.population == name else None,
            name=name,
        )
    nodes[READOUT] = Integrator(
        readout=network.readout,
        total=create(folder / job.READOUT, (stream.samples, *network.readout.shape), np.int64),
        done=create(folder / job.DONE, (1,), np.int64),
        stream=stream,
        depth=depth[READOUT],
        name=READOUT,
    )
    for at, pooled in [(depth[node], one) for node in depth for one in network.ors_of(node)]:
        kept = (stream.samples, *network.shape(pooled.name))
        nodes[pooled.name] = Or(
            pooled=pooled,
            shape=network.shape(pooled.source),
            stream=stream,
            depth=at,
            counts=create(folder / job.pooled(pooled.name), kept, count_type(job.time_steps)),
        )
        nodes[pooled.source].s_out.connect(nodes[pooled.name].s_in)
    synapses = []
    for projection in network.projections:
        synapse = Synapse(
            shape=network.shape(projection.entering),
            maps=projection.maps,
            interval=network.source_interval(projection.entering),
            shift=projection.shift,
            delay=depth[projection.target] - depth[projection.source] + projection.delay,
            batch=job.batch,
            wait=Wait(stream, depth[projection.target], projection.delay),
            name=str(projection),
        )
        nodes[projection.entering].s_out.connect(synapse.s_in)
        synapse.a_out.connect(nodes[projection.target].a_in)
        synapses.append(synapse)
    if reading is not None:
        nodes[reading.population].v_out.connect(nodes[READOUT].a_in)
    last = nodes.pop(READOUT)
    return [*nodes.values(), *synapses, last], stream.length + max(depth.values())
