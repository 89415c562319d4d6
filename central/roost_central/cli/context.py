"""``roost context``: the centres this command knows."""

import click

from roost_central.cli import output, settings
from roost_central.cli.exits import ExitCode
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import Asked, shared
from roost_central.cli.verbs import Verbs

COLUMNS = [
    output.Column("", lambda row: "*" if row["current"] else " "),
    output.text("NAME", "name"),
    output.text("URL", "url"),
    output.text("TOKEN FILE", "token_file"),
    output.text("CA", "ca", wide=True),
]


@click.group("context", cls=Verbs)
def command() -> None:
    """Name the centres this command speaks to."""


@command.command("list")
@shared()
def list_(asked: Asked) -> None:
    """List the contexts. A star marks the one in use; ROOST_URL makes one, and uses it."""
    kept = settings.load()
    given = settings.from_environment()
    shown = [*([given] if given else []), *kept.contexts.values()]
    output.write(
        [_row(kept, context) for context in shown],
        COLUMNS,
        asked.form,
        name="name",
    )


@command.command()
@click.argument("name", required=False)
@shared()
def show(asked: Asked, name: str | None) -> None:
    """Show one context, the one in use by default. The token itself is never shown."""
    context = settings.choose(name or asked.context)
    row = _row(settings.load(), context)
    output.write([row], COLUMNS, "wide" if asked.form == "table" else asked.form, name="name")


@command.command()
@click.argument("name")
def use(name: str) -> None:
    """Use a context from now on."""
    kept = settings.load()
    if name not in kept.contexts:
        raise RefusedError(settings.unknown(name, kept), ExitCode.NOT_FOUND)
    settings.save(settings.Settings(name, kept.contexts))


@command.command()
@click.argument("name")
def delete(name: str) -> None:
    """Forget a context; its token file stays."""
    kept = settings.load()
    if kept.contexts.pop(name, None) is None:
        raise RefusedError(settings.unknown(name, kept), ExitCode.NOT_FOUND)
    current = "" if kept.current == name else kept.current
    settings.save(settings.Settings(current, kept.contexts))


def _row(kept: settings.Settings, context: settings.Context) -> output.Row:
    given = settings.from_environment()
    return {
        "name": context.name,
        "url": context.url,
        "token_file": context.token_file,
        "ca": context.ca,
        "current": context == given if given else context.name == kept.current,
    }
