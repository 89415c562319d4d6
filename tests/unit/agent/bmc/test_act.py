"""The machine here takes orders as the real ones do: late, not at all, or politely refusing."""

import pytest

from roost_agent.bmc.act import TRIES, act, read_power, set_boot
from roost_agent.bmc.driver import Order
from roost_agent.bmc.fault import BmcError, Fault
from roost_agent.bmc.talk import Power, Verb


class Time:
    def __init__(self):
        self.s = 0.0

    async def sleep(self, seconds):
        self.s += seconds


class Machine:
    """One whose power follows an order after some seconds; ``obeys`` are the orders it follows."""

    def __init__(self, power=Power.ON, *, late_s=3.0, obeys=frozenset(Order), refuses=()):
        self.time = Time()
        self.orders = []
        self._power, self._late_s, self._obeys, self._refuses = power, late_s, obeys, refuses
        self._changes = []
        self.flickers = []
        self.boots = "none"
        self.keeps_boot = True

    async def power(self):
        for at, power in [each for each in self._changes if each[0] <= self.time.s]:
            self._power = power
            self._changes.remove((at, power))
        return self.flickers.pop(0) if self.flickers else self._power

    async def order(self, order):
        if order in self._refuses:
            raise BmcError(Fault.REFUSED, "no")
        self.orders.append(order)
        if order in self._obeys:
            off = order in {Order.OFF, Order.SHUTDOWN}
            self._changes.append((self.time.s + self._late_s, Power.OFF if off else Power.ON))

    async def boot(self):
        return self.boots

    async def set_boot(self, device, *, once):
        if self.keeps_boot:
            self.boots = device


async def did(machine, verb, *, forced=True, is_own=False):
    return await act(machine, verb, forced=forced, is_own=is_own, waiting=machine.time)


async def test_an_order_that_was_taken_and_did_nothing_is_a_failure():
    machine = Machine(obeys=())
    with pytest.raises(BmcError, match="the power reads on, not off") as told:
        await did(machine, Verb.OFF)
    assert told.value.fault is Fault.UNCONFIRMED
    assert machine.orders == [Order.OFF] * TRIES


async def test_off_is_believed_when_it_is_read_twice_a_second_apart():
    machine = Machine(obeys=())
    machine.flickers = [Power.ON, Power.OFF, Power.ON, Power.OFF, Power.OFF]
    began = machine.time.s
    await did(machine, Verb.OFF)
    assert machine.flickers == [], "the first off was of a moment, and not believed"
    assert machine.time.s > began


async def test_a_machine_that_takes_ten_seconds_is_waited_for_with_one_order():
    machine = Machine(late_s=10.3)
    assert await did(machine, Verb.OFF) is Power.OFF
    assert machine.orders == [Order.OFF]


async def test_the_operating_system_is_asked_first_and_then_nobody():
    machine = Machine(obeys={Order.OFF})
    assert await did(machine, Verb.OFF, forced=False) is Power.OFF
    assert machine.orders == [Order.SHUTDOWN, Order.SHUTDOWN, Order.OFF]


async def test_a_polite_order_that_is_refused_is_skipped():
    machine = Machine(refuses={Order.SHUTDOWN})
    assert await did(machine, Verb.OFF, forced=False) is Power.OFF
    assert machine.orders == [Order.OFF]


async def test_one_that_refuses_everything_says_so():
    machine = Machine(refuses=frozenset(Order))
    with pytest.raises(BmcError, match="no"):
        await did(machine, Verb.OFF)


async def test_what_is_so_already_is_told_nothing():
    machine = Machine(Power.OFF)
    assert await did(machine, Verb.OFF) is Power.OFF
    assert await did(Machine(), Verb.ON) is Power.ON
    assert machine.orders == []


async def test_a_power_cycle_is_off_that_is_read_and_on_that_is_read():
    machine = Machine()
    assert await did(machine, Verb.CYCLE) is Power.ON
    assert machine.orders == [Order.OFF, Order.ON]


async def test_the_own_machine_is_cycled_by_one_order():
    machine = Machine()
    await did(machine, Verb.CYCLE, is_own=True)
    assert machine.orders == [Order.CYCLE]


async def test_a_machine_without_power_is_not_reset():
    machine = Machine(Power.OFF)
    with pytest.raises(BmcError, match="power-on is the order for that"):
        await did(machine, Verb.RESET)
    assert machine.orders == []


async def test_a_machine_that_stays_off_after_a_reset_is_told():
    machine = Machine(late_s=1)
    machine._obeys = ()
    machine.flickers = [Power.ON] + [Power.OFF] * 60
    with pytest.raises(BmcError, match="after a reset"):
        await did(machine, Verb.RESET)


async def test_status_changes_nothing():
    machine = Machine(Power.OFF)
    assert await did(machine, Verb.STATUS) is Power.OFF
    assert machine.orders == []


async def test_a_boot_device_that_reads_otherwise_is_a_failure():
    machine = Machine()
    assert await set_boot(machine, "pxe", once=True) == "pxe"
    machine.keeps_boot = False
    with pytest.raises(BmcError, match="boot device reads pxe, not disk"):
        await set_boot(machine, "disk", once=True)


@pytest.mark.parametrize("verb", [Verb.RESET, Verb.OFF, Verb.CYCLE])
async def test_an_order_after_which_nobody_answers_may_have_been_taken(verb):
    machine = Machine()
    ordered = machine.order

    async def order(wanted):
        await ordered(wanted)
        machine.power = silent

    async def silent():
        raise BmcError(Fault.UNREACHABLE, "nobody answers")

    machine.order = order
    with pytest.raises(BmcError, match="may have been; then: nobody answers") as told:
        await did(machine, verb)
    assert told.value.fault is Fault.UNCONFIRMED


async def test_a_machine_that_was_switched_off_to_be_cycled_and_is_not_switched_on_is_told():
    with pytest.raises(BmcError, match="it was switched off; then: no") as told:
        await did(Machine(refuses={Order.ON}), Verb.CYCLE)
    assert told.value.fault is Fault.UNCONFIRMED


async def test_a_reset_that_is_refused_was_not_ordered():
    with pytest.raises(BmcError) as told:
        await did(Machine(refuses={Order.RESET}), Verb.RESET)
    assert told.value.fault is Fault.REFUSED


async def test_a_machine_is_off_where_it_reads_so_twice():
    machine = Machine(Power.OFF)
    assert await read_power(machine, machine.time) is Power.OFF
    assert machine.time.s == 1.0


async def test_a_machine_that_reads_off_once_is_of_unknown_power():
    machine = Machine()
    machine.flickers = [Power.OFF, Power.ON]
    assert await read_power(machine, machine.time) is Power.UNKNOWN
    assert machine.flickers == []
