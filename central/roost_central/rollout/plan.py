"""A plan: which release, for whom, in which waves, and what stops it. A TOML file. Pure.

What a wave does not say the plan's ``[wave_defaults]`` says, and then the defaults here; the first
wave is the canary and has stricter ones. The bytes of the file are what people review and sign.

Leaves to others: who is in which wave (waves.py), what nodes have (gate.py, core.py).
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from roost_central.fleet.query_suggest import hint
from roost_central.rollout.kpi import KPIS_MAX, Kpi, read_kpi
from roost_central.rollout.table import Kind
from roost_protocol.errors import ProtocolError
from roost_protocol.patterns import NO_CONTROLS
from roost_protocol.update import ComponentText, FailureType, VersionText
from roost_protocol.update_verbs import SHA256_PATTERN
from roost_protocol.window import Window, longest_shut_ms
from roost_protocol.window import check as check_window

PLAN_BYTES_MAX: Final = 65_536
WAVES_MAX: Final = 32
SITES_MAX: Final = 100_000
SITES_NAMED_MAX: Final = 1_000
IN_FLIGHT_MAX: Final = SITES_MAX  # StarlingX stops at 5,000
RATE_MAX: Final = 100_000  # sites a minute
FILES_MAX: Final = 64  # of profiles: a folder that is reviewed together
TWO_APPROVE_ABOVE: Final = 1_000  # sites
SITE_TZ: Final = "site"  # the zone of the site's label ``tz``, UTC where it has none
DAY_NAMES: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LEEWAY_MS: Final = 3_600_000  # of a window in a deadline: a change of wall time, or work in it
RETRY_FIRST_MS: Final = 900_000  # then twice as late each time,
RETRY_MS_MAX: Final = 6 * 3_600_000  # up to this

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
    max_parallel_workers: Annotated[int, Meta(ge=1, le=10)] = 2
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
_USUAL_RULES: Final = Rules(
    success_pct=95,
    error_pct=5,
    error_abs=10,
    min_finished=10,
    error_types=[],
    max_in_flight=InFlight(),
    rate=Rate(),
    site_soak_s=300,
    soak_s=1_800,
    silent_s=600,
    deadline_h=72.0,
    gates=Gates(),
    on_error="pause",
    on_unreachable="catch_up",
    retry={FailureType.DOWNLOAD: 3, FailureType.PRECHECK: 2},
)
# A machine that cannot be what a profile says is none a quarter of an hour later either.
_USUAL_OF_PROFILES: Final = msgspec.structs.replace(_USUAL_RULES, retry={})
_CANARY_RULES: Final = Rules(success_pct=100, error_pct=100, error_abs=1, soak_s=3_600)


@dataclass(frozen=True, slots=True)
class Settled:
    """The rules of one wave, each of them said; see Rules for what they mean."""

    success_pct: int
    error_pct: int
    error_abs: int
    min_finished: int
    error_types: frozenset[FailureType]
    max_in_flight: InFlight
    rate: Rate
    site_soak_ms: int
    soak_ms: int
    silent_ms: int
    deadline_ms: int
    window: WeekWindow | None
    gates: Gates
    on_error: str
    on_unreachable: str
    retry: dict[FailureType, int]
    kpis: tuple[Kpi, ...] = ()

    def retry_ms(self, failure: FailureType, attempt: int) -> int | None:
        """Return after how long another attempt begins; None: there is none.

        Args:
            failure: of this attempt.
            attempt: the one that failed, from 1.
        """
        if attempt > self.retry.get(failure, 0):
            return None
        return min(RETRY_FIRST_MS << min(attempt - 1, 10), RETRY_MS_MAX)


_decoder: Final = msgspec.json.Decoder(Plan)


def read_plan(raw: bytes) -> Plan:
    """Return the plan in a TOML file.

    Raises:
        ProtocolError: ``plan``: it is none; ``field``: what it says cannot be.
    """
    if len(raw) > PLAN_BYTES_MAX:
        raise ProtocolError("plan", field="size", got=len(raw), bound=f"{PLAN_BYTES_MAX} bytes")
    try:
        said: Any = tomllib.loads(raw.decode())
    except (ValueError, RecursionError) as err:  # no UTF-8, no TOML, or a number of 4,301 digits
        raise ProtocolError("plan", detail=str(err)[:200]) from err
    try:
        plan = msgspec.convert(said, Plan)
    except msgspec.ValidationError as err:
        text, _, where = str(err).partition(" - at `")
        field = where.rstrip("`").removeprefix("$.") or "plan"
        raise ProtocolError("plan", field=field, detail=f"{text[:200]}{_meant(text)}") from err
    _check(plan)
    return plan


def _meant(text: str) -> str:
    """Return which key may have been meant, where one is unknown."""
    word = text.partition("unknown field `")[2].rstrip("`")
    kinds = (Plan, Wave, Gates, Rate, InFlight, WeekWindow)
    known = {name for each in kinds for name in each.__struct_encode_fields__}
    return hint(word, known) if word else ""


def plan_digest(raw: bytes) -> str:
    """Return the digest under which a plan is approved: SHA-256 of the file."""
    return sha256(raw).hexdigest()


def texts_digest(files: Sequence[tuple[str, str]], remove: Sequence[str]) -> str:
    """Return the digest of what a rollout of profiles brings: SHA-256 of names and texts."""
    told = msgspec.msgpack.encode(([list(each) for each in files], list(remove)))
    return sha256(told).hexdigest()


def waves_of(plan: Plan) -> list[Wave]:
    """Return the waves of a plan, the usual ones where it says none."""
    return list(plan.wave or USUAL)


def settled(plan: Plan, index: int) -> Settled:
    """Return the rules of a wave; beyond the last: of the catch-up wave, which is as the last."""
    waves = waves_of(plan)
    wave: Rules = waves[min(index, len(waves) - 1)]
    canary = _CANARY_RULES if index == 0 and len(waves) > 1 else Rules()
    usual = _USUAL_RULES if plan.kind is Kind.RELEASE else _USUAL_OF_PROFILES
    layers = (wave, plan.wave_defaults, canary, usual)
    pick: dict[str, Any] = {
        name: next((value for each in layers if (value := getattr(each, name)) is not None), None)
        for name in Rules.__struct_fields__
    }
    made: dict[str, Any] = {
        f"{name}_ms": pick.pop(f"{name}_s") * 1_000 for name in ("site_soak", "soak", "silent")
    }
    made["deadline_ms"] = round(pick.pop("deadline_h") * 3_600_000)
    if pick["window"] is not None and not (wave.deadline_h or plan.wave_defaults.deadline_h):
        made["deadline_ms"] += pick["window"].needs_ms
    made["kpis"] = tuple(read_kpi(each) for each in pick["gates"].kpi)
    return Settled(**{**pick, **made, "error_types": frozenset(pick["error_types"])})


def approvers_of(plan: Plan, sites: int, least: int) -> int:
    """Return how many people must sign: what the plan, its size and the signer's policy want.

    Args:
        plan: says how many; it can ask for more than the others, not for fewer.
        sites: it is for.
        least: of the signer's own policy; 0: nobody has to (a demo).
    """
    return max(plan.approvers, least_approvers(sites, least))


def least_approvers(sites: int, least: int) -> int:
    """Return how many people must sign whatever a plan says.

    Args:
        sites: it is for.
        least: of the signer's own policy; 0: nobody has to (a demo).
    """
    return least and max(least, 2 if sites > TWO_APPROVE_ABOVE else 1)


def _check(plan: Plan) -> None:
    _check_kind(plan)
    waves = waves_of(plan)
    for index, wave in enumerate(waves):
        if wave.sizes != 1:
            bound = "one of count, percent, rest, selector, sites"
            raise ProtocolError("plan", field=f"wave[{index}]", got=wave.sizes, bound=bound)
        if wave.rest and index < len(waves) - 1:
            raise ProtocolError("plan", field=f"wave[{index}].rest", bound="of the last wave alone")
    for rules, field in [(plan.wave_defaults, "wave_defaults")] + [
        (wave, f"wave[{index}]") for index, wave in enumerate(plan.wave)
    ]:
        part = "window"
        try:
            if rules.window is not None:
                rules.window.of("UTC")
            part = "gates"
            for text in rules.gates.kpi if rules.gates is not None else ():
                read_kpi(text)
        except ProtocolError as err:
            where = f"{field}.{part}.{err.field}"
            raise ProtocolError("plan", field=where, got=err.got, bound=err.bound) from err


def _check_kind(plan: Plan) -> None:
    """Refuse what says both a release and profiles, or neither, or means nothing for one."""
    of_release = ("component", "version")
    if plan.kind is Kind.RELEASE:
        for name in of_release:
            if not getattr(plan, name):
                bound = "component and version of a release, or files of profiles"
                raise ProtocolError("plan", field=name, got="nothing", bound=bound)
        return
    for name in (*of_release, "digest", "size", "reboot", "supersede", "selector"):
        if getattr(plan, name):
            why = "its profiles say whom it is for" if name == "selector" else "it is of profiles"
            raise ProtocolError("plan", field=name, got=getattr(plan, name), bound=f"none: {why}")
    for index, wave in enumerate((plan.wave_defaults, *plan.wave)):
        if wave.window is not None:
            field = f"wave[{index - 1}].window" if index else "wave_defaults.window"
            bound = "none: nodes go by the section update-window of their profiles"
            raise ProtocolError("plan", field=field, bound=bound)
