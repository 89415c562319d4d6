"""The command tree: which file holds which noun, loaded when it is asked for."""

import sys
from difflib import get_close_matches
from importlib import import_module

try:
    import click
except ModuleNotFoundError:  # the edge wheel has no operator's command
    sys.exit("roost: the operator's command needs its packages: pip install 'roost[central]'")

from roost_central.cli.exits import ExitCode
from roost_central.cli.failure import report_failure

NOUNS = {  # name -> (module, one line for --help)
    "context": ("context", "Name the centres this command speaks to."),
    "status": ("status", "Show the counts of the fleet and the state of the centre."),
    "site": ("site", "List, show and label sites."),
    "label": ("label", "Group sites and nodes by labels, one or all that match."),
    "node": ("node", "List and show nodes; order, replace, quarantine or revoke them."),
    "host": ("host", "See nodes as hosts and act on them: lock, switchover, reboot."),
    "bmc": ("bmc_set", "Set, reach and show board controllers of nodes."),
    "inventory": ("fleet_inventory", "List, search, compare and export what the fleet is made of."),
    "query": ("query", "Explain a query: its fields, and where each part is answered."),
    "order": ("order", "List, approve and cancel orders to nodes."),
    "profile": ("profile", "Say what nodes should be: check, preview and apply reviewed files."),
    "release": ("release", "Make, sign, publish and show releases of software."),
    "rollout": (
        "rollout",
        "Send a release or settings to sites wave by wave, and stop where sites fail.",
    ),
    "drift": ("drift", "List settings that other hands changed; adopt them or undo them."),
    "path": ("path", "List the paths of every node."),
    "alarm": ("alarm", "List, show and act on alarms."),
    "incident": ("incident", "List, show and close incidents: many alarms that are one thing."),
    "event": ("event", "List what happened."),
    "ha": ("ha", "See local HA of sites, and try it on this machine's nodes."),
    "enrol": ("enrol", "Let boxes in: who waits, and by which tokens and lists."),
    "northbound": ("northbound", "List where alarms go out, and test it."),
    "user": ("user", "Say who may log in, and what each may."),
    "token": ("token", "Make and revoke tokens for programs."),
    "role": ("role", "Show the roles that grants give."),
    "audit": ("audit", "Read who did what, and check that nothing of it was changed."),
    "view": ("view", "Keep pages of the console under a name, each with a link for others."),
    "ca": ("ca", "Make the keys of a fleet, and their successors."),
    "login": ("login", "Keep the address and the token of a centre."),
    "demo": ("demo", "Run the whole loop on this machine: a real site and a simulated fleet."),
    "sim": ("sim", "Simulate a fleet against a broker."),
    "completion": ("completion", "Print the completion script of a shell."),
}

UNANSWERED = (
    "\nroost: nobody is here to answer: nothing was done; where a verb has -y, it says yes\n"
)


class Nouns(click.Group):
    """Loads the file of a noun when the noun is used; its plural is the same noun."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the nouns in the order of the table."""
        del ctx
        return list(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a noun, importing its file."""
        name = cmd_name if cmd_name in NOUNS else cmd_name.removesuffix("s")
        if name not in NOUNS:
            return None
        if ctx.params.get("help") or ctx.resilient_parsing:
            return click.Command(name, short_help=NOUNS[name][1])
        command: click.Command = import_module(f"roost_central.cli.{NOUNS[name][0]}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the noun; of one that is none, say which may have been meant."""
        if not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            near = get_close_matches(args[0], NOUNS, n=1)
            meant = f" Did you mean {near[0]!r}?" if near else " `roost --help` lists them."
            raise click.UsageError(f"No such command {args[0]!r}.{meant}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of nouns from the table, without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in NOUNS.items()])


@click.command(cls=Nouns, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-c", "--context", help="Which centre; see `roost context list`.")
@click.version_option(package_name="roost", prog_name="roost")
@click.pass_context
def roost(ctx: click.Context, context: str | None) -> None:
    """See and steer a fleet of small remote sites.

    \b
      roost demo --sites 500            the whole loop on this machine
      roost site list -q 'status>=degraded' -w
      roost node inventory lab.n1 --diff 7d
      roost alarm list -q 'sev>=major op=none' -w

    Exit codes: 0 ok, 1 error, 2 usage or bad query, 3 not found, 4 not allowed, 5 conflict,
    6 timed out, 7 partial failure, 8 check failed, 130 interrupted.
    """  # noqa: D301 - click reads \b as "keep these lines"
    ctx.obj = context


def main() -> None:
    """Run the command; every failure ends in one sentence and its exit code."""
    try:
        left = roost.main(standalone_mode=False)
        sys.exit(left if isinstance(left, int) else ExitCode.OK)  # click returns a verb's Exit
    except (click.Abort, KeyboardInterrupt) as err:
        if isinstance(err, click.Abort) and not (sys.stdin and sys.stdin.isatty()):
            sys.stderr.write(UNANSWERED)
        sys.exit(ExitCode.INTERRUPTED)
    except click.ClickException as err:
        err.show()
        sys.exit(ExitCode.USAGE if isinstance(err, click.UsageError) else ExitCode.ERROR)
    except BrokenPipeError:  # `roost node list | head`
        sys.stderr.close()
        sys.exit(ExitCode.OK)
    except Exception as err:  # noqa: BLE001 - the top of the program: a sentence, not a traceback
        sys.exit(report_failure(err))
