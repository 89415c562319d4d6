"""``roost-agent``: the resident agent, its probe, and what a person on the node may ask of it.

Each command is a module that is imported when it is asked for: the resident agent carries none of
the others.
"""

import importlib
import os
import sys
from typing import Final

from roost_agent.errors import AgentError
from roost_agent.options import HELP as HELP_WORDS
from roost_agent.options import HelpAsked
from roost_protocol import __version__

FAILED: Final = 1
USAGE: Final = 2

HELP: Final = """\
usage: roost-agent COMMAND [OPTION...]

  join [URL]    make this box a node of a fleet  (join --help)
  renew         get the next certificate now     [--state-dir DIR]
  run           run the agent                    [--config PATH] [--log-level LEVEL]
  check-box     begin a run by asking whether the identity is this box's (run does it)
  check-config  say what is wrong with it        [--config PATH]
  status        show the running agent           [--json]
  path hold NAME --for TIME                      take a path out of service, a day at most
  path release NAME                              bring it back
  alarm raise|clear|clear-all|list|log ...       say or show what is wrong (alarm --help)
  reprobe [CLASS...]                             look at the hardware now
  probe [CLASS...]                               probe once, print what is there (probe --help)
  config status|diff                             settings: what is applied, what differs
  verify order                                   is the order on standard input genuine?
  update status|history|hold|release             software updates of this node
  verify refresh|release|commit|anchor|show      may a release be installed here? (docs/releases.md)
  sign          sign a receipt of an update      (docs/updates.md; the agent does it)
  serve         lend the site what was fetched   (docs/updates.md; the agent does it)
  fetch         bring a release into the mirror  (docs/updates.md; the agent does it)
  fetch-image   bring an image for another host  (docs/hosts.md; the agent does it)
  import DIR    take releases from a stick that `roost release export` wrote [--clock-ok]
  host show | processes                          this host and its site; its processes [--json]
  host lock | unlock | swact | recover | reboot | force-lock --reason TEXT   act on it
  host maintenance on --for TIME --reason TEXT | off   do nothing about it by itself
  health        what the health scripts say      [--run] [--json]
  bmc show|set|test|sensors|power|boot|media|fence   board controllers (bmc --help)
  samples       the last day, measured by minute [SERIES...] [--hours N] [--json|--csv]
  ha check [FILE]                                say what an HA configuration means (ha --help)
  sim           simulate a fleet                 (sim --help)
  --version, --help

PATH is a file or a folder with agent.toml and conf.d/*.toml; the default is /etc/roost.
status, path, reprobe, host, health, samples, update and ha find the agent by --config PATH or
--state-dir DIR.
TIME is a number with s, m or h. LEVEL is debug, info or warning.
"""

COMMANDS: Final = {  # name -> module, function of the arguments that follow
    "join": ("roost_agent.enrol.command", "run"),
    "renew": ("roost_agent.enrol.renew", "run"),
    "run": ("roost_agent.commands", "run"),
    "check-box": ("roost_agent.enrol.anew", "run"),
    "check-config": ("roost_agent.commands", "check_config"),
    "status": ("roost_agent.control.command", "status"),
    "path": ("roost_agent.control.command", "path"),
    "reprobe": ("roost_agent.control.command", "reprobe"),
    "alarm": ("roost_agent.alarms.command", "run"),
    "probe": ("roost_agent.discovery.command", "run"),
    "bmc": ("roost_agent.bmc.command", "run"),
    "config": ("roost_agent.config_apply.command", "run"),
    "verify": ("roost_agent.verify", "run"),
    "import": ("roost_agent.trust.bring", "run"),
    "ha": ("roost_agent.ha.command", "run"),
    "health": ("roost_agent.host.health.command", "run"),
    "update": ("roost_agent.update.command", "run"),
    "sign": ("roost_agent.trust.sign", "run"),
    "serve": ("roost_agent.fetch.serve", "run"),
    "fetch": ("roost_agent.fetch.command", "run"),
    "fetch-image": ("roost_agent.fetch.image", "run"),
    "host": ("roost_agent.host.command", "run"),
    "samples": ("roost_agent.host.samples.command", "run"),
    "sim": ("roost_agent.sim.command", "run"),
}


def main() -> None:
    """Run the command line and exit."""
    status = command(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: it would wait for a connect that hangs in the resolver (paths/mqtt.py).
    os._exit(status)


def command(argv: list[str]) -> int:  # noqa: PLR0911 - one way to end, one return
    """Run one command and return its exit status."""
    name, *rest = argv or ["--help"]
    if name in {*HELP_WORDS, "help"}:
        print(HELP, end="")
        return 0
    if name == "--version":
        print(f"roost-agent {__version__}")
        return 0
    if name not in COMMANDS:
        print(f"roost-agent: no command {name!r}; see roost-agent --help", file=sys.stderr)
        return USAGE
    try:
        return _run(*COMMANDS[name], rest)
    except HelpAsked as asked:
        print(asked, end="")
        return 0
    except AgentError as err:
        for line in str(err).splitlines():
            print(f"roost-agent: {line}", file=sys.stderr)
        return err.exit_status
    except SystemExit as err:  # argparse has told what is wrong
        return err.code if isinstance(err.code, int) else FAILED


def _run(module: str, function: str, argv: list[str]) -> int:
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as err:
        if err.name is None or not module.startswith(err.name):
            raise
        raise AgentError(f"{module} is not part of this installation") from err
    status: int = getattr(found, function)(argv)
    return status


if __name__ == "__main__":
    main()
