"""arlif demo: the whole pipeline on handwritten digits."""

from pathlib import Path
from typing import Annotated, Any

import typer

from arlif.base.numerals import percent
from arlif.run_folder import Run
from hw_sim.cli import compare as compare_verb
from hw_sim.cli import quantize as quantize_verb
from hw_sim.cli import simulate as simulate_verb
from hw_sim.cli.exits import ExitCode
from hw_sim.cli.output import JsonOption, Output
from hw_sim.engines.table import ENGINES, INTEGER

COLUMNS = ["engine", "reads", "images", "accuracy", "spikes", "compared", "different"]
"""Of the table that the README shows too; 80 columns hold it."""


def demo(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.")] = Path(
        "runs/demo"
    ),
    as_json: JsonOption = False,
) -> None:
    """Train on digits, quantize, export, simulate on every engine, compare, report."""
    from arlif import training
    from arlif.training.epoch_lines import EpochLines
    from hw_sim.pipeline import compare_run, energy_run, export_run, quantize_run
    from hw_sim.report import write_report

    output = Output(as_json)
    output.say("1/6 train: a small AR-LIF network on scikit-learn's handwritten digits, T = 4")
    lines = (EpochLines(output.say),) if output.plain else ()
    summary = training.train(training.load_recipe("digits"), run, overwrite=True, callbacks=lines)
    output.say(
        f"    test accuracy {percent(summary.last_accuracy)} after {summary.epochs} epochs, "
        f"{summary.seconds:.0f} s"
    )
    output.say("2/6 quantize: 8-bit weights, 16-bit states")
    quantize_verb.show(output, quantize_run(run))
    output.say("3/6 export: network.net for Lava, network.onnx for ONNX Runtime, c/ for compilers")
    export_run(run, ("c",))
    output.say("4/6 simulate")
    engines = {name: row for name, row in ENGINES.items() if row.demonstrated}
    outcomes = {engine: _simulate(output, run, engine) for engine in engines}
    output.say("5/6 compare, bit for bit")
    others = [name for name, row in engines.items() if row.exact and row is not INTEGER]
    comparisons = {engine: compare_run(run, got=engine) for engine in others}
    for comparison in comparisons.values():
        compare_verb.show(output, comparison)
    output.say("6/6 energy and report")
    energy_run(run)
    content = write_report(Run(run))
    output.say(f"report: {content['html']}")
    _summary(output, outcomes, comparisons)
    output.result(content)
    if not all(comparison["equal"] for comparison in comparisons.values()):
        raise typer.Exit(ExitCode.FOUND)


def _simulate(output: Output, run: Path, engine: str) -> dict[str, Any]:
    from hw_sim.pipeline import simulate_run

    with output.progress(f"    {engine}") as update:
        result = simulate_run(run, engine, progress=update)
    simulate_verb.show(output, result)
    return result


def _summary(
    output: Output,
    outcomes: dict[str, dict[str, Any]],
    comparisons: dict[str, dict[str, Any]],
) -> None:
    rows = []
    for engine, result in outcomes.items():
        compared = comparisons.get(engine)
        rows.append(
            [
                engine,
                ENGINES[engine].reads.name,
                str(result["samples"]),
                percent(result["accuracy"]),
                f"{result['spikes_per_inference']:.1f}",
                f"{compared['spikes_compared']:,}" if compared else "",
                f"{compared['spikes_different']:,}" if compared else "",
            ]
        )
    output.table(
        "Digits, T = 4: spikes per image, and those compared with the integer engine's",
        COLUMNS,
        rows,
    )
