"""``roost login URL``: check a token against a centre and keep both."""

import re
import sys
from pathlib import Path
from socket import gethostname
from urllib.parse import urlsplit

import click

from roost_central.cli import settings
from roost_central.cli.client import JSON, Client
from roost_central.cli.failure import RefusedError
from roost_central.cli.grant_text import ask_secret, body
from roost_central.ports import SystemEntropy


@click.command("login")
@click.argument("url")
@click.option("--name", help="Name of the context; the host by default.")
@click.option(
    "--token-file", type=click.Path(exists=True, dir_okay=False), help="Use this file as it is."
)
@click.option("--user", help="Log in by password, and make a token for this machine.")
@click.option("--ca", type=click.Path(exists=True, dir_okay=False), help="Certificates to trust.")
def command(
    url: str, name: str | None, token_file: str | None, user: str | None, ca: str | None
) -> None:
    """Keep the address and the token of a centre.

    The token is asked for on a terminal, read from standard input in a pipe, or left in the file
    that --token-file names; with --user the password is asked for instead, and a token of 90 days
    is made with it. Neither is taken from a command line, which others can read.
    """
    if user is not None and token_file is not None:
        raise RefusedError("--user makes a token, --token-file names one: give one of them")
    Client(settings.Context("login", url, None, ca), token="")  # a wrong URL asks for no secret
    name = name or (urlsplit(url).hostname or "default")
    given = None if token_file else _asked() if user is None else _made(url, user, ca)
    path = Path(token_file).resolve() if token_file else settings.folder() / f"{name}.token"
    context = settings.Context(name, url, str(path), str(Path(ca).resolve()) if ca else None)
    status = Client(context, token=given).get("/api/v1/status")  # before anything is kept
    if given is not None:
        settings.write_private(path, f"{given}\n")
    kept = settings.load()
    kept.contexts[name] = context
    settings.save(settings.Settings(name, kept.contexts))
    click.echo(
        f"context {name!r} is in use: roost {status['version']}, {status['sites']['total']} sites",
        err=True,
    )


def _made(url: str, user: str, ca: str | None) -> str:
    """Log in by password and return a new token; the session is over with this command."""
    client = Client(settings.Context("login", url, None, ca), token="")
    client.log_in(user, ask_secret("Password"))
    stamp = SystemEntropy().token(3).hex()
    host = re.sub(r"[^a-z0-9-]", "-", gethostname().lower())[:32] or "host"
    made = client.send("POST", "/api/v1/tokens", body(name=f"cli-{host}-{stamp}"), headers=JSON)
    client.send("DELETE", "/api/v1/session", b"")
    return str(made["token"])


def _asked() -> str:
    given = click.prompt("Token", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    if not str(given).strip():
        raise RefusedError("no token given; the centre printed one at its first start")
    return str(given).strip()
