"""``roost profile``: what nodes should be, as reviewed files."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from roost_central.cli import output
from roost_central.cli.client import JSON, Client, at
from roost_central.cli.counted import counted
from roost_central.cli.exits import ExitCode
from roost_central.cli.failure import RefusedError
from roost_central.cli.options import Asked, shared, show
from roost_central.cli.output import Column, Row
from roost_central.cli.plain import plain
from roost_central.cli.profile_waves import Said, wave_options, waves_of
from roost_central.cli.verbs import Verbs
from roost_central.profiles.layer import SOURCE_BYTES_MAX

if TYPE_CHECKING:
    from roost_central.profiles.fault import ProfileFault

PROFILES: Final = "/api/v1/profiles"

FILES = click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
REMOVE = click.option(
    "--remove",
    multiple=True,
    metavar="NAME",
    help="A profile that goes in the same step; may be repeated.",
)


COUNTS: Final = [
    output.text("PROFILE", "profile", whole=True),
    output.number("NODES", "total"),
    output.number("IN SYNC", "in_sync"),
    output.number("PENDING", "pending"),
    output.number("APPLYING", "applying"),
    output.number("WAITING", "waiting"),
    output.number("FAILED", "failed"),
    output.number("UNABLE", "unable"),
    output.number("NO PROFILE", "none"),
    output.number("HELD", "held"),
    output.number("REBOOT", "pending_reboot"),
    output.number("DRIFT", "drifted"),
]


def columns(asked: Asked) -> list[Column]:
    """Return the columns of a list of profiles."""
    return [
        output.text("PROFILE", "name", whole=True),
        output.text("FOR", "layer"),
        Column("TARGET", lambda row: row["target"] or "-", lambda row: row["target"] or None),
        output.number("PRIORITY", "priority", wide=True),
        output.number("NODES", "nodes"),
        output.number("SETTINGS", "settings"),
        output.number("REVISION", "revision"),
        Column("APPLIED", lambda row: asked.clock(row["at"]), lambda row: row["at"]),
        output.text("BY", "by"),
        output.text("TEXT", "text", wide=True),
        Column(
            "FAULT", lambda row: row["fault"] or "-", lambda row: row["fault"] or None, wide=True
        ),
    ]


def _revisions(asked: Asked) -> list[Column]:
    return [
        output.number("REVISION", "revision"),
        Column("APPLIED", lambda row: asked.clock(row["at"]), lambda row: row["at"]),
        output.text("BY", "by"),
        Column("WHAT", lambda row: "removed" if row["source"] is None else "applied"),
        output.text("REASON", "reason"),
    ]


@click.group("profile", cls=Verbs)
def command() -> None:
    """Say what nodes should be: check, preview and apply reviewed files.

    \b
      roost profile check profiles/          without a centre, for a review
      roost profile preview profiles/        who would change what
      roost profile apply profiles/ --expect 812 --groups 1,10%,rest --soak 10m
      roost profile status                   how far nodes have come
      roost node desired edge-1.n1           what counts there, and who says so
    """  # noqa: D301 - click reads \b as "keep these lines"


@command.command("list")
@shared()
def list_(asked: Asked) -> None:
    """List profiles in the order of precedence: what stands below wins."""
    found = asked.client().get(PROFILES, count="true")["items"]
    output.write(found, columns(asked), asked.form, name="name")


@command.command("show")
@click.argument("name")
@click.option("--history", is_flag=True, help="Who applied which text; -o json has the texts.")
@shared()
def show_(asked: Asked, name: str, *, history: bool) -> None:
    """Show one profile with its text."""

    def draw(client: Client) -> str:
        if history:
            rows = client.get(at("profiles", name, "revisions"))["items"]
            return output.render(rows, _revisions(asked), asked.form, name="revision")
        found = client.get(at("profiles", name))
        if asked.form not in {"table", "wide"}:
            return output.document(found, asked.form)
        head = output.render([found], columns(asked), "wide", name="name")
        return f"{head}\n{plain(found['source'], keep_newlines=True)}"

    show(asked, draw)


@command.command()
@click.argument("name", default="")
@shared(watch=True)
def status(asked: Asked, name: str) -> None:
    """Count how far nodes have come: the fleet, and the nodes of each profile or of one."""

    def draw(client: Client) -> str:
        said = client.get(f"{PROFILES}:status")
        of_profiles = [each for each in said["profiles"] if name in {"", each["profile"]}]
        if name and not of_profiles:
            raise RefusedError(f"no node has settings of a profile {name}", ExitCode.NOT_FOUND)
        if asked.form not in {"table", "wide"}:
            return output.document(of_profiles[0] if name else said, asked.form)
        rows = [{"profile": each["profile"], **each["nodes"]} for each in of_profiles]
        whole = [] if name else [{"profile": "(fleet)", **said["nodes"]}]
        return output.render([*rows, *whole], COUNTS, asked.form, name="profile")

    show(asked, draw)


@command.command()
@FILES
def check(files: tuple[Path, ...]) -> None:
    """Check files without a centre: everything but nodes. A folder stands for its *.toml."""
    from roost_central.profiles.change import (  # noqa: PLC0415 - 60 ms that others need not pay
        Wanted,
        change_of,
    )
    from roost_central.profiles.source import ProfileError, read_profile  # noqa: PLC0415 - same

    given, unread = _sources(files)
    if not given and not unread:
        raise RefusedError("no file: roost profile check FILE..., or a folder with *.toml")
    for line in unread:
        click.echo(line, err=True)
    wrong: list[ProfileFault] = []
    for path, source in given:
        try:
            profile = read_profile(source, str(path))
        except ProfileError as err:
            wrong += err.faults
        else:
            click.echo(f"{path}: {profile.name}: for {profile.target or 'the fleet'}")
    if not wrong:
        try:
            change_of(Wanted([(str(path), source) for path, source in given]), ())
        except ProfileError as err:  # they are well one by one
            wrong = err.faults
    for fault in wrong:
        click.echo(_fault_line(fault.file, fault.line, fault.where, fault.detail), err=True)
    if wrong or unread:
        raise click.exceptions.Exit(ExitCode.CHECK_FAILED)


@command.command()
@FILES
@REMOVE
@shared()
def preview(asked: Asked, files: tuple[Path, ...], remove: tuple[str, ...]) -> None:
    """Show who would change what, and what is wrong. Nothing is changed."""
    body = json.dumps(_body(files, remove)).encode()
    plan = asked.client().send("POST", f"{PROFILES}:preview", body, headers=JSON)
    _say(asked, plan, "would change")
    for fault in plan["faults"]:
        detail = fault["detail"] + _of_nodes(fault["nodes"], fault["examples"])
        click.echo(_fault_line(fault["file"], fault["line"], fault["where"], detail), err=True)
    if plan["faults"]:
        raise click.exceptions.Exit(ExitCode.CHECK_FAILED)


@command.command()
@FILES
@REMOVE
@click.option("-m", "--reason", default="", help="Why; it stands with each node's generation.")
@wave_options
@shared()
def apply(
    asked: Asked, files: tuple[Path, ...], remove: tuple[str, ...], reason: str, **waves: Said
) -> None:
    """Make files count, all or none of them. `roost profile preview` shows what that does.

    Nodes of more than one site have it by a rollout that begins at once: `roost rollout watch`
    follows it. With a plan and its gates: `roost rollout plan`.
    """
    _apply(asked, _body(files, remove) | {"reason": reason, **waves_of(waves)})


@command.command("remove")
@click.argument("names", nargs=-1, required=True)
@click.option("-m", "--reason", default="", help="Why.")
@wave_options
@shared()
def remove_(asked: Asked, names: tuple[str, ...], reason: str, **waves: Said) -> None:
    """Take profiles away: nodes have what the others say. As apply: wave by wave."""
    _apply(asked, {"remove": list(names), "reason": reason, **waves_of(waves)})


def _apply(asked: Asked, body: dict[str, Any]) -> None:
    sent = json.dumps(body).encode()
    plan = asked.client().send("POST", f"{PROFILES}:apply", sent, headers=JSON)
    _say(asked, plan, "change")


def _body(files: tuple[Path, ...], remove: tuple[str, ...]) -> dict[str, Any]:
    given, unread = _sources(files)
    if unread:
        raise RefusedError("\n".join(unread))
    if not given and not remove:
        raise RefusedError("no file: roost profile preview FILE..., or --remove NAME")
    sources = [{"file": str(path), "source": source} for path, source in given]
    return {"files": sources, "remove": list(remove)}


def _sources(files: Iterable[Path]) -> tuple[list[tuple[Path, str]], list[str]]:
    """Return each file and its text, of a folder each ``*.toml``; and a line for what is none.

    Of a file that is too long only so much is read that this can be told: it may be a device.
    """
    given, unread = [], []
    for path in files:
        for each in sorted(path.glob("*.toml")) if path.is_dir() else [path]:
            try:
                with each.open("rb") as file:
                    found = file.read(SOURCE_BYTES_MAX + 1)
            except OSError as err:
                unread.append(f"{each}: cannot be read: {err.strerror}")
                continue
            if len(found) > SOURCE_BYTES_MAX:
                unread.append(f"{each}: is longer than {SOURCE_BYTES_MAX} bytes")
                continue
            try:
                given.append((each, found.decode()))
            except UnicodeDecodeError as err:
                line = found.count(b"\n", 0, err.start) + 1
                unread.append(f"{each}:{line}: is no UTF-8: byte {found[err.start]:#04x}")
    return given, unread


def _say(asked: Asked, plan: Row, verb: str) -> None:
    if asked.form in {"table", "wide"}:
        click.echo(plain("\n".join(_told(plan, verb)), keep_newlines=True))
    else:
        click.echo(output.document(plan, asked.form), nl=False)


def _agreeing(verb: str, count: int) -> str:
    """Return a verb as it stands behind so many: one changes, one would change."""
    return f"{verb}s" if count == 1 and " " not in verb else verb


def _told(plan: Row, verb: str) -> Iterator[str]:
    """Yield the lines of a plan for people."""
    for name, outcome in plan["outcomes"].items():
        matched = plan["matched"].get(name)
        yield f"{outcome:<9}  {name}" + ("" if matched is None else f", for {_nodes(matched)}")
    yield f"{_nodes(plan['changed'])} {_agreeing(verb, plan['changed'])}"
    for group in plan["groups"]:
        yield f"\n{_nodes(group['nodes'])}{_named(group['nodes'], group['examples'])}"
        for change in group["changes"]:
            old, new = (_value(change[key]) for key in ("old", "new"))
            yield f"  {change['path']}: {old} -> {new}  ({change['profile']}, {change['mark']})"
    if plan.get("rollout"):
        sizes = ", ".join(str(size) for size in plan["waves"] if size)
        rollout = plan["rollout"]
        yield f"rollout {rollout}, in waves of {sizes} sites: roost rollout watch {rollout}"
    if plan.get("resumed"):
        yield f"{_nodes(plan['resumed'])} of these are held back by a rollout that was aborted"
    if plan["groups_left"]:
        yield f"\nand {plan['groups_left']:,} smaller groups more"
    if plan["unchecked"]:
        yield f"\n{_nodes(plan['unchecked'])} without an inventory: whether they can is not known"
    if plan["unable"]:
        yield (
            f"\n{_nodes(plan['unable'])} of these cannot be told: no identity, or nothing there"
            " that applies settings (`roost node list -q config=unable`)"
        )


def _value(value: object) -> str:
    return "not set" if value is None else json.dumps(value)


def _nodes(count: int) -> str:
    return counted(count, "node")


def _named(count: int, examples: list[str]) -> str:
    return f": {', '.join(examples)}{', ...' if count > len(examples) else ''}"


def _of_nodes(count: int, examples: list[str]) -> str:
    return f" ({_nodes(count)}{_named(count, examples)})" if examples else ""


def _fault_line(file: str, line: int, where: str, detail: str) -> str:
    """Return a fault as compilers tell one, so that editors find the place."""
    place = f"{file}:{line}" if line else file
    return plain(": ".join(part for part in (place, where, detail) if part))
