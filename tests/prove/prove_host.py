"""Proof: hosts of a site stand as they may, whatever is killed, cut, ill or ordered."""

from collections.abc import Callable, Iterator

from host_machine import HostMachine
from machine import proven
from proof import Proof

RUNS = 1_000
STEPS = 60


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Run the machine of three hosts and their coordinator."""
    wanted = Proof(
        "host.machine",
        runs=RUNS,
        failures=0,
        seed=seed,
        note=f"runs of up to {STEPS} steps over three hosts and their coordinator: agents killed "
        "between two actions, boots, a cut LAN, failures, locks; every move a row of the table, "
        "no failure forgotten, the last that serves not failed, a storm blamed on the network",
    )
    yield proven(wanted, HostMachine, steps=STEPS, share=share, say=say)
