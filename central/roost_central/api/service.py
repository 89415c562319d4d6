"""What every handler works with: the fleet, the database, who may ask, the live stream."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from roost_central.access.core import Scope
from roost_central.alarms.book import AlarmBook
from roost_central.api.alarm_sight import AlarmSight
from roost_central.api.auth import Access
from roost_central.api.live import LiveFleet
from roost_central.api.logins import Logins
from roost_central.api.order import NameOrder
from roost_central.api.scoped import Scopes
from roost_central.boards.keeper import BoardKeeper
from roost_central.boards.poller import BoardPoller
from roost_central.ca.compare import Comparison
from roost_central.delivery.runner import DeliveryRunner
from roost_central.enrol.service import Enrolment
from roost_central.fleet.sites import SiteRegistry
from roost_central.fleet.view import FleetView
from roost_central.oidc.login import OidcLogin
from roost_central.orders.desk import OrderDesk
from roost_central.ports import Clock, Entropy
from roost_central.profiles.desk import ProfileDesk
from roost_central.releases.desk import ReleaseDesk
from roost_central.rollout.runner import RolloutRunner
from roost_central.rollout.settings_sight import SettingsSight
from roost_central.samples.desk import SampleDesk
from roost_central.storage.engine import Database


class BrokerSight(Protocol):
    """A broker connection as ``GET /status`` shows it."""

    @property
    def name(self) -> str:
        """Its name in the configuration."""

    @property
    def url(self) -> str:
        """Its address."""

    @property
    def state(self) -> str:
        """``connected`` or ``lost``."""

    @property
    def since_ms(self) -> int | None:
        """UTC since when."""


class IngestSight(Protocol):
    """What the API may know of ingest: the two never import each other, app.py joins them."""

    @property
    def beats(self) -> int:
        """Beats taken in."""

    @property
    def reports(self) -> int:
        """Reports taken in."""

    @property
    def items(self) -> int:
        """Items applied."""

    @property
    def receipts(self) -> int:
        """Receipts sent."""

    @property
    def refused(self) -> Mapping[str, int]:
        """Messages and items refused, by code."""

    @property
    def queue(self) -> int:
        """Messages that wait."""

    @property
    def dead_letters(self) -> int:
        """Refused messages kept."""

    @property
    def brokers(self) -> Sequence[BrokerSight]:
        """One entry for each configured broker."""

    @property
    def quiet(self) -> bool:
        """Whether central distrusts its own ears and judges no silence."""


class TargetSight(Protocol):
    """One northbound target as ``GET /northbound`` shows it; no part of it is a secret."""

    @property
    def name(self) -> str:
        """Its name in the configuration."""

    @property
    def kind(self) -> str:
        """``mqtt``, ``snmp-v3``, ``webhook`` and so on."""

    @property
    def address(self) -> str:
        """Where it is."""

    @property
    def word(self) -> str:
        """``ok``, ``idle``, ``failing``, ``unreachable`` or ``disabled``."""

    @property
    def queue(self) -> int:
        """Transitions it has not passed."""

    @property
    def cursor(self) -> int:
        """The last transition it passed."""

    @property
    def sent(self) -> int:
        """Messages it took since this process began."""

    @property
    def failures(self) -> int:
        """Failed attempts in a row."""

    @property
    def last_error(self) -> str:
        """What went wrong last."""

    @property
    def worked_ms(self) -> int | None:
        """UTC of the last message it took."""

    @property
    def letters(self) -> int:
        """Messages given up and kept."""

    @property
    def disabled(self) -> str:
        """Why it is not served; empty where it is."""


class LetterSight(Protocol):
    """A message that was given up."""

    @property
    def target(self) -> str:
        """Whom it was for."""

    @property
    def at_ms(self) -> int:
        """UTC when it was given up."""

    @property
    def about_seq(self) -> int:
        """The transition it told of."""

    @property
    def error(self) -> str:
        """Why."""

    @property
    def body(self) -> bytes:
        """Its beginning."""


class NorthboundSight(Protocol):
    """What the API may know of northbound: app.py joins them."""

    @property
    def states(self) -> Sequence[TargetSight]:
        """One entry for each target."""

    async def letters(self, limit: int) -> Sequence[LetterSight]:
        """Return the newest dead letters."""

    async def test(self, name: str) -> str:
        """Send a test message; returns what went wrong, empty where nothing did.

        Raises:
            NotFoundError: there is no such target.
        """

    def metrics(self) -> str:
        """Return Prometheus' page."""

    def discovery(self, port: int) -> object:
        """Return the targets of Prometheus' HTTP service discovery, for JSON."""


class AssetSight(Protocol):
    """One file of the dashboard."""

    @property
    def body(self) -> bytes:
        """Its bytes."""

    @property
    def gzipped(self) -> bytes | None:
        """Its gzip twin, where there is one."""

    @property
    def content_type(self) -> str:
        """Its media type."""


class StaticTree(Protocol):
    """The dashboard: one index page and assets under a hash of the whole tree."""

    @property
    def tree_hash(self) -> str:
        """The path prefix under ``/static/``."""

    def index(self) -> bytes:
        """Return the page."""

    def asset(self, path: str) -> AssetSight | None:
        """Return a file of the tree."""


@dataclass(frozen=True, slots=True)
class Api:
    """The parts of this process that handlers use; ``openapi`` is the encoded document.

    A handler that answers somebody gets one that ``cut`` made: its ``view``, ``order``, ``live``
    and ``alarms`` hold what that one may see. What it reads from the database by itself it asks of
    sites of that view.
    """

    version: str
    openapi: bytes
    started_ms: int
    view: FleetView
    database: Database
    clock: Clock
    entropy: Entropy
    access: Access
    logins: Logins
    live: LiveFleet
    order: NameOrder
    registry: SiteRegistry
    book: AlarmBook
    alarms: AlarmSight
    scopes: Scopes
    ingest: IngestSight
    northbound: NorthboundSight
    pages: StaticTree | None
    profiles: ProfileDesk
    deliveries: DeliveryRunner
    samples: SampleDesk
    rollouts: RolloutRunner
    changing: SettingsSight  # of sites whose settings change
    enrolment: Enrolment | None = None  # None: this centre lets nobody in
    orders: OrderDesk | None = None  # None: this centre has no signer
    boards: BoardKeeper | None = None  # None: no node could be told of them
    poller: BoardPoller | None = None  # there where ``boards`` is
    oidc: OidcLogin | None = None  # None: tokens and passwords alone
    signatures: Comparison | None = None  # None: this centre has no signer
    releases: ReleaseDesk | None = None  # None: this centre has no signer

    def cut(self, scope: Scope) -> "Api":
        """Return the parts as they are within a scope.

        Raises:
            ApiError: ``busy``.
        """
        if scope.is_whole:
            return self
        fleet = self.scopes.of(scope)
        alarms = AlarmSight(self.book, fleet.view, is_whole=False)
        return replace(self, view=fleet.view, order=fleet.order, live=fleet.live, alarms=alarms)
