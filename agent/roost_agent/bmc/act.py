"""Does something to a machine's power or next boot, and believes nothing but what it reads then.

Power changes take seconds (10.3 s from ForceOff to Off were measured at an emulator), and some
controllers answer "done" and do nothing. So an act succeeds when the state is read: off twice, one
second apart. Leaves to others: whether it may be done at all.
"""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from roost_agent.bmc.driver import Driver, Order
from roost_agent.bmc.fault import BmcError, Fault
from roost_agent.bmc.talk import BootDevice, Power, Verb

LOOK_S: Final = 1.0  # between two reads
READ_S: Final = 30.0  # after an order, until what it ordered is read
TRIES: Final = 5  # of an order, 20 s apart (StarlingX); the first half asks politely
TRY_S: Final = 20.0
POLITE: Final = 2
SETTLE_S: Final = 2.0  # a reset is over sooner than it could be seen; then the power must be on


# After these nobody knows whether an order that was on its way was taken.
_BROKEN_OFF: Final = frozenset({Fault.UNREACHABLE, Fault.TIMEOUT, Fault.GARBAGE})


class Waiting(Protocol):
    """How an act waits; a test has no patience."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class Patience:
    """Real waiting."""

    async def sleep(self, seconds: float) -> None:
        """See Waiting."""
        await asyncio.sleep(seconds)


async def act(
    machine: Driver, verb: Verb, *, forced: bool, is_own: bool, waiting: Waiting
) -> Power:
    """Do it, and return the power as it was read last.

    Args:
        machine: whose.
        verb: what.
        forced: power-off without asking the operating system first.
        is_own: the machine is the one that asks, and would not live to give a second order.
        waiting: how.

    Raises:
        BmcError: ``unconfirmed`` where what is read is not what was ordered; else as the driver's.
    """
    match verb:
        case Verb.STATUS:
            return await machine.power()
        case Verb.ON:
            await _reach(machine, Power.ON, (Order.ON,), waiting)
        case Verb.OFF:
            polite = 0 if forced else POLITE
            orders = (Order.SHUTDOWN,) * polite + (Order.OFF,) * (TRIES - polite)
            await _reach(machine, Power.OFF, orders, waiting)
        case Verb.CYCLE if not is_own:
            await _reach(machine, Power.OFF, (Order.OFF,) * 2, waiting)
            with _once_given("it was switched off", frozenset(Fault)):
                await _reach(machine, Power.ON, (Order.ON,) * 2, waiting)
        case Verb.CYCLE | Verb.RESET:
            await _restart(machine, verb, waiting)
    return await machine.power()


async def read_power(machine: Driver, waiting: Waiting) -> Power:
    """Return the power; off where it reads so twice, and unknown where it does once."""
    power = await machine.power()
    if power is not Power.OFF:
        return power
    await waiting.sleep(LOOK_S)
    return power if await machine.power() is power else Power.UNKNOWN


async def set_boot(machine: Driver, device: BootDevice, *, once: bool) -> str:
    """Choose the device of the next boot, and return what is read then.

    Raises:
        BmcError: ``unconfirmed`` where another is read.
    """
    await machine.set_boot(device, once=once)
    read = await machine.boot()
    if read != device:
        raise BmcError(Fault.UNCONFIRMED, f"boot device reads {read or 'unknown'}, not {device}")
    return read


async def _reach(
    machine: Driver, wanted: Power, orders: tuple[Order, ...], waiting: Waiting
) -> None:
    if not await _reads_twice(machine, wanted, waiting):
        with _once_given(f"power {wanted} was ordered, or may have been"):
            await _ordered(machine, wanted, orders, waiting)


async def _ordered(
    machine: Driver, wanted: Power, orders: tuple[Order, ...], waiting: Waiting
) -> None:
    taken, refusal = 0, None
    for index, order in enumerate(orders):
        try:
            await machine.order(order)
        except BmcError as err:
            if err.fault not in {Fault.REFUSED, Fault.UNSUPPORTED}:
                raise
            refusal = err  # a polite order may be refused by who takes the other
            continue
        taken += 1
        is_last = index == len(orders) - 1
        if await _waited(machine, wanted, READ_S if is_last else TRY_S, waiting):
            return
    if not taken and refusal is not None:
        raise refusal
    power = await machine.power()
    text = f"the power reads {power}, not {wanted}, after {taken} orders"
    raise BmcError(Fault.UNCONFIRMED, text)


async def _waited(machine: Driver, wanted: Power, seconds: float, waiting: Waiting) -> bool:
    """Return whether a power is read within a time."""
    for _ in range(round(seconds / LOOK_S)):
        await waiting.sleep(LOOK_S)
        if await _reads_twice(machine, wanted, waiting):
            return True
    return False


async def _reads_twice(machine: Driver, wanted: Power, waiting: Waiting) -> bool:
    """Return whether a power is read, and off twice: a first reading may be of a moment."""
    if await machine.power() is not wanted:
        return False
    if wanted is Power.ON:
        return True
    await waiting.sleep(LOOK_S)
    return await machine.power() is wanted


async def _restart(machine: Driver, verb: Verb, waiting: Waiting) -> None:
    """Have a machine that has power start anew by one order."""
    if await machine.power() is not Power.ON:
        raise BmcError(Fault.REFUSED, f"{verb}: the machine is off: power-on is the order for that")
    with _once_given(f"a {verb} was ordered, or may have been"):
        await machine.order(Order.RESET if verb is Verb.RESET else Order.CYCLE)
        await waiting.sleep(SETTLE_S)
        is_on = await _waited(machine, Power.ON, READ_S, waiting)
        power = await machine.power()
    if not is_on:
        raise BmcError(Fault.UNCONFIRMED, f"the power reads {power} {READ_S:g} s after a {verb}")


@contextmanager
def _once_given(what: str, faults: Collection[Fault] = _BROKEN_OFF) -> Iterator[None]:
    """Have what fails after an order left be ``unconfirmed``: nobody is to give it again."""
    try:
        yield
    except BmcError as err:
        if err.fault not in faults:
            raise
        raise BmcError(Fault.UNCONFIRMED, f"{what}; then: {err}") from err
