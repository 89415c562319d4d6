"""Central, composed: storage, the fleet, ingest and the API in one process.

Leaves every decision to its parts. Invariants: one process per data directory; ingest and the API
never know each other, only what this file hands them; a stop ends listening first, then ingest,
then the database.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import msgspec

from roost_central.access.heads import tell_heads
from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import load as load_catalogue
from roost_central.alarms.explain import Explainer
from roost_central.api.alarm_sight import AlarmSight
from roost_central.api.auth import Access
from roost_central.api.listener import listening
from roost_central.api.live import LiveFleet
from roost_central.api.logins import Logins
from roost_central.api.openapi import document
from roost_central.api.order import NameOrder
from roost_central.api.routes import API, ROUTES
from roost_central.api.routes.enrolling import ROUTES as BOX_ROUTES
from roost_central.api.scoped import Scopes
from roost_central.api.secret import ADMIN_FILE, ensure_admin
from roost_central.api.selected_sites import selecting
from roost_central.api.server import application
from roost_central.api.service import Api, IngestSight, NorthboundSight, StaticTree
from roost_central.boards.keeper import BoardKeeper
from roost_central.boards.poller import BoardPoller
from roost_central.boards.vault import Vault
from roost_central.brokers import own as own_certificate
from roost_central.ca.compare import Comparison
from roost_central.ca.watch import SignerWatch
from roost_central.config import CentralConfig
from roost_central.dashboard.serve import AssetTreeError, Dashboard
from roost_central.delivery.bodies import Bodies
from roost_central.delivery.first import FirstSettings
from roost_central.delivery.runner import DeliveryRunner
from roost_central.enrol.quarantine import QuarantineSign
from roost_central.enrol.registry import IdentityRegistry
from roost_central.enrol.service import Enrolment
from roost_central.fleet.restore import restore
from roost_central.fleet.sites import SiteRegistry
from roost_central.fleet.view import FleetView
from roost_central.ingest.config import IngestConfig
from roost_central.ingest.seals import Seals
from roost_central.ingest.service import IngestService
from roost_central.ingest_key import ingest_keys
from roost_central.inventory.reindex import reindex
from roost_central.northbound.service import Northbound, Surroundings
from roost_central.oidc.login import OidcLogin
from roost_central.orders.desk import OrderDesk
from roost_central.orders.runner import OrderRunner
from roost_central.ports import Clock, Entropy, SystemClock, SystemEntropy
from roost_central.profiles.desk import ProfileDesk
from roost_central.profiles.keeper import ProfileKeeper
from roost_central.releases.desk import ReleaseDesk
from roost_central.releases.folders import FOLDER as RELEASES_FOLDER
from roost_central.releases.site_members import SiteMembers
from roost_central.releases.watch import ReleaseWatch
from roost_central.rollout.runner import RolloutRunner
from roost_central.rollout.settings_carrier import SettingsCarrier
from roost_central.rollout.settings_sight import SettingsSight
from roost_central.rollout.table import Kind
from roost_central.samples.desk import SampleDesk
from roost_central.signer.client import Signer
from roost_central.storage.engine import Database
from roost_central.witness.service import Witnesses
from roost_protocol import __version__

logger = logging.getLogger(__name__)

NOC_FOLDER: Final = "noc"  # of the data directory: the NOC broker's configuration and accounts
EPOCH_BYTES: Final = 8


async def run(config: CentralConfig) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        CentralError: what is configured cannot be used.
        OSError: the data directory or the address cannot be used.
    """
    clock, entropy = SystemClock(), SystemEntropy()
    tls = config.http.tls_context()
    stop = _stop_signal()
    async with opened(config, clock) as database:
        await _prepare(config, database, clock, entropy)
        async with database.read() as connection:
            view = await restore(connection)
        types, labels = load_catalogue(config.catalogues), config.northbound.labels
        book = AlarmBook(
            types,
            view,
            database,
            clock,
            labels=labels,
            url=config.http.public_url,
            operators=config.operators,
        )
        async with database.read() as connection:
            await book.load(connection)
        keys = await _ingest_keys(config, database, entropy)
        enrolment = _enrolment(
            config, database, view, clock, entropy, book=book, ingest_key=keys[0]
        )
        # whoever was enrolled once is heard sealed alone, also where nobody is let in any more
        registry = (
            IdentityRegistry(database, clock, QuarantineSign(view, book))
            if enrolment is None
            else enrolment.registry
        )
        await registry.load()
        from_brokers = _ingest_config(config)
        seals = Seals(registry, keys, from_brokers.bare_brokers)
        witnesses = None
        if config.witness_keys is not None:
            witnesses = Witnesses(config.witness_keys, config.data_dir, clock, entropy)
        ingest = IngestService(
            database,
            view,
            clock,
            entropy,
            from_brokers,
            book=book,
            seals=seals,
            to_witness=None if witnesses is None else witnesses.offer,
        )
        orders = _orders(config, database, view, clock, entropy)
        around = Surroundings(
            book,
            view,
            database,
            clock,
            entropy,
            config.data_dir / NOC_FOLDER,
            Signer(config.fleet.signer_socket),
            config.tls_folder,
        )
        northbound = Northbound(config.northbound, around)
        signatures = _signatures(config, database, book, clock)
        api = compose(
            database,
            view,
            clock,
            entropy,
            ingest=ingest.counters,
            book=book,
            northbound=northbound,
            is_secure=config.http.is_secure,
            enrolment=enrolment,
            orders=None if orders is None else orders.desk,
            boards=None if orders is None else _boards(config, database, view, clock, entropy),
            oidc=None if config.oidc is None else OidcLogin(config.oidc, clock, entropy),
            signatures=signatures,
            releases=await asyncio.to_thread(_releases, config, clock, entropy),
        )
        api.registry.on_revoked = registry.load
        await api.rollouts.load()
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(ingest.run(), name="central.ingest"),
                tasks.create_task(api.live.run(), name="central.live"),
                tasks.create_task(api.scopes.run(), name="central.live.scopes"),
                tasks.create_task(Explainer(book, view).run(), name="central.alarms.explain"),
                tasks.create_task(northbound.run(), name="central.northbound"),
                tasks.create_task(api.access.run(), name="central.access"),
                tasks.create_task(tell_heads(database), name="central.audit.heads"),
                tasks.create_task(ProfileKeeper(api.profiles, view).run(), name="central.profiles"),
            ]
            if enrolment is None:
                running.append(tasks.create_task(registry.run(), name="central.registry"))
            else:
                boxes = application(api, BOX_ROUTES)
                running.append(
                    tasks.create_task(
                        enrolment.run(partial(listening, boxes)), name="central.enrol"
                    )
                )
            running += _ask_signer(
                tasks, config, database=database, book=book, clock=clock, signatures=signatures
            )
            running += _carry(tasks, orders, api=api, ingest=ingest)
            if witnesses is not None:
                witnesses.send = ingest.send_frame
                task = tasks.create_task(witnesses.run(), name="central.witness")
                running.append(task)
            with api.order.kept():
                app = application(api, ROUTES)
                where = (config.http.host, config.http.port)
                async with listening(app, *where, tls=tls) as port:
                    logger.info("serving %s with %d sites", _url(config, port), len(view.sites))
                    await stop.wait()
                    logger.info("stopping: a signal asked for it")
            for task in running:
                task.cancel()


@asynccontextmanager
async def opened(config: CentralConfig, clock: Clock) -> AsyncIterator[Database]:
    """Give the database of this process's data directory.

    Raises:
        OSError: the directory cannot be written.
        StorageError: the database cannot be used.
    """
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = await Database.open(config.database_url, clock=clock)
    try:
        yield database
    finally:
        await database.close()


def compose(  # noqa: PLR0913 - the parts of the whole process
    database: Database,
    view: FleetView,
    clock: Clock,
    entropy: Entropy,
    *,
    ingest: IngestSight,
    book: AlarmBook,
    northbound: NorthboundSight,
    is_secure: bool,
    enrolment: Enrolment | None = None,
    orders: OrderDesk | None = None,
    boards: BoardKeeper | None = None,
    oidc: OidcLogin | None = None,
    signatures: Comparison | None = None,
    releases: ReleaseDesk | None = None,
) -> Api:
    """Return what the handlers work with."""
    access = Access(database, clock, entropy, is_secure=is_secure)
    profiles = ProfileDesk(database, view, clock)
    deliveries = DeliveryRunner(database, view, book, clock, entropy)
    deliveries.held = profiles.holding
    profiles.on_changed = deliveries.desired_changed
    if releases is not None:
        members = SiteMembers(database, view)
        releases.sites.members_of, releases.sites.is_offline = members.of, members.is_offline
    told = None if releases is None else releases.sites
    rollouts = RolloutRunner(database, view, book, clock, entropy, releases=told)
    sight = SettingsSight(view, rollouts.sites, deliveries, profiles.holding)
    settings = SettingsCarrier(database, profiles, deliveries, sight, clock)
    rollouts.carriers[Kind.PROFILE] = settings
    return Api(
        version=__version__,
        openapi=msgspec.json.encode(document(API, __version__)),
        started_ms=clock.wall_ms(),
        view=view,
        database=database,
        clock=clock,
        entropy=entropy,
        access=access,
        logins=Logins(database, clock, access, entropy),
        live=LiveFleet(view, clock, entropy.token(EPOCH_BYTES).hex(), book),
        order=NameOrder(view),
        registry=SiteRegistry(database, view, clock, book),
        book=book,
        alarms=AlarmSight(book, view, is_whole=True),
        scopes=Scopes(view, clock, entropy, book),
        ingest=ingest,
        northbound=northbound,
        pages=_pages(),
        profiles=profiles,
        deliveries=deliveries,
        samples=SampleDesk(clock),
        rollouts=rollouts,
        changing=sight,
        enrolment=enrolment,
        orders=orders,
        boards=boards,
        poller=None
        if boards is None
        else BoardPoller(database, boards.vault, book, clock, entropy),
        oidc=oidc,
        signatures=signatures,
        releases=releases,
    )


async def _ingest_keys(
    config: CentralConfig, database: Database, entropy: Entropy
) -> tuple[bytes, ...]:
    async with database.write() as connection:
        return await ingest_keys(connection, config.data_dir, entropy)


async def _prepare(
    config: CentralConfig, database: Database, clock: Clock, entropy: Entropy
) -> None:
    """Bring what is kept into the shape that this release works with."""
    await _greet(config, database, clock, entropy)
    await reindex(database)


async def _greet(config: CentralConfig, database: Database, clock: Clock, entropy: Entropy) -> None:
    """Make the admin token at the first start, and show it to a person this once, to no log."""
    path = config.data_dir / ADMIN_FILE
    async with database.write() as connection:
        token = await ensure_admin(connection, path, entropy, now_ms=clock.wall_ms())
    if token is not None and sys.stderr.isatty():
        sys.stderr.write(f"admin token, shown this once and kept in {path}: {token}\n")
    elif token is not None:
        logger.info("the admin token is in %s", path)


def _pages() -> StaticTree | None:
    try:
        return Dashboard.load()
    except (AssetTreeError, OSError) as err:
        logger.warning("serving no dashboard: %s", err)
        return None


def _enrolment(  # noqa: PLR0913 - what all of its parts work with
    config: CentralConfig,
    database: Database,
    view: FleetView,
    clock: Clock,
    entropy: Entropy,
    *,
    book: AlarmBook,
    ingest_key: bytes,
) -> Enrolment | None:
    """Return enrolment, where it is configured."""
    if config.enrol is None:
        return None
    return Enrolment(
        config.enrol,
        database,
        view,
        clock,
        entropy,
        book=book,
        signer=Signer(config.fleet.signer_socket),
        ingest_key=ingest_key,
        tls_folder=config.tls_folder,
    )


def _ask_signer(  # noqa: PLR0913 - what it is asked for
    tasks: asyncio.TaskGroup,
    config: CentralConfig,
    *,
    database: Database,
    book: AlarmBook,
    clock: Clock,
    signatures: Comparison | None,
) -> list[asyncio.Task[None]]:
    """Begin what needs the signer, where the fleet or one of its brokers is configured."""
    signer = Signer(config.fleet.signer_socket)
    running = []
    if config.fleet.domain:
        watch = SignerWatch(signer, book, clock)
        running.append(tasks.create_task(watch.run(), name="central.ca.watch"))
    if any(broker.is_ours(config.tls_folder) for broker in config.brokers):
        keeping = own_certificate.keep(config.tls_folder, signer, clock, database)
        running.append(tasks.create_task(keeping, name="central.brokers.certificate"))
    if signatures is not None:
        running.append(tasks.create_task(signatures.run(), name="central.audit.signatures"))
    return running


def _signatures(
    config: CentralConfig, database: Database, book: AlarmBook, clock: Clock
) -> Comparison | None:
    """Return what compares the signer's record with the audit log, where there is a signer."""
    if not config.fleet.domain:
        return None
    return Comparison(Signer(config.fleet.signer_socket), database, book, clock)


def _releases(config: CentralConfig, clock: Clock, entropy: Entropy) -> ReleaseDesk | None:
    """Return what keeps releases, where there is a fleet whose signer stands behind them."""
    if not config.fleet.domain:
        return None
    signer = Signer(config.fleet.signer_socket)
    return ReleaseDesk(config.data_dir / RELEASES_FOLDER, signer, clock, entropy)


def _orders(
    config: CentralConfig, database: Database, view: FleetView, clock: Clock, entropy: Entropy
) -> OrderRunner | None:
    """Return what carries orders, where there is a fleet whose signer signs them."""
    if not config.fleet.domain:
        return None
    signer = Signer(config.fleet.signer_socket)
    desk = OrderDesk(database, signer, clock, entropy)
    desk.is_managed = lambda site: site not in view.sites or view.sites[site].managed
    return OrderRunner(database, signer, clock, desk)


def _boards(
    config: CentralConfig, database: Database, view: FleetView, clock: Clock, entropy: Entropy
) -> BoardKeeper:
    """Return who has nodes know their site's board controllers."""
    return BoardKeeper(database, view, Vault.of(config.data_dir, entropy), clock, entropy)


def _carry(
    tasks: asyncio.TaskGroup,
    orders: OrderRunner | None,
    *,
    api: Api,
    ingest: IngestService,
) -> list[asyncio.Task[None]]:
    """Begin what brings orders to nodes, and with them what nodes should be."""
    deliveries = api.deliveries
    deliveries.hears = ingest.speaks_with
    api.samples.send = ingest.ask_samples
    ingest.on_samples(api.samples.took)
    outgoing = api.rollouts.outgoing
    outgoing.hears, outgoing.send_bare = ingest.speaks_with, ingest.send_offer
    api.rollouts.is_deaf = lambda: ingest.is_deaf
    api.rollouts.releases.late.select = api.rollouts.figures.select = selecting(api)
    api.registry.on_removed = api.rollouts.forget
    running = [
        tasks.create_task(deliveries.run(), name="central.delivery"),
        tasks.create_task(api.rollouts.run(), name="central.rollouts"),
    ]
    if api.releases is not None:
        watch = ReleaseWatch(api.releases, api.book, api.clock)
        running += [
            tasks.create_task(api.releases.run(), name="central.releases"),
            tasks.create_task(watch.run(), name="central.releases.watch"),
        ]
    if orders is not None:
        orders.hears, orders.send = ingest.speaks_with, ingest.send_order
        orders.body_of = Bodies().of
        deliveries.wake_orders = api.rollouts.releases.wake_orders = orders.desk.wake.set
        if api.enrolment is not None:
            api.enrolment.configuration = FirstSettings(api.profiles, deliveries, orders).of
        running.append(tasks.create_task(orders.run(), name="central.orders"))
        if api.boards is not None:
            api.boards.hears, api.boards.wake_orders = ingest.speaks_with, orders.desk.wake.set
            running.append(tasks.create_task(api.boards.run(), name="central.boards"))
        if api.poller is not None:
            running.append(tasks.create_task(api.poller.run(), name="central.boards.poll"))
    return running


def _ingest_config(config: CentralConfig) -> IngestConfig:
    return IngestConfig(
        brokers=config.brokers,
        shards=config.shards,
        admit=config.admit,
        retention=config.retention,
        settle_s=config.settle_s,
    )


def _url(config: CentralConfig, port: int) -> str:
    host = f"[{config.http.host}]" if ":" in config.http.host else config.http.host
    return f"{'https' if config.http.is_secure else 'http'}://{host}:{port}"


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
