"""``roost demo``: hands over to the demo."""

from typing import Any

import click


@click.command("demo")
@click.option(
    "--sites",
    type=click.IntRange(0, 20_000),
    default=500,
    show_default=True,
    help="Simulated sites.",
)
@click.option(
    "--for", "seconds", type=click.FloatRange(1), metavar="SECONDS", help="End by itself, exit 0."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8470,
    show_default=True,
    help="Of the dashboard; 0 takes a free one.",
)
@click.option(
    "--fault", "faults", multiple=True, metavar="TEXT",
    help="Let it go wrong: 'cut carrier=carB region=r02 at=30s for=2m', as `roost sim --help` "
    "says; may be repeated.",
)  # fmt: skip
@click.option(
    "--database", metavar="URL",
    help="Of the centre, empty: postgresql+asyncpg://USER@HOST/NAME, its password from PGPASSWORD "
    "or ~/.pgpass; else a SQLite file.",
)  # fmt: skip
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False),
    help="Keep the state here; else it goes when the demo ends.",
)
def command(data_dir: str | None, **asked: Any) -> None:  # noqa: ANN401 - the fields of Plan
    """Run the whole loop on this machine: a real site and a simulated fleet.

    Starts a centre, brokers, a real site `lab` of three agents with this machine's hardware, and a
    simulated fleet. Everything listens on loopback only and ends with the demo.
    """
    from roost_central.demo.run import Plan, run  # noqa: PLC0415 - asyncio, only for this verb

    raise click.exceptions.Exit(run(Plan(**asked), data_dir))
