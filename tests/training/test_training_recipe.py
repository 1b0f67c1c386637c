"""Recipes by name, and changes of them: what they reach, and what is refused."""

import pytest

from arlif.base.errors import ArlifError
from arlif.training import load_recipe, parse_changes


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("epochs=0", "epochs must be at least 1"),
        ("time_steps=0", "at least 1 time step"),
        ("dataset=imagenet", "no dataset is called 'imagenet'"),
        ("neuron.name=lif", "no neuron is called 'lif'"),
        ("neuron.decay=2.0", r"decay k = 1 - 1/tau lies in \[0, 1\]"),
        ("epoch=3", "epoch: there is no such field"),
        ("learning_rate=fast", "learning_rate: input should be a valid number, not 'fast'"),
        ("dataset.name=x", "dataset holds a value"),
        ("epochs", "key=value"),
        ("learning_rate=1e308", r"learning_rate must be at most 1,000,000,000, not 1e\+308"),
        ("logit_scale=0", "logit_scale must be above 0: 0"),
        ("logit_scale=1e10", "logit_scale must be at most 1,000,000,000, not 1"),
        ("mean_logits=2", "mean_logits: input should be a valid boolean, not 2"),
        ("architecture.recurrent=true", "recurrent layers are the hidden ones: give hidden"),
        ("learning_rate=inf", "learning_rate: input should be a finite number, not inf"),
        ("neuron.v_threshold=inf", r"neuron\.v_threshold: input should be a finite number"),
        ("neuron.order=0", "order lies in 1 to 65,536, not 0"),
        ("time_steps=1000000000000", "at most 65,536, not 1000000000000"),
        ("accumulate=99999999999999999999", "accumulate must be at most 1,000,000,000, not 9999"),
        ("augmentation.crop=9223372036854775807", r"crop lies in \[0, 1024\], not 9223372"),
        ("augmentation.cutmix=1e-300", r"cutmix is 0 for none or at least 0\.001, not 1e-300"),
        ("architecture.hidden=[99999999999999]", "reach up to 1,048,576, not 99999999999999"),
        ("epochs=1\nbatch_size=2", r"epochs: input should be a valid integer, not '1\\nbatch"),
        ("seed=2020-01-01", "2020-01-01 is a date; values are text, numbers"),
        ("seed=100000000000000000000000000", r"seed must be below 2\*\*63, not 1000"),
    ],
)
def test_wrong_values_in_a_recipe_are_named(change, message):
    with pytest.raises(ArlifError, match=message):
        load_recipe("digits", parse_changes([change]))


def test_unknown_recipe_lists_the_known_ones():
    with pytest.raises(ArlifError, match=r"there are .*digits"):
        load_recipe("digit")


def test_changes_reach_nested_fields():
    recipe = load_recipe("digits", parse_changes(["epochs=2", "neuron.name=lif-hard"]))
    assert recipe.epochs == 2
    assert recipe.neuron.name == "lif-hard"
