"""arlif lava: install and check the Lava simulator."""

from dataclasses import asdict

import typer

from hw_sim.cli.exits import ExitCode
from hw_sim.cli.output import JsonOption, Output

app = typer.Typer(help="Install and check the Lava simulator.", no_args_is_help=True)


@app.command("install")
def install() -> None:
    """Install Lava into this Python environment, mended for current Python."""
    from hw_sim.engines.lava.install import install as install_lava

    install_lava()
    Output(False).say("Lava is installed; check it with: arlif lava check")


@app.command("check")
def check(as_json: JsonOption = False) -> None:
    """Say what was found, what is wrong and how to mend it; exits with 2 where Lava cannot run."""
    from hw_sim.engines.lava.install import check as check_lava

    output = Output(as_json)
    findings = check_lava()
    output.table(
        "Lava",
        ["what", "found", "ok", "cure"],
        [[f.what, f.found, "yes" if f.ok else "no", f.cure] for f in findings],
    )
    output.result([asdict(finding) for finding in findings])
    if not all(finding.ok for finding in findings):
        raise typer.Exit(ExitCode.BAD_INPUT)
