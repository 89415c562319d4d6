"""``roost user``: who may log in, and what they may."""

import click

from roost_central.cli import output
from roost_central.cli.client import JSON, at
from roost_central.cli.grant_text import ask_secret, body, grant_text, grants_of
from roost_central.cli.options import Asked, shared
from roost_central.cli.output import Column
from roost_central.cli.verbs import Verbs

USERS = "/api/v1/users"


def _columns(asked: Asked) -> list[Column]:
    return [
        output.text("NAME", "name"),
        Column("GRANTS", lambda row: grant_text(row["grants"])),
        Column("STATE", lambda row: "disabled" if row["disabled"] else "enabled"),
        Column("LOGS IN BY", _ways),
        Column("LAST LOGIN", lambda row: asked.clock(row["login"]), lambda row: row["login"]),
        Column(
            "CREATED",
            lambda row: asked.clock(row["created"]),
            lambda row: row["created"],
            wide=True,
        ),
        output.text("ISSUER", "issuer", wide=True),
        output.text("SUBJECT", "subject", wide=True),
    ]


def _ways(row: output.Row) -> str:
    ways = ["password"] if row["password"] else []
    ways += [str(row["issuer"])] if row["issuer"] else []
    return ", ".join(ways) or "token only"


@click.group("user", cls=Verbs)
def command() -> None:
    """Say who may log in, and what each may.

    A grant is ROLE, over the whole fleet, or ROLE@QUERY, over the sites that the query on names and
    labels matches: --grant viewer --grant 'operator@region:r0*'. `roost role list` shows the roles.
    """


@command.command("list")
@shared()
def list_(asked: Asked) -> None:
    """List users."""
    output.write(asked.client().get(USERS)["items"], _columns(asked), asked.form, name="name")


@command.command("show")
@click.argument("name")
@shared()
def show(asked: Asked, name: str) -> None:
    """Show one user."""
    form = "wide" if asked.form == "table" else asked.form
    output.write([asked.client().get(at("users", name))], _columns(asked), form, name="name")


@command.command("whoami")
@shared()
def whoami(asked: Asked) -> None:
    """Show who you are here, by which proof, and what you may."""
    me = asked.client().get("/api/v1/me")
    if asked.form not in {"table", "wide"}:
        click.echo(output.document(me, asked.form), nl=False)
        return
    everywhere = set(me["everywhere"])
    may = [each if each in everywhere else f"{each} (some sites)" for each in me["permissions"]]
    click.echo(f"{me['name']} by {me['via']}: {grant_text(me['grants'])}")
    click.echo(f"  may: {', '.join(may) or 'nothing'}")


@command.command("add")
@click.argument("name")
@click.option("--grant", "grants", multiple=True, metavar="ROLE[@QUERY]", help="May be repeated.")
@click.option("--no-password", is_flag=True, help="Logs in by a provider, or not at all.")
@click.option("--issuer", help="URL of the OpenID provider.")
@click.option("--subject", help="Who it is there: the sub of its tokens.")
@shared()
def add(  # noqa: PLR0913 - each an option
    asked: Asked,
    name: str,
    grants: tuple[str, ...],
    issuer: str | None,
    subject: str | None,
    *,
    no_password: bool,
) -> None:
    """Add a user. The password is asked for on a terminal, or read from standard input."""
    given = grants_of(grants)
    password = None if no_password or issuer else ask_secret("Password", twice=True)
    sent = body(name=name, grants=given, password=password, issuer=issuer, subject=subject)
    asked.client().send("POST", USERS, sent, headers=JSON)
    hint = "" if given else f"; may nothing yet: roost user grant {name} --grant ROLE"
    click.echo(f"{name}: {grant_text(given)}{hint}", err=True)


@command.command("grant")
@click.argument("name")
@click.option(
    "--grant",
    "grants",
    multiple=True,
    required=True,
    metavar="ROLE[@QUERY]",
    help="May be repeated.",
)
@shared()
def grant(asked: Asked, name: str, grants: tuple[str, ...]) -> None:
    """Replace what a user may by these grants."""
    client = asked.client()
    there = client.get(at("users", name))
    sent = body(grants=grants_of(grants), disabled=there["disabled"])
    done = client.send("PUT", at("users", name), sent, headers=JSON)
    click.echo(f"{name}: {grant_text(done['grants'])}", err=True)


@command.command("disable")
@click.argument("name")
@shared()
def disable(asked: Asked, name: str) -> None:
    """Let a user in no more; its logins end and its tokens are refused."""
    _turn(asked, name, is_disabled=True)


@command.command("enable")
@click.argument("name")
@shared()
def enable(asked: Asked, name: str) -> None:
    """Let a user in again."""
    _turn(asked, name, is_disabled=False)


@command.command("password")
@click.argument("name", required=False)
@shared()
def password(asked: Asked, name: str | None) -> None:
    """Set your password, or as an admin another's. In a pipe: the present one, then the new one.

    The present one is asked for where it is your own and you have one.
    """
    client = asked.client()
    me = str(client.get("/api/v1/me")["name"])
    name = name or me
    current = ask_secret("Present password (none: a dash)") if name == me else ""
    new = ask_secret("New password", twice=True)
    sent = body(password=new, current="" if current == "-" else current)
    client.send("PUT", at("users", name, "password"), sent, headers=JSON)
    click.echo(f"{name}: the password is changed; logins of before are over", err=True)


@command.command("delete")
@click.argument("name")
@shared()
def delete(asked: Asked, name: str) -> None:
    """Remove a user with all tokens."""
    asked.client().send("DELETE", at("users", name), b"")


def _turn(asked: Asked, name: str, *, is_disabled: bool) -> None:
    client = asked.client()
    there = client.get(at("users", name))
    sent = body(grants=there["grants"], disabled=is_disabled)
    client.send("PUT", at("users", name), sent, headers=JSON)
