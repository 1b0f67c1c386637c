"""A population of any neuron, a class of the user's own too; in integers or in real numbers."""

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import ArrayLike

from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.maps import Shape
from arlif.core.neuron import Neuron
from arlif.core.ops import IntegerOps, Ops
from arlif.core.real_neurons import NumpyRealOps
from arlif.core.steps import current
from hw_sim.engines.lava.processes.guard import GuardedModel
from hw_sim.engines.lava.recorder import Recorder


class Population(AbstractProcess):
    """Neurons driven by x = round_to_zero(a_in gain / 2**gain_shift) + bias.

    shape: of both ports; a leading batch axis is allowed. The Var `state` is [variables, *shape],
    in the order of the neuron's state_type.
    neuron: IntegerNeuron (select tag "fixed_pt") or Neuron ("floating_pt").
    gain, bias: broadcast to shape; raw integers, or real numbers with gain_shift 0.
    reset_interval, reset_offset: every state variable returns to 0 before time steps t with
    t % reset_interval == reset_offset % reset_interval, as in Lava's LIFReset; None never does.
    recorder: keeps spikes and states of every time step. read: the variable that v_out sends after
    every time step.
    """

    def __init__(
        self,
        *,
        shape: Shape,
        neuron: IntegerNeuron | Neuron,
        gain: ArrayLike = 1,
        gain_shift: int = 0,
        bias: ArrayLike = 0,
        reset_interval: int | None = None,
        reset_offset: int = 0,
        recorder: Recorder | None = None,
        read: str | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            neuron=neuron,
            gain=np.asarray(gain),
            gain_shift=gain_shift,
            bias=np.asarray(bias),
            reset_interval=reset_interval,
            reset_offset=reset_offset,
            recorder=recorder,
            read=read,
            name=name,
        )
        self.a_in = InPort(shape=shape)
        self.s_out, self.v_out = OutPort(shape=shape), OutPort(shape=shape)
        self.state = Var(shape=(len(neuron.variables), *shape), init=0)


class PopulationModel(GuardedModel):
    """Interprets the neuron's own step; subclasses say with which numbers."""

    def ops(self) -> Ops:
        """The arithmetic of the step."""
        raise NotImplementedError

    def gain_ops(self) -> Ops:
        """The arithmetic of the input current."""
        raise NotImplementedError

    def advance(self) -> None:
        given = self.proc_params
        neuron, interval = given["neuron"], given["reset_interval"]
        x = current(self.gain_ops(), self.a_in.recv(), given["gain"], given["bias"])
        if interval and self.time_step % interval == given["reset_offset"] % interval:
            self.state[...] = 0
        spikes, state = neuron.step(self.ops(), neuron.state_type(*self.state), x)
        self.state[...] = state
        if given["recorder"] is not None:
            given["recorder"].write(self.time_step, spikes, state)
        self.s_out.send(spikes)
        if given["read"] is not None:
            self.v_out.send(getattr(state, given["read"]))


@implements(proc=Population, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PopulationFixed(PopulationModel):
    """The integer specification."""

    a_in: Any = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: Any = LavaPyType(PyOutPort.VEC_DENSE, np.int8)
    v_out: Any = LavaPyType(PyOutPort.VEC_DENSE, np.int32)
    state: Any = LavaPyType(np.ndarray, np.int32)

    def ops(self) -> Ops:
        return self.proc_params["neuron"].ops()

    def gain_ops(self) -> Ops:
        given = self.proc_params
        return IntegerOps(given["neuron"].state_format, given["gain_shift"])


@implements(proc=Population, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class PopulationFloat(PopulationModel):
    """Real numbers in float64."""

    a_in: Any = LavaPyType(PyInPort.VEC_DENSE, np.float64)
    s_out: Any = LavaPyType(PyOutPort.VEC_DENSE, np.float64)
    v_out: Any = LavaPyType(PyOutPort.VEC_DENSE, np.float64)
    state: Any = LavaPyType(np.ndarray, np.float64)

    def ops(self) -> Ops:
        return NumpyRealOps()

    def gain_ops(self) -> Ops:
        return NumpyRealOps()
