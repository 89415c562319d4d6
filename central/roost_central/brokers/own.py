"""The certificate that the centre's own client shows to the fleet's brokers, kept fresh.

Ingest reads the files at each connection, and tries again until they are there: nothing waits here.
"""

import asyncio
import logging
from pathlib import Path
from typing import Final

from roost_central.brokers.fleet_files import INGEST, INGEST_NAME
from roost_central.ca.own import OwnCertificate
from roost_central.errors import SignerError, StorageError
from roost_central.ports import Clock
from roost_central.signer.client import Signer
from roost_central.storage.engine import Database
from roost_protocol.certificate import Holder, Kind

logger = logging.getLogger(__name__)

RETRY_S: Final = 5.0  # of a signer that does not answer yet


async def keep(tls_folder: Path, signer: Signer, clock: Clock, database: Database) -> None:
    """Have the certificate made, and made anew at half of its life, until cancelled."""
    holder = Holder(Kind.SERVICE, INGEST_NAME)
    own = OwnCertificate(tls_folder / INGEST, holder, signer, clock, database)
    is_told = False
    while True:
        try:
            await own.ensure()
        except (SignerError, StorageError, OSError) as err:
            if not is_told:
                logger.warning("no certificate for the fleet's brokers yet: %s", err)
            is_told = True
            await asyncio.sleep(RETRY_S)
        else:
            break
    await own.run(_nobody_holds_it)


async def _nobody_holds_it() -> None:
    """Do nothing: the next connection reads the new files."""
