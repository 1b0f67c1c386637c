"""A wrong recipe is answered in its own words: the field as the file names it, rule and value."""

import pytest

from arlif.base.errors import ArlifError
from arlif.base.plain_data import from_mapping, to_mapping
from arlif.networks import PreActResNet, Stack
from arlif.training import Recipe, load_recipe, recipe_names


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"architecture.features": [16, "pol"]},
            "architecture.features.1: input should be a valid integer or input should be 'pool', "
            "not 'pol'",
        ),
        (
            {"architecture.dropot": 0.5},
            "architecture.dropot: there is no such field; there are features, hidden, pooled, "
            "dropout, feature_dropout, recurrent, step_gains, dense_std, kind",
        ),
        ({"architecture.features": [0]}, "architecture: layer sizes must be at least 1, not 0"),
        (
            {"architecture.kind": "vgg"},
            "architecture: kind is one of 'stack', 'preact-resnet', 'resnet19', 'airbench', "
            "not 'vgg'",
        ),
        (
            {"architecture": {"kind": "preact-resnet", "widths": [64, "a"]}},
            "architecture.widths.1: input should be a valid integer, not 'a'",
        ),
        (
            {"architecture": {"kind": "preact-resnet", "stride": 3}},
            "architecture.stride: there is no such field; there are widths, blocks, dropout, "
            "step_gains, kind",
        ),
        ({"architecture": 5}, "architecture: input should be an object, not 5"),
        (
            {"architecture.features": [16.5]},
            "architecture.features.0: input should be a valid integer or input should be 'pool', "
            "not 16.5",
        ),
        (
            {"architecture.features": [16, True]},
            "architecture.features.1: input should be a valid integer or input should be 'pool', "
            "not True",
        ),
        ({"architecture": "resnet"}, "architecture: input should be an object, not 'resnet'"),
        (
            {"neuron.nam": "plif"},
            "neuron.nam: there is no such field; there are name, decay, v_threshold, width, "
            "surrogate, order, free_alpha, strict",
        ),
        ({"neuron.decay": 3}, "neuron: the decay k = 1 - 1/tau lies in [0, 1], not 3.0"),
        ({"epochs": "many"}, "epochs: input should be a valid integer, not 'many'"),
        (
            {"epochs": "many", "seed": []},
            "epochs: input should be a valid integer, not 'many'; "
            "seed: input should be a valid integer, not []",
        ),
    ],
)
def test_what_is_wrong_is_said_once_and_nothing_else(changes, message):
    with pytest.raises(ArlifError) as raised:
        load_recipe("digits", changes)
    assert str(raised.value) == f"recipe digits: {message}"


def test_an_architecture_without_a_kind_is_a_stack():
    stack = {"features": [4, "pool"]}
    assert from_mapping(Recipe, {"dataset": "digits", "architecture": stack}, "here") == Recipe(
        "digits", Stack((4, "pool"))
    )
    with pytest.raises(ArlifError, match="architecture: a stack starts with"):
        from_mapping(Recipe, {"dataset": "digits", "architecture": {}}, "here")
    resnet = from_mapping(
        Recipe, {"dataset": "cifar10", "architecture": {"kind": "preact-resnet"}}, "here"
    )
    assert resnet.architecture == PreActResNet()


@pytest.mark.parametrize("missing", ["dataset", "architecture"])
def test_a_missing_field_is_named(missing):
    mapping = to_mapping(load_recipe("digits"))
    del mapping[missing]
    with pytest.raises(ArlifError, match=f"^here: {missing}: field required$"):
        from_mapping(Recipe, mapping, "here")


@pytest.mark.parametrize("name", recipe_names())
def test_recipes_come_back_from_their_files(name):
    recipe = load_recipe(name)
    assert from_mapping(Recipe, to_mapping(recipe), name) == recipe


def test_extends_is_found_beside_the_file_that_names_it(tmp_path):
    (tmp_path / "base.toml").write_text('extends = "digits"\nepochs = 3')
    (tmp_path / "own.toml").write_text('extends = "base.toml"\nseed = 5')
    recipe = load_recipe(str(tmp_path / "own.toml"))
    assert (recipe.dataset, recipe.epochs, recipe.seed) == ("digits", 3, 5)


@pytest.mark.parametrize(
    ("extends", "message"),
    [('"own.toml"', "extends itself"), ("5", "extends is a recipe's name, not 5")],
)
def test_an_impossible_extends_is_named(tmp_path, extends, message):
    (tmp_path / "own.toml").write_text(f"extends = {extends}")
    with pytest.raises(ArlifError, match=message):
        load_recipe(str(tmp_path / "own.toml"))
