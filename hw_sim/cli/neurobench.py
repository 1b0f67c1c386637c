"""arlif neurobench: the figures of the NeuroBench harness, beside what arlif counts."""

from typing import Annotated, Any

import typer

from hw_sim.cli.output import JsonOption, Output, RunArgument
from hw_sim.cli.parameters import DataOption, InputsOption, LabelsOption
from hw_sim.pipeline.defaults import NEUROBENCH_BATCH


def neurobench(
    run: RunArgument,
    samples: Annotated[
        int | None, typer.Option(min=1, help="The first so many samples; default all.")
    ] = None,
    data_folder: DataOption = None,
    inputs: InputsOption = None,
    labels: LabelsOption = None,
    batch: Annotated[
        int, typer.Option(min=1, help="Samples at once, as the harness' data loader gives them.")
    ] = NEUROBENCH_BATCH,
    as_json: JsonOption = False,
) -> None:
    """Print what the NeuroBench harness says of the float network, and ours of its integers."""
    from hw_sim.pipeline import Selection, neurobench_run

    output = Output(as_json)
    result = neurobench_run(run, Selection(samples, data_folder, inputs, labels), batch)
    theirs, ours = _flat(result["neurobench"]), _flat(result["arlif"])
    output.table(
        f"Per sample, mean of {result['samples']} samples in batches of {result['batch_size']}",
        ["", "NeuroBench, float", "arlif, integers"],
        [
            [name, _figure(name, value), _figure(name, ours[name]) if name in ours else ""]
            for name, value in theirs.items()
        ],
    )
    for name, reason in result["why"].items():
        output.say(f"{name}: {reason}")
    output.result(result)


def _flat(figures: dict[str, Any]) -> dict[str, float]:
    """The figures with those of SynapticOperations among them."""
    return {k: v for k, v in figures.items() if k != "SynapticOperations"} | figures[
        "SynapticOperations"
    ]


def _figure(name: str, value: float) -> str:
    share = name.endswith(("Sparsity", "Accuracy"))
    return f"{value:.4f}" if share else f"{value:,.2f}".removesuffix(".00")
