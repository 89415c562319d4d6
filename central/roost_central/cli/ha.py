"""``roost ha``: how a site's local HA stands, why, and what is tried on this machine's nodes."""

from contextlib import suppress
from typing import Any

import click

from roost_central.cli import local, output, settings, times
from roost_central.cli.client import Client, at
from roost_central.cli.exits import FROM_HTTP_STATUS, ExitCode
from roost_central.cli.failure import ApiError, RefusedError, UnreachableError
from roost_central.cli.options import Asked, shared, show
from roost_central.cli.output import Column
from roost_central.cli.verbs import Verbs
from roost_protocol.configuration import SITE_LEASE

USAGE = 2  # of the agent's command
CHANGES_MAX = 1000

SITES = [
    output.text("SITE", "site", whole=True),
    output.text("REDUNDANCY", "redundancy"),
    output.text("STATUS", "status"),
    Column("HEARD", lambda row: times.age(row["age_s"]), lambda row: row["heard"], right=True),
]
GROUPS = [
    output.text("GROUP", "group", whole=True),
    output.text("MODEL", "model"),
    Column("ACTIVE", lambda row: ", ".join(row["active"]) or "nobody"),
    output.number("EPOCH", "epoch"),
    Column("STANDBY", lambda row: ", ".join(row["standby"]) or "-"),
    output.text("REDUNDANCY", "redundancy"),
    Column("MISSING", lambda row: "; ".join(map(_lack, row["lacks"])) or "-"),
    output.text("WHY", "why", prose=True),
]
HOSTS = [
    output.text("GROUP", "group"),
    output.text("HOST", "node"),
    output.text("ROLE", "role"),
    output.text("WHY NOT", "why_not"),
    Column("SERVICES", lambda row: _pairs(row["services"])),
]
NODES = [
    output.text("NODE", "node"),
    Column(
        "HEARD", lambda row: times.age(row["heard_age_s"]), lambda row: row["heard"], right=True
    ),
    Column("VOTER", lambda row: "yes" if row["is_voter"] else "no"),
    Column("MAJORITY", lambda row: "heard" if row["has_quorum"] else "not heard"),
    output.number("HEALTH", "health"),
    Column("TOLD", lambda row: times.age(row["age_s"]), lambda row: row["as_of"], right=True),
    Column("FAULTS", lambda row: "; ".join(row["faults"]) or "-"),
]


@click.group("ha", cls=Verbs)
def command() -> None:
    """See local HA of sites, and try it on this machine's nodes.

    A site decides by itself. status and explain show what its nodes told the centre; switchover,
    maintenance and drill go through the socket of a node on this machine. A takeover by an
    operator's word is on the node alone: `roost-agent ha takeover`.
    """


@command.command()
@click.argument("site", required=False)
@shared(query=True, watch=True)
def status(asked: Asked, site: str | None) -> None:
    """Show who is active of what. Without SITE: all sites with local HA, or those of -q."""

    def draw(client: Client) -> str:
        if site is None:
            query = f"({asked.query}) redundancy!=none" if asked.query else "redundancy!=none"
            rows = client.pages("/api/v1/sites", filter=query)
            return output.render(rows, SITES, asked.form, name="site")
        found = client.get(at("sites", site, "ha"))
        if asked.form not in {"table", "wide"}:
            return output.document(found, asked.form)
        return _site(found, asked.form)

    show(asked, draw)


@command.command()
@click.argument("site")
@click.option("--all", "everything", is_flag=True, help="Peers, paths and votes as well.")
@click.option(
    "--since",
    metavar="TIME",
    default="30d",
    show_default=True,
    help="RFC 3339, or a span such as 7d.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, CHANGES_MAX),
    default=50,
    show_default=True,
    help="How many at most.",
)
@shared(watch=True)
def explain(asked: Asked, site: str, *, everything: bool, since: str, limit: int) -> None:
    """Say why: changes of role, each a sentence, newest first."""

    def draw(client: Client) -> str:
        page = client.get(
            at("sites", site, "ha", "history"),
            what="all" if everything else "roles", since=since, limit=limit,
        )  # fmt: skip
        columns = [
            Column("AT", lambda row: asked.clock(row["at"]), lambda row: row["at"]),
            Column("NODE", lambda row: (row["node"] or "").partition(".")[2]),
            output.text("DECISION", "text", prose=True),
        ]
        return output.render(page["items"], columns, asked.form, name="seq")

    show(asked, draw)


@command.command()
@click.argument("site")
@click.argument("group")
@click.option("--to", metavar="NODE", help="Default: the first that could.")
@click.option("--force", is_flag=True, help="Also to a node that joined a moment ago.")
def switchover(site: str, group: str, to: str | None, *, force: bool) -> None:
    """Give a group to another node. The node that runs it must be on this machine."""
    node = _holder(site, group)
    words = [*(["--to", to] if to else []), *(["--force"] if force else [])]
    _done(node.run("ha", "switchover", group, *words))


@command.command()
@click.argument("site")
@click.argument("group")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--ttl", metavar="TIME", help="Of on, e.g. 30m; a day at the most.")
@click.option("--node", metavar="NODE", help="Which, where several are on this machine.")
def maintenance(site: str, group: str, state: str, ttl: str | None, node: str | None) -> None:
    """Let a group be on a node of this machine for a while: not watched, and not moved there."""
    chosen = _chosen(_here(site), node, site)
    _done(chosen.run("ha", "maintenance", group, state, *(["--ttl", ttl] if ttl else [])))


@command.command()
@click.argument("site")
@click.option(
    "--cut", multiple=True, metavar="PATH", help="Of the node; or a network. May be repeated."
)
@click.option("--stop", type=click.Choice(["broker"]), help="The node's site broker.")
@click.option(
    "--for", "span", metavar="TIME", default="30s", show_default=True, help="5 s to 5 min."
)
@click.option("--node", metavar="NODE", help="Default: one that is active of a group.")
def drill(site: str, cut: tuple[str, ...], stop: str | None, span: str, node: str | None) -> None:
    """Break something on a node of this machine for a while, and say what happened.

    Frames are dropped in the agent, or its broker is stopped; it ends by itself. A drill on top of
    a fault is refused.
    """
    nodes = _here(site)
    chosen = _chosen(nodes, node, site) if node else next(filter(_is_active, nodes), nodes[0])
    words = [word for each in cut for word in ("--cut", each)]
    words += ["--stop", stop] if stop else []
    click.echo(f"on {chosen.name}:", err=True)
    _done(chosen.run("ha", "drill", *words, "--for", span))


def _site(found: dict[str, Any], form: str) -> str:
    if not found["nodes"]:
        return f"{found['site']}: no node of it takes part in local HA (ha.file of its agents)\n"
    voters = ", ".join(found["voters"]) + (" (sticky)" if found["sticky"] else "")
    head = f"{found['site']}  redundancy {found['redundancy']}  profile {found['profile']}"
    hosts = [
        {**host, "group": group["group"], "why_not": host["why_not"] or "-"}
        for group in found["groups"]
        for host in group["hosts"]
        if group["model"] != "site"
    ]
    tables = [
        output.render(found["groups"], GROUPS, form, name="group"),
        output.render(hosts, HOSTS, form, name="node"),
        output.render(found["nodes"], NODES, form, name="node"),
        _matrix(found),
    ]
    return "\n".join([f"{head}  voters {voters}\n", *tables])


def _matrix(found: dict[str, Any]) -> str:
    """Return who hears whom: a row for each pair, a column for each path."""
    names = [way["name"] for way in found["ways"]]
    columns = [
        output.text("NODE", "node"),
        output.text("HEARS", "peer"),
        output.text("AS", "state"),
        *(output.text(name.upper(), name) for name in names),
    ]
    rows = [{**cell, **cell["paths"]} for cell in found["matrix"]]
    return output.render(rows, columns, "table", name="node")


def _lack(lack: dict[str, Any]) -> str:
    return lack["why"] if lack["age_s"] is None else f"{lack['why']}, {times.age(lack['age_s'])}"


def _pairs(services: dict[str, str]) -> str:
    return ", ".join(f"{name} {state}" for name, state in services.items()) or "-"


def _here(site: str) -> list[local.LocalNode]:
    """Return the nodes of a site on this machine.

    Raises:
        ApiError: the centre says that there is no such site.
        RefusedError: there is one, as far as the centre could be asked, and no node of it is here.
    """
    if nodes := local.nodes_of(site):
        return nodes
    with suppress(UnreachableError, RefusedError):
        _known(site)
    raise local.nobody_here(site)


def _known(site: str) -> None:
    """Ask the centre whether there is a site; whoever may not ask is told nothing."""
    context = click.get_current_context().find_object(str)
    try:
        Client(settings.choose(context)).get(at("sites", site))
    except ApiError as err:
        if FROM_HTTP_STATUS.get(err.status) is ExitCode.NOT_FOUND:
            raise


def _holder(site: str, group: str) -> local.LocalNode:
    """Return the local node that runs a group.

    Raises:
        RefusedError: none does; says who does, as far as they know.
    """
    holder, known = None, set()
    for node in _here(site):
        for lease in (node.ask("ha", "status", "-o", "json") or {}).get("leases", []):
            if lease["lease"] == group and lease["phase"] == "holding":
                return node
            if lease["lease"] == group:
                holder = lease["holder"] or holder
            known.add(lease["lease"])
    if group not in known:
        there = ", ".join(sorted(known - {SITE_LEASE})) or "none that its nodes here know"
        raise RefusedError(
            f"{site} has no group {group!r} that fails over; there are: {there}", ExitCode.CONFLICT
        )
    where = f"runs on {holder}, which is not on this machine" if holder else "runs nowhere now"
    raise RefusedError(f"{group} of {site} {where}", ExitCode.CONFLICT)


def _is_active(node: local.LocalNode) -> bool:
    status = node.ask("ha", "status", "-o", "json") or {}
    return any(
        lease["phase"] == "holding" and not lease.get("built_in", False)
        for lease in status.get("leases", [])
    )


def _chosen(nodes: list[local.LocalNode], name: str | None, site: str) -> local.LocalNode:
    known = ", ".join(node.name for node in nodes)
    if name is None and len(nodes) == 1:
        return nodes[0]
    for node in nodes:
        if node.name == name:
            return node
    if name is None:
        raise RefusedError(f"say which with --node: {known}", ExitCode.USAGE)
    raise RefusedError(f"no node {name} of {site} on this machine; there are {known}")


def _done(code: int) -> None:
    if code:
        raise click.exceptions.Exit(ExitCode.USAGE if code == USAGE else ExitCode.ERROR)
