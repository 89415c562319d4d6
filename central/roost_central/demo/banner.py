"""What the demo tells a person: where it is, what to try, and how it went."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from roost_central.demo import cast, rollouts, sensor
from roost_central.demo.fleet import Fleet
from roost_central.demo.machine import SWAPPINESS

CUT_SITES_MIN = 100  # a seventh of them is cut, and ten silent at once are an incident


def program(name: str) -> str:
    """Return how the user calls a program of this installation."""
    beside = Path(sys.executable).with_name(name)
    for folder in os.get_exec_path():
        if Path(folder, name) == beside:
            return name
    try:
        return str(beside.relative_to(Path.cwd()))
    except ValueError:
        return str(beside)


def ready(  # noqa: PLR0913 - what the block names
    url: str,
    token: str,
    folder: Path,
    pids: Mapping[str, int | None],
    summary: str,
    *,
    fleet: Fleet | None = None,
) -> str:
    """Return the one block that is printed when everything was heard."""
    roost, agent = program("roost"), program("roost-agent")
    token_file = folder / "central" / "admin.token"
    state = cast.state_dir(folder, "n1")
    return f"""
{summary}

  dashboard  {url}
  token      {token}
             (kept in {token_file}, readable by you alone)

  In another terminal:
    export ROOST_URL={url} ROOST_TOKEN_FILE={token_file} ROOST_NODES={folder}
    {roost} status
    {roost} site show {cast.SITE}
    {roost} ha status {cast.SITE}
    {roost} node inventory {cast.SITE}.n1
    {roost} site list -q 'status>=degraded' -w
{_rollouts(folder, has_site=fleet is not None) if fleet or "simulator" in pids else ""}
{"" if fleet is None else _fleet(folder, fleet)}
  Break something, and watch it:
    {agent} path hold lan-a --for 1m --state-dir {state}
    {agent} alarm raise 750.801 --entity app=pump --severity major --text "Pressure 9 bar" \\
        --socket {state}/alarm.sock
    {roost} ha drill {cast.SITE} --cut lan-a --for 20s
      one network of the active node: its service goes to the better connected one
    kill -9 {pids["n2"]}
      the agent of n2: unreachable in some 12 s, started again after {cast.AGENT_AGAIN_S:g} s
    kill -9 {pids["n1"]}
      the agent of n1; where it is the active one, its guard ends the service at the lease's
      deadline and n2 takes over within some 9 s: {roost} ha explain {cast.SITE}
    kill -9 {pids["lan-a"]}
      a broker of the site, which n1 watches: an alarm once it is away for 2 s, over when it has
      run for 25 s again: {roost} host processes {cast.SITE}.n1
    kill -STOP {pids["centre"]}; sleep 300; kill -CONT {pids["centre"]}
      the centre is away for five minutes: nothing is lost
    {roost} demo --fault 'cut carrier=carB region=r0[1-5] at=3m for=3m'
      after Ctrl-C here; half a minute after the cut the dark sites are one incident
      with its cause, from {CUT_SITES_MIN} sites on: {roost} incident list

  Logs are in {folder / "logs"}. Ctrl-C ends everything.
"""


def _rollouts(folder: Path, *, has_site: bool) -> str:
    """Return how a good release and a bad one are rolled out, and the bad one is undone.

    Args:
        folder: of the demo.
        has_site: the real site installs releases, too.
    """
    roost, plans = program("roost"), rollouts.plans(folder, site=cast.SITE if has_site else "")
    good, bad = plans[sensor.GOOD], plans[sensor.BAD]
    reading = cast.machine(folder, cast.NODES[0]).root / sensor.READING
    site = f"""
    cat {reading}
      what its program writes, on a node of {cast.SITE}: nothing before the first release"""
    whom = f"the fleet; {cast.SITE} installs it, signed" if has_site else "the simulated fleet"
    return f"""
  Roll a release over {whom}:
    {roost} rollout plan {good}
    {roost} rollout create {good} --start
    {roost} rollout watch ID
      some three minutes; the first letters of the ID are enough{site if has_site else ""}
    {roost} rollout create {bad} --start
      once that is done; this one ends as soon as it runs: it halts in the canary, within a minute
    {roost} rollout failures ID
    {roost} rollout rollback ID -m "it ends at once"
"""


def _fleet(folder: Path, fleet: Fleet) -> str:
    """Return what only nodes with an identity can: orders, settings, and letting one more in."""
    roost, agent = program("roost"), program("roost-agent")
    first, state = f"{cast.SITE}.{cast.NODES[0]}", cast.state_dir(folder, cast.NODES[0])
    newcomer = cast.newcomer(folder)
    return f"""
  The nodes of {cast.SITE} got identities, by a token over HTTPS; simulated ones have none:
    {roost} node order {first} refresh-inventory --wait
    {roost} profile apply {cast.profile(folder)}
      what these nodes should be; it changes files below {cast.SITE}.*/machine, not this machine
    {roost} node desired {first}
    echo 60 > {state / "machine" / SWAPPINESS}
    {agent} config diff --told {state / "told"} --root {state / "machine"}
      other hands; the centre knows within five minutes: {roost} drift list
    {roost} node reapply {first} -m "changed by hand"

  Let one more box in, with a token, or without one and by six words that you compare:
    {roost} enrol token create --site {cast.SITE} --node {cast.NEWCOMER} --auto-approve
    {agent} join {fleet.url} --config {newcomer} --token -
    {agent} run --config {newcomer}
      without --token -: {roost} enrol list; {roost} enrol approve BOX \\
        --site {cast.SITE} --node {cast.NEWCOMER} --words "THE SIX WORDS"
"""


def summary(status: Mapping[str, Any], seconds: float) -> str:
    """Return one line of what the centre has."""
    sites, nodes, ingest = status["sites"], status["nodes"], status["ingest"]
    refused = sum(ingest["refused"].values())
    return (
        f"roost demo: {sites['total']:,} sites and {nodes['total']:,} nodes after {seconds:.0f} s; "
        f"{ingest['beats']:,} beats, {ingest['items']:,} items committed, {refused:,} refused"
    )
