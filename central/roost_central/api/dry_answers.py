"""What a plan would do, as an answer."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from roost_central.api.profile_answers import GroupAnswer
from roost_central.api.rollout_site_answers import SITES_SHOWN_MAX
from roost_central.rollout.dry import Dry
from roost_central.rollout.waves import Key

_MS: Final = 1_000


class DryWave(msgspec.Struct, frozen=True):
    """A wave of a plan: at best and with slow sites, in seconds after the start.

    ``blockers``: why sites would not be updated as they are now, and how many; ``blocked_first``:
    the first of them.
    """

    wave: int
    name: str
    sites: int
    first: list[str]
    begins_s: list[int]
    ends_s: list[int]
    bytes_wan: int
    current: int
    exposed: int
    exposed_first: list[str]
    blockers: dict[str, int]
    blocked_first: dict[str, list[str]] = {}


class KindAnswer(msgspec.Struct, frozen=True):
    """A kind of site: hardware, roles, link and release."""

    hw: str
    roles: str
    link: str
    release: str
    sites: int


class SectionDry(msgspec.Struct, frozen=True):
    """A section of settings that changes: how many settings, and on how many nodes and sites.

    ``mark``: the most that one of them takes; ``affects_service``: one restarts a service, waits
    for a reboot, or touches how a node is reached.
    """

    section: str
    settings: int
    nodes: int
    sites: int
    mark: str
    affects_service: bool


class DryAnswer(msgspec.Struct, frozen=True):
    """What a plan would do; ``refusals``: why it would not be taken.

    Of profiles: ``sections`` that change, ``changes`` with the nodes of each, the largest group
    first, of which ``changes_left`` are not shown, and ``unable``: nodes that take no settings.
    """

    kind: str
    name: str
    component: str
    version: str
    digest: str
    plan_digest: str
    sites: int
    nodes: int
    bytes_wan: int
    approvers: int
    waves: list[DryWave]
    uncovered: list[KindAnswer]
    refusals: list[str]
    sections: list[SectionDry] = []
    changes: list[GroupAnswer] = []
    changes_left: int = 0
    unable: int = 0


def dry_waves(dry: Dry) -> list[DryWave]:
    """Return the waves of a plan."""
    return [
        DryWave(
            wave=index + 1,
            name=wave.name,
            sites=len(wave.sites),
            first=list(wave.sites[:SITES_SHOWN_MAX]),
            begins_s=_seconds(wave.begins_ms),
            ends_s=_seconds(wave.ends_ms),
            bytes_wan=wave.bytes_wan,
            current=wave.current,
            exposed=len(wave.exposed),
            exposed_first=list(wave.exposed[:SITES_SHOWN_MAX]),
            blockers={why: len(sites) for why, sites in wave.blockers.items()},
            blocked_first={
                why: list(sites[:SITES_SHOWN_MAX]) for why, sites in wave.blockers.items()
            },
        )
        for index, wave in enumerate(dry.waves)
    ]


def kinds(uncovered: Iterable[tuple[Key, int]]) -> list[KindAnswer]:
    """Return kinds of sites."""
    return [
        KindAnswer(hw, roles, link, release, sites)
        for (hw, roles, link, release), sites in uncovered
    ]


def _seconds(times_ms: Sequence[int]) -> list[int]:
    return [each // _MS for each in times_ms]
