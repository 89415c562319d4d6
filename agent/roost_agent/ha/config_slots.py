"""Groups of model ``N+M``: each of the N is a slot, a group with a lease of its own.

What the file says once becomes N slots ``GROUP-1`` to ``GROUP-N`` on the same hosts, with the same
services. Leaves to others: which host takes which slot (slots).
"""

from collections.abc import Iterable, Iterator

from roost_agent.ha.config import LEASES_MAX, Group, HaFile, Slot

NAME_MAX = 32


def expanded(groups: Iterable[Group]) -> tuple[Group, ...]:
    """Return the groups with the slots of each N+M group in its place."""
    return tuple(each for group in groups for each in _slots(group))


def slot_faults(said: HaFile, group: Group) -> Iterator[str]:
    """Yield what is wrong with an N+M group, each naming field, value and what it must be."""
    where = f"group[{group.name}]"
    if group.active is None:
        yield f'{where}.active: missing; model "N+M" needs how many are active at once'
        return
    if group.active + group.spares > len(group.hosts):
        yield (
            f"{where}.hosts: {len(group.hosts)} hosts: {group.active} active and {group.spares}"
            f" standby need {group.active + group.spares}"
        )
    strangers = [host for host in group.hosts if host not in said.voters]
    if strangers and said.is_whole("voters"):
        yield f"{where}.hosts: {', '.join(strangers)}: in this version only a voter may host it"
    if said.is_whole("voters") and len(said.voters) < 3:  # noqa: PLR2004 - a majority
        yield f'{where}.model: "N+M" needs three or five voters'
    if group.vip:
        yield f'{where}.vip: an address is for one node, and "N+M" has {group.active} active'
    if group.preempt != "never":
        yield f'{where}.preempt: {group.preempt}: model "N+M" moves no slot by itself: "never"'
    if len(f"{group.name}-{group.active}") > NAME_MAX:
        yield f"{where}.name: {group.name!r}: its slots' names pass {NAME_MAX} characters"


def lease_faults(said: HaFile) -> Iterator[str]:
    """Yield what is wrong with the leases of all groups taken together."""
    leases = [each for each in expanded(said.groups) if each.has_lease]
    if len(leases) + 1 > LEASES_MAX:
        yield (
            f"group: {len(leases) + 1} leases with the built-in one and every slot:"
            f" bound {LEASES_MAX}"
        )
    names = {each.name for each in said.groups}
    slots = dict.fromkeys(each.name for each in leases if isinstance(each, Slot))
    for slot in slots:
        if slot in names:
            yield f"group: {slot!r} is a group's name and a slot's"


def _slots(group: Group) -> Iterator[Group]:
    if group.model != "N+M":
        yield group
        return
    said = {name: getattr(group, name) for name in group.__struct_fields__}
    for number in range(1, (group.active or 0) + 1):
        yield Slot(**said | {"name": f"{group.name}-{number}"}, family=group.name)
