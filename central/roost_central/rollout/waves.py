"""Who is in which wave: a stratified canary first, then sites scattered over the fleet. Pure.

The canary covers each kind of site that there is (hardware, roles, link, release) by a greedy
choice, then grows in proportion. Ties break by crc32 of seed and name: the same plan over the same
fleet is the same list of sites (updates.md section 5). A site is in one wave, the first to have it.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Final
from zlib import crc32

from roost_central.rollout.head import AlarmSeen
from roost_central.rollout.plan import Plan, Wave, waves_of
from roost_protocol.errors import ProtocolError

Key = tuple[str, str, str, str]  # hardware model, roles, link, release

KEYS_SHOWN_MAX: Final = 50
NAMED_MAX: Final = 5
SHOWN_CHARS_MAX: Final = 120  # of a query in a sentence about it


@dataclass(frozen=True, slots=True)
class Candidate:
    """A site that the selector holds for, as it is known now.

    Attributes:
        kinds: the kinds of its nodes; several where its nodes differ.
        hw, link: of its first node, and of its label ``link``, for caps.
        nodes: node ids.
        former: the release that it runs, version and digest; empty: it does not say.
        why_not: why it is no canary: alarm, open job, silent; empty: it may be one.
        held: why it would not be offered anything now, whatever its alarms; empty: it would.
        alarms: that are open of it: which of them hold it back the gates of its wave say.
        is_current: it runs the target already.
        is_exposed: it is served by one node, which goes down.
    """

    site: str
    kinds: frozenset[Key]
    hw: str
    link: str
    nodes: tuple[str, ...]
    former: tuple[str, str] = ("", "")
    why_not: str = ""
    held: str = ""
    alarms: tuple[AlarmSeen, ...] = ()
    is_current: bool = False
    is_exposed: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """The sites of each wave, in the order in which they are offered.

    Attributes:
        uncovered: kinds without a usable canary, the most frequent first: kind and sites.
    """

    waves: tuple[tuple[str, ...], ...]
    uncovered: tuple[tuple[Key, int], ...]


def cut(plan: Plan, found: Sequence[Candidate], chosen: Mapping[int, Collection[str]]) -> Cut:
    """Return who is in which wave.

    Args:
        plan: of it, waves and seed.
        found: the sites of its selector.
        chosen: the sites that the selector of a wave holds for, by the wave's index.

    Raises:
        ProtocolError: ``plan``: a wave has nobody, names a site that is not meant or is named
            twice, or nobody is meant at all.
    """
    if not found:
        raise ProtocolError("plan", field="selector", detail=_nobody(plan.selector))
    by_name = {each.site: each for each in found}
    left = dict.fromkeys(scattered(by_name, plan.seed))
    waves = waves_of(plan)
    members: list[tuple[str, ...]] = []
    for index, wave in enumerate(waves):
        if wave.sites is not None:
            some = _named(wave, index, by_name, left)
        elif wave.selector is not None:
            held = chosen[index]
            some = [site for site in left if site in held]
            if not some:
                raise ProtocolError(
                    "plan", field=f"wave[{index}].selector",
                    detail=_nobody(wave.selector, ", of those that earlier waves leave"),
                )  # fmt: skip
        else:
            size = _size(wave, len(found), len(left))
            is_canary = index == 0 and len(waves) > 1
            usable = [by_name[site] for site in left]
            some = _canary(plan, usable, size) if is_canary else list(left)[:size]
        for site in some:
            del left[site]
        members.append(tuple(some))
    if left:
        such = ", ".join(list(left)[:NAMED_MAX]) + (", ..." if len(left) > NAMED_MAX else "")
        detail = f"{len(left)} sites are in no wave ({such}): end with a wave of rest = true"
        raise ProtocolError("plan", field="wave", detail=detail)
    first = [by_name[site] for site in members[0]]
    return Cut(tuple(members), uncovered(first, found) if len(waves) > 1 else ())


def _nobody(selector: str | None, more: str = "") -> str:
    """Return that a query holds for nobody, and how to try it."""
    if not selector:
        return "there is no site that you may release to: roost site list"
    shown = selector if len(selector) <= SHOWN_CHARS_MAX else "QUERY"
    return f"it holds for no site{more}: try it by roost site list -q {quote(shown)}"


def scattered(sites: Iterable[str], seed: int) -> list[str]:
    """Return sites in an order that is no region's: by crc32 of seed and name."""
    salt = crc32(str(seed).encode())
    return sorted(sites, key=lambda site: (crc32(site.encode(), salt), site))


def canary(found: Sequence[Candidate], count: int, seed: int) -> list[str]:
    """Return the sites that go first: one of each kind, then in proportion to the kinds.

    Args:
        found: who is left, in their order.
        count: how many; more where the kinds are more.
        seed: of the plan.
    """
    usable = {each.site: each for each in found if not each.why_not and not each.is_current}
    order = scattered(usable, seed)
    chosen = _cover(usable, order)
    sizes = Counter(kind for each in usable.values() for kind in each.kinds)
    have = Counter(kind for site in chosen for kind in usable[site].kinds)
    queues: dict[Key, list[str]] = defaultdict(list)
    taken = set(chosen)
    for site in reversed(order):
        for kind in usable[site].kinds:
            queues[kind].append(site)
    while len(chosen) < min(count, len(usable)):
        # The kind that is furthest below its share.
        kind = min(
            (each for each in queues if queues[each]),
            key=lambda each: (have[each] / sizes[each], each),
        )
        site = queues[kind].pop()
        if site not in taken:
            taken.add(site)
            chosen.append(site)
            have.update(usable[site].kinds)
    return chosen


def uncovered(
    chosen: Iterable[Candidate], found: Iterable[Candidate]
) -> tuple[tuple[Key, int], ...]:
    """Return the kinds that no canary has, with how many sites have them."""
    have = {kind for each in chosen for kind in each.kinds}
    lacking = Counter(
        kind for each in found if not each.is_current for kind in each.kinds if kind not in have
    )
    return tuple(sorted(lacking.items(), key=lambda one: (-one[1], one[0]))[:KEYS_SHOWN_MAX])


def _canary(plan: Plan, usable: Sequence[Candidate], size: int) -> list[str]:
    """Return the canary of a plan: where kinds may go uncovered it is no larger than was said."""
    chosen = canary(usable, size, plan.seed)
    return chosen[:size] if plan.uncovered_ok else chosen


def _cover(usable: Mapping[str, Candidate], order: Sequence[str]) -> list[str]:
    """Choose one site after the other by how many kinds it adds; ties as they are ordered."""
    groups: dict[frozenset[Key], str] = {}
    for site in order:
        groups.setdefault(usable[site].kinds, site)  # the first of those that are alike
    left = {kind for kinds in groups for kind in kinds}
    place = {site: number for number, site in enumerate(order)}
    chosen = []
    while left:
        kinds = max(groups, key=lambda each: (len(each & left), -place[groups[each]]))
        chosen.append(groups[kinds])
        left -= kinds
    return chosen


def _named(
    wave: Wave, index: int, by_name: Mapping[str, Candidate], left: Collection[str]
) -> list[str]:
    some = list(dict.fromkeys(wave.sites or ()))
    for site in some:
        if site not in by_name:
            detail = (
                f"{site} is no site that the plan's selector holds for: take it out, or widen it"
            )
            raise ProtocolError("plan", field=f"wave[{index}].sites", detail=detail)
        if site not in left:
            detail = f"{site} is in an earlier wave, too: a site goes once, so take it out of one"
            raise ProtocolError("plan", field=f"wave[{index}].sites", detail=detail)
    return some


def _size(wave: Wave, whole: int, left: int) -> int:
    if wave.rest:
        return left
    size = wave.count or 0
    if wave.percent is not None:
        size = -(-whole * wave.percent // 100)
    return min(size, left)
