"""``roost host``: nodes as hosts: states, acts on them, their processes, what they measured."""

from typing import Final

import click

from roost_central.cli import bmc, host_act, host_samples, host_state, output, times
from roost_central.cli.client import Client, at
from roost_central.cli.options import Asked, shared, show
from roost_central.cli.output import Column
from roost_central.cli.verbs import Verbs

STALE_S: Final = 3_600.0  # a node that watches any tells them every half hour


@click.group("host", cls=Verbs)
def command() -> None:
    """See nodes as hosts and act on them: lock, switchover, reboot."""


_STATES: Final = (host_state.list_, host_state.show_, host_state.history, host_state.evidence)
for _verb in (*_STATES, *host_act.COMMANDS):
    command.add_command(_verb)
command.add_command(host_samples.samples)
command.add_command(bmc.sensors)


def _columns(asked: Asked) -> list[Column]:
    return [
        output.text("PROCESS", "process", whole=True),
        output.text("STATE", "state"),
        Column("SINCE", lambda row: asked.clock(row["since"]), lambda row: row["since"]),
        output.text("SEVERITY", "severity"),
        output.text("MODE", "mode"),
        output.number("PID", "pid"),
        output.number("RESTARTS", "restarts"),
        output.number("IN A ROW", "in_row", wide=True),
        output.text("WHY", "reason"),
        output.text("FILE", "file", wide=True),
    ]


@command.command()
@click.argument("node")
@shared(watch=True)
def processes(asked: Asked, node: str) -> None:
    """Show the processes that a node watches, as it said them last."""

    def draw(client: Client) -> str:
        found = client.get(at("nodes", node, "processes"))
        if asked.form not in {"table", "wide"}:
            return output.document(found, asked.form)
        if found["as_of"] is None:
            return f"{node} watches no process, or has not said so yet\n"
        is_stale = found["age_s"] > STALE_S
        note = ": an old word, it is silent or watches none any more" if is_stale else ""
        heads = [f"told {times.age(found['age_s'])} ago{note}"]
        heads += [f"degraded by {name}: {worst}" for name, worst in found["degrade"].items()]
        heads += [f"fault: {fault}" for fault in found["faults"]]
        rows = output.render(found["processes"], _columns(asked), asked.form, name="process")
        return "\n".join(heads) + "\n\n" + rows

    show(asked, draw)
