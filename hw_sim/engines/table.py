"""Every engine in one table: a new one is a file that holds run(Work) -> Outcome, and a row here.

Loads nothing heavy: the command line reads it for its help.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from arlif.artifacts import MODEL, NIR, Artifact
from arlif.base.errors import ArlifError, MissingToolError, require
from arlif.base.options import NoOptions, Option, options_of
from arlif.base.own_packages import not_ours
from export.file_formats import LIF_NIR, NET, ONNX, VERILOG, C
from hw_sim.engines.deployed.host_options import HostOptions
from hw_sim.engines.integer.integer_options import IntegerOptions
from hw_sim.engines.lava.lava_options import LavaOptions, LimitOptions

if TYPE_CHECKING:
    from hw_sim.engines.work import Outcome, Work


@dataclass(frozen=True)
class Engine:
    """What can run a network.

    name: as the command line and the files of its simulations say it. reads: what it runs: what is
    shipped is what is simulated. home: the module whose run(Work) -> Outcome runs it. options: the
    frozen dataclass of what can be asked of it, see arlif.base.options. exact: whether it
    computes the integers of the specification, bit for bit. samples: of how many of the test
    samples where nobody says it; None is all. demonstrated: whether `arlif demo` runs it.
    """

    name: str
    reads: Artifact
    home: str
    options: type = NoOptions
    exact: bool = True
    samples: int | None = None
    demonstrated: bool = True

    def __str__(self) -> str:
        return self.name

    @property
    def traces(self) -> Artifact:
        """The readouts, spike counts and traces that it wrote."""
        return Artifact(f"traces/{self}.h5", f"simulate --engine {self}", self.reads)

    @property
    def figures(self) -> Artifact:
        """The figures of its run."""
        return Artifact(f"traces/{self}.json", f"simulate --engine {self}", self.reads)

    def run(self, work: "Work[Any]") -> "Outcome":
        """Simulate.

        Raises ArlifError where the options are of another engine, MissingToolError where a package
        is missing.
        """
        require(
            isinstance(work.options, self.options),
            f"the engine {self} takes {self.options.__name__}, not {type(work.options).__name__}",
        )
        try:
            home = import_module(self.home)
        except ModuleNotFoundError as error:
            name = not_ours(error)
            raise MissingToolError(
                f"the engine {self} needs the package {name}", f"pip install {name}"
            ) from None
        done: Outcome = home.run(work)
        return done


INTEGER = Engine("integer", NIR, "hw_sim.engines.integer.fast", IntegerOptions)
FLOAT = Engine("float", MODEL, "hw_sim.engines.floating_point", exact=False)
LAVA = Engine("lava", NET, "hw_sim.engines.lava.launch", LavaOptions, samples=32)

ENGINES: dict[str, Engine] = {
    engine.name: engine
    for engine in (
        FLOAT,
        INTEGER,
        LAVA,
        Engine("onnx", ONNX, "hw_sim.engines.onnx"),
        Engine("c", C, "hw_sim.engines.deployed.c_engine", HostOptions),
        *(
            Engine(name, C, f"hw_sim.engines.deployed.{module}", samples=32, demonstrated=False)
            for name, module in (
                ("cortex-m0", "cortex_m0"),
                ("cortex-m4", "cortex_m4"),
                ("rv32", "rv32"),
            )
        ),
        Engine(
            "verilog",
            VERILOG,
            "hw_sim.engines.deployed.verilog_engine",
            samples=32,
            demonstrated=False,
        ),
        *(
            Engine(
                library,
                LIF_NIR,
                home,
                exact=False,
                samples=32,
                demonstrated=False,
            )
            for library, home in (
                ("snntorch", "hw_sim.engines.libraries.in_snntorch"),
                ("norse", "hw_sim.engines.libraries.in_norse"),
                ("spikingjelly", "hw_sim.engines.libraries.in_spikingjelly"),
            )
        ),
        Engine(
            "lava-lif",
            LIF_NIR,
            "hw_sim.engines.libraries.in_lava",
            LimitOptions,
            exact=False,
            samples=32,
            demonstrated=False,
        ),
    )
}
"""Every engine by name, in the order in which they are shown."""


def find_engine(name: str) -> Engine:
    """The engine of a name. Raises ArlifError, naming all, where there is none."""
    require(name in ENGINES, f"there is no engine {name!r}; there are {', '.join(ENGINES)}")
    return ENGINES[name]


def choose(engine: Engine, given: Mapping[str, Any]) -> Any:
    """An engine's options where the fields `given` are set and the others have their defaults.

    given: fields of any engine's options. Raises ArlifError where one is of other engines.
    """
    known = {field.name for field in options_of(engine.options)}
    for other in ENGINES.values():
        theirs = options_of(other.options)
        if foreign := [o.flag for o in theirs if o.name in given and o.name not in known]:
            verb = "needs" if len(foreign) == 1 else "need"
            raise ArlifError(f"{', '.join(foreign)} {verb} --engine {other}, not {engine}")
    return engine.options(**given)


def every_option() -> dict[Option, list[Engine]]:
    """What can be asked of engines, each with those that take it."""
    found: dict[Option, list[Engine]] = {}
    for engine in ENGINES.values():
        for offered in options_of(engine.options):
            found.setdefault(offered, []).append(engine)
    return found
