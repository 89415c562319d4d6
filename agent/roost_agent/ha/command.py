"""``roost-agent ha``: what a person on the node may ask of local high availability.

Each verb is a module that is imported when it is asked for.
"""

import importlib
import sys
from typing import Final

USAGE: Final = 2

HELP: Final = """\
usage: roost-agent ha VERB [OPTION...]

  check FILE            say what is wrong with an HA configuration, or what it means
  keygen NODE NODE...   print a key file for these nodes; put it on each, mode 0600
  status                who holds what, who is there, by which paths          [-o json]
  explain               what was decided of late, and why          [--last N] [-o json]
  switchover GROUP      give a group that runs here to another node      [--to NODE]
  maintenance GROUP on --ttl TIME | off   neither watch it here nor let it come here
  may-go-down           yes, after transfer, or no and why; exit status 0, 4, 3   [-o json]
  test-watchdog --confirm-reset   have the watchdog reset this machine, to see that it does
  drill --cut PATH | --stop broker --for TIME   break it for a while, and see what happens
  takeover GROUP --confirm-peer-off       of a pair: you have seen that its peer is off
  voters add NODE | remove NODE [--disk-gone]   change who votes, one at a time
"""

VERBS: Final = {  # name -> module, function of the arguments that follow
    "check": ("roost_agent.ha.check", "run"),
    "status": ("roost_agent.ha.ask", "status"),
    "explain": ("roost_agent.ha.ask", "explain"),
    "switchover": ("roost_agent.ha.ask", "switchover"),
    "maintenance": ("roost_agent.ha.ask", "maintenance"),
    "takeover": ("roost_agent.ha.ask", "takeover"),
    "may-go-down": ("roost_agent.ha.ask", "may_go_down"),
    "test-watchdog": ("roost_agent.ha.ask", "test_watchdog"),
    "drill": ("roost_agent.ha.ask_drill", "drill"),
    "voters": ("roost_agent.ha.ask", "voters"),
    "keygen": ("roost_agent.ha.keys", "keygen"),
}


def run(argv: list[str]) -> int:
    """Run one verb and return its exit status."""
    verb, *rest = argv or ["--help"]
    if verb in {"--help", "-h", "help"}:
        sys.stdout.write(HELP)
        return 0
    if verb not in VERBS:
        sys.stderr.write(f"roost-agent: no verb {verb!r}; see roost-agent ha --help\n")
        return USAGE
    module, function = VERBS[verb]
    status: int = getattr(importlib.import_module(module), function)(rest)
    return status
