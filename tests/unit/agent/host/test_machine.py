"""Hosts of a site through whatever happens: the machine of the proof ``host.machine``, bounded."""

from host_machine import HostMachine
from hypothesis import settings

TestHostMachine = HostMachine.TestCase
TestHostMachine.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
