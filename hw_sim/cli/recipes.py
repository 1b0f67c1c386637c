"""arlif recipes: what `arlif train --recipe` knows."""

from hw_sim.cli.output import JsonOption, Output

COLUMNS = ("name", "dataset", "network", "neuron", "T", "epochs")


def recipes(as_json: JsonOption = False) -> None:
    """List the recipes that come with arlif."""
    from arlif.training import load_recipe, recipe_names

    output = Output(as_json)
    found = {name: load_recipe(name) for name in recipe_names()}
    output.table(
        "Recipes",
        list(COLUMNS),
        [
            [
                name,
                recipe.dataset,
                recipe.architecture.kind,
                recipe.neuron.name,
                str(recipe.time_steps),
                str(recipe.epochs),
            ]
            for name, recipe in found.items()
        ],
    )
    output.say("show one's layers: arlif summary NAME; train it: arlif train RUN --recipe NAME")
    output.result(
        [
            {
                "name": name,
                "dataset": recipe.dataset,
                "network": recipe.architecture.kind,
                "neuron": recipe.neuron.name,
                "time_steps": recipe.time_steps,
                "epochs": recipe.epochs,
            }
            for name, recipe in found.items()
        ]
    )
