"""``roost-central broker``: runs the fleet's broker until a signal comes."""

import asyncio
import logging
import resource
import signal
from typing import Final

from roost_central.brokers.fleet import FOLDER, FleetBroker
from roost_central.brokers.mosquitto import check_version
from roost_central.ca.own import OwnCertificate
from roost_central.config import CentralConfig
from roost_central.errors import ConfigError
from roost_central.ports import SystemClock, SystemEntropy
from roost_central.signer.client import Signer
from roost_central.storage.engine import Database
from roost_protocol.certificate import Holder, Kind

logger = logging.getLogger(__name__)

FILES_SPARE: Final = 256  # descriptors that a broker needs besides its connections


async def run(config: CentralConfig) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigError: there is none to run, Mosquitto is missing, or too few files may be open.
        StorageError: the database cannot be used.
    """
    if config.fleet_broker is None:
        bound = "a table [fleet_broker] in central.toml"
        raise ConfigError("missing", field="fleet_broker", bound=bound)
    version = check_version("fleet_broker")
    _check_files(config.fleet_broker.connections_max)
    logger.info("mosquitto %s, for %s", version, config.fleet.domain)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    clock, entropy = SystemClock(), SystemEntropy()
    signer = Signer(config.fleet.signer_socket)
    name = config.fleet_broker.name
    holder = Holder(Kind.SERVER, name)
    database = await Database.open(config.database_url, clock=clock)
    try:
        broker = FleetBroker(
            config.fleet_broker,
            config.data_dir / FOLDER,
            certificate=OwnCertificate(config.tls_folder / name, holder, signer, clock, database),
            signer=signer,
            database=database,
            clock=clock,
            entropy=entropy,
        )
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(broker.run(), name="broker")
            await stop.wait()
            logger.info("stopping: a signal asked for it")
            task.cancel()
    finally:
        await signer.close()
        await database.close()


def _check_files(connections_max: int) -> None:
    """Raise the number of open files to what is allowed, and refuse one that is too small."""
    _, files_max = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files_max, files_max))
    if files_max < connections_max + FILES_SPARE:
        bound = f"{connections_max + FILES_SPARE} open files (LimitNOFILE=), or fewer connections"
        raise ConfigError("files", field="fleet_broker.connections_max", got=files_max, bound=bound)
