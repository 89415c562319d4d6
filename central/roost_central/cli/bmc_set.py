"""``roost bmc set|forget|test|relearn|groups|group``: changing and reaching board controllers."""

import json
import os
import stat
from pathlib import Path
from typing import Any, Final

import click

from roost_central.cli import order, output
from roost_central.cli.bmc import command
from roost_central.cli.client import JSON, at
from roost_central.cli.exits import ExitCode
from roost_central.cli.failure import RefusedError
from roost_central.cli.grant_text import ask_secret
from roost_central.cli.options import Asked, shared
from roost_central.cli.output import Column
from roost_protocol.board_faults import todo
from roost_protocol.boards import SECRET_CHARS_MAX, Group

TEST_S: Final = 180.0
PEM_BYTES_MAX: Final = 64 << 10
MILD: Final = ("ignore", "log", "alarm")
ALL: Final = (*MILD, "reset", "power-cycle")
REASON: Final = click.option("-m", "--reason", required=True, help="Why; the audit log has it.")


@command.command("set")
@click.argument("node")
@click.option("--host", required=True, help="Its name or address in the board's network.")
@click.option("--user", required=True, help="Of an account with the role Operator.")
@click.option(
    "--type",
    type=click.Choice(["dynamic", "redfish", "ipmi"]),
    default="dynamic",
    show_default=True,
    help="What it speaks; dynamic: Redfish if it does, else IPMI.",
)
@click.option("--port", type=int, default=443, show_default=True, help="Of Redfish.")
@click.option("--ipmi-port", type=int, default=623, show_default=True, help="Of IPMI.")
@click.option("--cipher", type=int, default=3, show_default=True, help="IPMI's cipher suite.")
@click.option("--uuid", default="", help="That the machine must have; else it is learned.")
@click.option("--system", default="", help="Its Redfish resource, where there are several.")
@click.option("--ca-file", type=click.Path(dir_okay=False), help="PEM of whom its certificate is.")
@click.option("--certificate-sha256", default="", help="Of its certificate; else it is learned.")
@click.option("--interval-s", type=int, default=0, help="Between two reads; 0: as is usual.")
@click.option(
    "--reached-by",
    type=click.Choice(["site", "centre"]),
    default="site",
    show_default=True,
    help="Who reads it: a node of its site, or the centre itself.",
)
@click.option("--password-file", type=click.Path(dir_okay=False), help="0600; its first line.")
@click.option("--keep-password", is_flag=True, help="It stays, where nothing else changes.")
@REASON
@shared()
def set_(
    asked: Asked,
    node: str,
    *,
    ca_file: str | None,
    password_file: str | None,
    keep_password: bool,
    **said: Any,  # noqa: ANN401 - of the options above
) -> None:
    """Set a node's board controller. The password comes from the terminal, a file or a pipe."""
    body = dict(said)
    if ca_file is not None:
        body["ca"] = _start_of(ca_file, PEM_BYTES_MAX)
    if not keep_password:
        body["password"] = (
            ask_secret("Password of the board controller")
            if password_file is None
            else _password(password_file)
        )
    found = asked.client().send(
        "PUT", at("nodes", node, "bmc"), json.dumps(body).encode(), headers=JSON
    )
    if asked.form not in {"table", "wide"}:
        click.echo(output.document(found, asked.form), nl=False)
        return
    who = "its site's nodes are told"
    if body["reached_by"] == "centre":
        who = "the centre polls it, and nobody acts by it"
    click.echo(f"{node}: set; {who}: roost bmc show {node}")


@command.command()
@click.argument("node")
@REASON
@shared()
def forget(asked: Asked, node: str, reason: str) -> None:
    """Forget a node's board controller, here and on the nodes of its site."""
    body = json.dumps({"reason": reason}).encode()
    asked.client().send("POST", f"{at('nodes', node)}/bmc:forget", body, headers=JSON)
    click.echo(f"{node}: forgotten; its site's nodes are told")


@command.command()
@click.argument("node")
@shared()
def test(asked: Asked, node: str) -> None:
    """Have the node that reads it reach a board controller; say what is wrong, and what to do."""
    _ended(asked, node, "test", b"")


@command.command()
@click.argument("node")
@REASON
@shared()
def relearn(asked: Asked, node: str, reason: str) -> None:
    """Learn a board controller anew: its certificate, machine and sensors. Settings stay."""
    _ended(asked, node, "relearn", json.dumps({"reason": reason}).encode())


@command.command()
@click.argument("node")
@shared()
def groups(asked: Asked, node: str) -> None:
    """Show how the sensors of a node's board controller count."""
    found = asked.client().get(at("nodes", node, "sensor-groups"))
    _told(asked, found)


@command.command()
@click.argument("node")
@click.argument("group", type=click.Choice([each.value for each in Group]))
@click.option("--interval-s", type=int, help="Between two readings that count; 0: as is usual.")
@click.option("--minor", type=click.Choice(MILD), help="What a minor reading does.")
@click.option("--major", type=click.Choice(MILD), help="What a major one does.")
@click.option(
    "--critical",
    type=click.Choice(ALL),
    help="What a critical one does; reset and power-cycle alarm as well.",
)
@click.option("--suppress/--no-suppress", default=None, help="The whole group.")
@click.option(
    "--suppress-sensor", "off", multiple=True, metavar="KEY", help="One sensor; may be repeated."
)
@click.option(
    "--count-sensor",
    "on",
    multiple=True,
    metavar="KEY",
    help="One that counts again; may be repeated.",
)
@REASON
@shared()
def group(
    asked: Asked,
    node: str,
    group: str,
    *,
    off: tuple[str, ...],
    on: tuple[str, ...],
    **said: Any,  # noqa: ANN401 - of the options above
) -> None:
    """Change how a group of sensors counts; what is not said stays."""
    body = {name: value for name, value in said.items() if value is not None}
    body["sensors"] = dict.fromkeys(off, True) | dict.fromkeys(on, False)
    path = at("nodes", node, "sensor-groups", group)
    _told(asked, asked.client().send("PATCH", path, json.dumps(body).encode(), headers=JSON))


def _ended(asked: Asked, node: str, what: str, body: bytes) -> None:
    """Have something done about a controller, wait for it, and say how it went."""
    client = asked.client()
    headers = JSON if body else None
    answer = client.send("POST", f"{at('nodes', node)}/bmc:{what}", body, headers=headers)
    if (said := answer["reached"]) is not None:
        if asked.form not in {"table", "wide"}:
            click.echo(output.document(answer, asked.form), nl=False)
        elif said["fault"]:
            text = f"{node}: {said['fault']}: {said['text']}, seen by the centre"
            click.echo("\n".join(each for each in (text, said["todo"]) if each))
        else:
            click.echo(f"{said['text']}, reached by the centre")
        if said["fault"]:
            raise click.exceptions.Exit(ExitCode.CHECK_FAILED)
        return
    found = order.awaited(client, answer["order"], TEST_S)
    if asked.form not in {"table", "wide"}:
        click.echo(output.document(answer | {"order": found}, asked.form), nl=False)
    elif found["state"] == "done":
        click.echo(f"{found['text']}, reached by {answer['by']}")
    elif found["state"] in order.OPEN:
        click.echo(f"{answer['by']} has not answered yet: roost order show {found['id']}")
    else:
        said = f"{node}: {found['code']}: {found['text']}, seen by {answer['by']}"
        click.echo("\n".join(each for each in (said, todo(found["code"])) if each))
    if code := order.exit_code(found):
        raise click.exceptions.Exit(code)


def _told(asked: Asked, found: Any) -> None:  # noqa: ANN401 - JSON
    if asked.form not in {"table", "wide"}:
        click.echo(output.document(found, asked.form), nl=False)
        return
    output.write(found["items"], _COLUMNS, asked.form, name="group")


def _password(file: str) -> str:
    """Return the first line of a file that nobody else may read.

    Raises:
        RefusedError: others may, or there is nothing in it.
    """
    path = Path(file)
    try:
        found = path.stat()
    except OSError as err:
        raise RefusedError(f"{file}: {err.strerror}", ExitCode.USAGE) from err
    if stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid not in {0, os.geteuid()}:
        raise RefusedError(f"{file}: must be yours alone, 0600", ExitCode.USAGE)
    line = _start_of(file, SECRET_CHARS_MAX * 4 + 2).partition("\n")[0]
    if not line:
        raise RefusedError(f"{file}: no password in its first line", ExitCode.USAGE)
    return line


def _start_of(file: str, bytes_max: int) -> str:
    try:
        with Path(file).open("rb") as stream:
            return stream.read(bytes_max).decode()
    except (OSError, UnicodeDecodeError) as err:
        why = err.strerror if isinstance(err, OSError) else "is no text"
        raise RefusedError(f"{file}: {why}", ExitCode.USAGE) from err


def _interval(row: output.Row) -> str:
    return f"{row['interval_s']} s" if row["interval_s"] else "as usual"


def _counts(row: output.Row) -> str:
    if row["suppress"]:
        return "no"
    return f"but {len(row['suppressed'])}" if row["suppressed"] else "yes"


_COLUMNS: Final = [
    output.text("GROUP", "group", whole=True),
    output.number("SENSORS", "sensors"),
    Column("COUNTS", _counts),
    Column("EVERY", _interval),
    output.text("MINOR", "minor"),
    output.text("MAJOR", "major"),
    output.text("CRITICAL", "critical"),
    Column("SET", lambda row: "here" if row["is_set"] else "-"),
    Column("SUPPRESSED", lambda row: ", ".join(row["suppressed"]) or "-", wide=True),
]
