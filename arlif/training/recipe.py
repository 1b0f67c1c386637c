"""Recipe: everything a training run depends on, as one frozen record."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, ClassVar

from arlif import data
from arlif.base.errors import ArlifError, require
from arlif.base.files import read_toml, toml_content
from arlif.base.plain_data import STRICT, from_mapping, to_mapping
from arlif.data.splits import Cut
from arlif.networks import Architecture, NetworkConfig, PreActResNet, Stack
from arlif.networks.neuron_choice import NeuronConfig, make_neuron
from arlif.networks.user_neuron import is_own
from arlif.training.schedule import Schedule, require_at_most


@dataclass(frozen=True)
class Recipe(Schedule):
    """What is trained, on what, and how. Two runs of one recipe on one machine are equal.

    dataset: a name that arlif.data.names() lists. architecture: the network, by its kind.
    neuron: of all its layers. time_steps: T. cut: how events become frames, of equal event
    counts or of equal duration. train_per_class, test_per_class: the first so many samples of
    every class; 0 takes all. The other fields: see Schedule. Raises ArlifError where a value is
    out of range.
    """

    dataset: str
    architecture: Architecture
    neuron: NeuronConfig = field(default_factory=NeuronConfig)
    time_steps: int = 4
    cut: Cut = "count"
    train_per_class: int = 0
    test_per_class: int = 0

    __pydantic_config__: ClassVar = STRICT

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("train_per_class", "test_per_class"):
            require(getattr(self, name) >= 0, f"{name} cannot be negative: {getattr(self, name)}")
            require_at_most(self, name)
        require(
            not self.augmentation.needs_color or data.describe(self.dataset).shape[0] == 3,
            "augmentation trivial_wide and rand_augment are made for RGB images, which "
            f"{self.dataset} has not",
        )
        self.network()
        self._check_stages()

    def _check_stages(self) -> None:
        """Raise ArlifError where the network cannot be another one in a stage."""
        if not self.stages:
            return
        require(
            data.describe(self.dataset).static,
            f"stages show an image at fewer time steps, and {self.dataset} is recordings; leave "
            "out stages",
        )
        require(
            make_neuron(self.neuron, self.time_steps).stepwise,
            f"{self.neuron.label} needs all time steps at once, and stages show fewer; leave out "
            "stages",
        )
        require(
            not (isinstance(self.architecture, Stack) and self.architecture.recurrent),
            "neurons that feed themselves have no clipped currents to stand in for; leave out "
            "stages or recurrent",
        )
        require(
            not (
                isinstance(self.architecture, Stack | PreActResNet) and self.architecture.step_gains
            ),
            "step_gains are for all time steps, and stages show fewer; leave out stages or "
            "step_gains",
        )

    def load_data(self, data_folder: Path | None = None) -> data.Dataset:
        """The dataset, cut into frames and reduced as this recipe says. Raises ArlifError."""
        full = data.load(self.dataset, data_folder, self.time_steps, self.cut)
        train = full.train.subset(self.train_per_class) if self.train_per_class else full.train
        test = full.test.subset(self.test_per_class) if self.test_per_class else full.test
        return data.Dataset(full.info, train, test)

    def network(self) -> NetworkConfig:
        """The network that this recipe trains. Raises ArlifError."""
        info = data.describe(self.dataset)
        channels, height, width = info.shape
        return NetworkConfig(
            self.architecture,
            self.neuron,
            (channels, height, width),
            len(info.classes),
            self.time_steps,
            info.static,
        )


_FOLDER = Path(str(resources.files("arlif") / "recipes"))


def recipe_names() -> tuple[str, ...]:
    """The names of the recipes that come with arlif."""
    files = (file.name for file in _FOLDER.iterdir() if file.name.endswith(".toml"))
    return tuple(sorted(name.removesuffix(".toml") for name in files))


def load_recipe(name: str, changes: dict[str, Any] | None = None) -> Recipe:
    """A recipe by name, or from a file whose path ends in .toml, with some values replaced.

    changes: values by dotted path, such as {"epochs": 40, "neuron.name": "lif-soft"}.
    A file may start from another recipe: extends = "name", or a file beside it. It names no
    neuron of the user's own, which is a program: `changes` do.
    Raises ArlifError where the name or a path is unknown, or a value does not fit.
    """
    mapping = _read(name)
    neuron = mapping.get("neuron")
    own = neuron.get("name") if isinstance(neuron, dict) else None
    require(
        not (isinstance(own, str) and is_own(own)),
        f"the recipe {name} names a Python file, {own}; recipes run no programs: take it out, and "
        f"say --set neuron.name={own}",
    )
    return _changed(mapping, changes or {}, f"recipe {name}")


def change_recipe(recipe: Recipe, changes: dict[str, Any]) -> Recipe:
    """`recipe` with some values replaced, as load_recipe does. Raises ArlifError."""
    return _changed(to_mapping(recipe), changes, "the changed recipe")


def _read(name: str, beside: Path = Path(), inside: tuple[str, ...] = ()) -> dict[str, Any]:
    """A recipe's mapping; files lie relative to `beside`, `inside` are those that extend it."""
    known = recipe_names()
    require(
        name in known or name.endswith(".toml"),
        f"no recipe is called {name!r}; there are {', '.join(known)}; a file's name ends in .toml",
    )
    file = _FOLDER / f"{name}.toml" if name in known else beside / name
    require(
        str(file) not in inside,
        f"the recipe {name} extends itself ({' - '.join([*inside, str(file)])}); take one out",
    )
    try:
        mapping = read_toml(file)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ArlifError(f"cannot read the recipe {name}: {reason}") from None
    base = mapping.pop("extends", None)
    if base is None:
        return mapping
    require(isinstance(base, str), f"recipe {name}: extends is a recipe's name, not {base!r}")
    folder = (beside / name).parent
    return _merged(_read(base, folder, (*inside, str(file))), mapping)


def _merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`base` with `changes` laid over it, tables field by field."""
    both = {key for key in changes if isinstance(base.get(key), dict)}
    return base | {k: _merged(base[k], v) if k in both else v for k, v in changes.items()}


def parse_changes(texts: Iterable[str]) -> dict[str, Any]:
    """{"epochs": 40} from ["epochs=40"]; a value that is not TOML stands for itself as text."""
    return dict(map(_parse_change, texts))


def _parse_change(text: str) -> tuple[str, Any]:
    path, equals, value = text.partition("=")
    require(
        bool(equals and path.strip()), f"a change reads key=value, such as epochs=40, not {text!r}"
    )
    try:
        content = toml_content(f"value = {value}")
    except ArlifError:
        content = {}
    return path.strip(), content["value"] if content.keys() == {"value"} else value.strip()


def _changed(mapping: dict[str, Any], changes: dict[str, Any], where: str) -> Recipe:
    for path, value in changes.items():
        _replace(mapping, path, value)
    return from_mapping(Recipe, mapping, where)


def _replace(mapping: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        mapping = mapping.setdefault(parent, {})
        require(isinstance(mapping, dict), f"{path}: {parent} holds a value, not fields")
    mapping[last] = value
