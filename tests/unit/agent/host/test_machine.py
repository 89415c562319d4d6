"""Hosts of a site through whatever happens: the machine of the proof ``host.machine``, bounded."""

from host_machine import HostMachine
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test


def test_hosts_stand_as_they_may_whatever_happens():
    # A course that fails is not made smaller here: that takes minutes, and the proof does it.
    found = (Phase.reuse, Phase.generate)
    bounds = settings(max_examples=200, stateful_step_count=40, deadline=None, phases=found)
    run_state_machine_as_test(HostMachine, settings=bounds)
