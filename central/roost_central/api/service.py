"""What every handler works with: the fleet, the database, who may ask, the live stream."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from roost_central.alarms.book import AlarmBook
from roost_central.api.auth import Access
from roost_central.api.live import LiveFleet
from roost_central.api.order import NameOrder
from roost_central.fleet.sites import SiteRegistry
from roost_central.fleet.view import FleetView
from roost_central.ports import Clock, Entropy
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
    """The parts of this process that handlers use; ``openapi`` is the encoded document."""

    version: str
    openapi: bytes
    started_ms: int
    view: FleetView
    database: Database
    clock: Clock
    entropy: Entropy
    access: Access
    live: LiveFleet
    order: NameOrder
    registry: SiteRegistry
    book: AlarmBook
    ingest: IngestSight
    pages: StaticTree | None
