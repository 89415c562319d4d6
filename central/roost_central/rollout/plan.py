"""A plan: which release, for whom, in which waves, and what stops it, as its file says it. Pure.

Leaves to others: how it is read and what is refused (plan_file.py), what holds where it says
nothing (rules.py), how many must approve it (approvers.py), who is in which wave (waves.py).
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from roost_central.rollout.kpi import KPIS_MAX
from roost_central.rollout.table import Kind
from roost_protocol.patterns import NO_CONTROLS
from roost_protocol.update import PARALLEL_MAX, ComponentText, FailureType, VersionText
from roost_protocol.update_verbs import SHA256_PATTERN
from roost_protocol.window import Window, longest_shut_ms
from roost_protocol.window import check as check_window

WAVES_MAX: Final = 32
SITES_MAX: Final = 100_000
SITES_NAMED_MAX: Final = 1_000
IN_FLIGHT_MAX: Final = SITES_MAX  # StarlingX stops at 5,000
RATE_MAX: Final = 100_000  # sites a minute
FILES_MAX: Final = 64  # of profiles: a folder that is reviewed together
SITE_TZ: Final = "site"  # the zone of the site's label ``tz``, UTC where it has none
DAY_NAMES: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LEEWAY_MS: Final = 3_600_000  # of a window in a deadline: a change of wall time, or work in it

_Percent = Annotated[int, Meta(ge=0, le=100)]
_Sites = Annotated[int, Meta(ge=1, le=SITES_MAX)]
_Seconds = Annotated[int, Meta(ge=0, le=604_800)]
_InFlight = Annotated[int, Meta(ge=1, le=IN_FLIGHT_MAX)]
_Attempts = Annotated[int, Meta(ge=0, le=20)]
_Apply = Literal["serial", "parallel", "ignore"]
_Word = Annotated[str, Meta(min_length=1, max_length=64, pattern=NO_CONTROLS)]
_File = Annotated[str, Meta(min_length=1, max_length=255, pattern=NO_CONTROLS)]
_QueryText = Annotated[str, Meta(max_length=2_048)]


class InFlight(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many sites may be at work at once: of all rollouts, a wave, one hardware, one link."""

    fleet: _InFlight = 500
    wave: _InFlight = 200
    hw_model: _InFlight = 200
    link: _InFlight = 20


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sites a minute: ``base``, times ``factor`` with each ``grow_after`` successes, to ``max``."""

    base: Annotated[int, Meta(ge=1, le=RATE_MAX)] = 10
    factor: Annotated[float, Meta(ge=1.0, le=10.0)] = 1.5
    max: Annotated[int, Meta(ge=1, le=RATE_MAX)] = 1_000
    grow_after: Annotated[int, Meta(ge=1, le=SITES_MAX)] = 20


class Gates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must hold: StarlingX's alarm restrictions, a person's word before the wave, figures.

    ``kpi``: texts as rollout/kpi.py reads them.
    """

    alarms: Literal["strict", "relaxed", "permissive"] = "relaxed"
    manual: bool = False
    kpi: Annotated[list[_QueryText], Meta(max_length=KPIS_MAX)] = []


class WeekWindow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When nodes may go down; ``tz``: an IANA zone, or ``site``."""

    days: Annotated[
        list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]],
        Meta(min_length=1, max_length=7),
    ]
    start: str
    minutes: int
    tz: str = SITE_TZ

    def of(self, site_tz: str) -> Window:
        """Return the window of a site in this zone.

        Raises:
            ProtocolError: ``field``: it is none.
        """
        days = tuple(sorted({DAY_NAMES.index(day) for day in self.days}))
        made = Window(days, self.start, self.minutes, site_tz if self.tz == SITE_TZ else self.tz)
        check_window(made)
        return made

    @property
    def needs_ms(self) -> int:
        """What a wave's deadline has to be at least, for the window to open in it; 0: any."""
        shut_ms = longest_shut_ms(self.of("UTC"))
        return shut_ms and shut_ms + LEEWAY_MS


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a wave goes; None: what stands behind it says.

    Attributes:
        success_pct, error_pct: of finished; error_pct counts from min_finished on.
        error_abs: so many failures stop it, whatever the percentage.
        error_types: that count; empty: all.
        site_soak_s: for which a site is watched after its update; soak_s: the wave after its last.
        silent_s: after which a site that went silent by its update counts as lost.
        deadline_h: of the wave; not said, it has the longest wait for its window on top.
        retry: attempts after the first, by type of failure.
    """

    success_pct: _Percent | None = None
    error_pct: _Percent | None = None
    error_abs: _Sites | None = None
    min_finished: _Sites | None = None
    error_types: list[FailureType] | None = None
    max_in_flight: InFlight | None = None
    rate: Rate | None = None
    site_soak_s: _Seconds | None = None
    soak_s: _Seconds | None = None
    silent_s: Annotated[int, Meta(ge=10, le=86_400)] | None = None
    deadline_h: Annotated[float, Meta(gt=0, le=720)] | None = None
    window: WeekWindow | None = None
    gates: Gates | None = None
    on_error: Literal["pause", "abort", "rollback"] | None = None
    on_unreachable: Literal["catch_up", "drop"] | None = None
    retry: dict[FailureType, _Attempts] | None = None


class Wave(Rules, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A wave as a plan says it: exactly one of count, percent, rest, selector and sites."""

    name: _Word = ""
    count: _Sites | None = None
    percent: Annotated[int, Meta(ge=1, le=100)] | None = None
    rest: bool = False
    selector: _QueryText | None = None
    sites: Annotated[list[_Word], Meta(min_length=1, max_length=SITES_NAMED_MAX)] | None = None

    @property
    def sizes(self) -> int:
        """In how many ways it says who is in it."""
        said = (self.count, self.percent, self.selector, self.sites)
        return sum(each is not None for each in said) + self.rest


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A plan as its file says it.

    Attributes:
        component, version: of the release; empty: it is of profiles.
        profiles, remove: files of profiles that come, beside the plan, and names of those that go.
        digest, size: of the release, where this centre has no repository that knows it.
        reboot: nodes have another boot after it.
        selector: a query over sites.
        seed: of the canary's ties and the order.
        approvers: that it takes; the signer's policy may want more, never fewer.
        late_max_pct: sites that may join later, of those that it began with.
        expected_alarms: that are no failure.
        supersede: sites that an older rollout of the component still has are taken over from it.
        uncovered_ok: kinds of site without a usable canary may follow untested.
    """

    name: _Word
    component: ComponentText = ""
    version: VersionText = ""
    profiles: Annotated[list[_File], Meta(max_length=FILES_MAX)] = []
    remove: Annotated[list[_Word], Meta(max_length=FILES_MAX)] = []
    digest: Annotated[str, Meta(pattern=SHA256_PATTERN)] | None = None
    size: Annotated[int, Meta(ge=0, le=1 << 40)] = 0
    reboot: bool = False
    selector: _QueryText = ""
    seed: Annotated[int, Meta(ge=0, le=1 << 32)] = 0
    reason: Annotated[str, Meta(max_length=500, pattern=NO_CONTROLS)] = ""
    approvers: Annotated[int, Meta(ge=0, le=8)] = 1
    late_max_pct: _Percent = 1
    uncovered_ok: bool = False
    supersede: bool = False
    controllers: Literal["serial", "ignore"] = "serial"
    storage: _Apply = "serial"
    workers: _Apply = "serial"
    max_parallel_workers: Annotated[int, Meta(ge=1, le=PARALLEL_MAX)] = 2
    max_parallel_storage: Annotated[int, Meta(ge=1, le=PARALLEL_MAX)] = 2
    instances: Literal["migrate", "stop-start"] = "migrate"
    ignore_alarms: Annotated[list[_Word], Meta(max_length=64)] = []
    expected_alarms: Annotated[list[_Word], Meta(max_length=64)] = []
    wave_defaults: Rules = msgspec.field(default_factory=Rules)
    wave: Annotated[list[Wave], Meta(max_length=WAVES_MAX)] = []

    @property
    def kind(self) -> Kind:
        """What it brings."""
        return Kind.PROFILE if self.profiles or self.remove else Kind.RELEASE


USUAL: Final = (Wave(name="canary", count=5), Wave(name="5 %", percent=5),
                Wave(name="25 %", percent=25), Wave(name="rest", rest=True))  # fmt: skip


def waves_of(plan: Plan) -> list[Wave]:
    """Return the waves of a plan, the usual ones where it says none."""
    return list(plan.wave or USUAL)
