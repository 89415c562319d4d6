"""The centre's secret that every node's report key is derived from: a file, never in the database.

``ingest.key`` is made at the first start; while ``ingest.key.old`` is beside it, both count. The
database knows the hash of the present one, so that a database which was put back without its key,
or beside another's, is not served: no node could speak, and nothing would say why.
"""

from hashlib import sha256
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.config import ConfigFaultsError
from roost_central.ports import Entropy
from roost_central.private_file import write_whole
from roost_central.storage import identities, settings

KEY_BYTES: Final = 32
NAMES: Final = ("ingest.key", "ingest.key.old")
FOREIGN: Final = "ingest.key.other"
CHECK: Final = "ingest_key_sha256"  # the setting

LOST: Final = (
    "put back the file of the backup. Where it is lost: roost-central ingest-key --new, and then "
    "roost-agent renew on every node"
)


async def ingest_keys(
    connection: AsyncConnection, data_dir: Path, entropy: Entropy
) -> tuple[bytes, ...]:
    """Return the keys, the present one first.

    Raises:
        ConfigFaultsError: a file is no key, or is not the one that the nodes' keys come of.
        OSError: a file cannot be read or written.
    """
    present, old = (data_dir / name for name in NAMES)
    known = await settings.read(connection, CHECK)
    if not present.exists():
        if not old.exists():
            await _refuse(connection, f"{present}: is missing")
        write_whole(present, entropy.token(KEY_BYTES))
    keys = tuple(_key(file) for file in (present, old) if file.exists())
    hashes = [sha256(key).digest() for key in keys]
    if known is not None and known not in hashes:
        await _refuse(connection, f"{present}: is another key")
    if known != hashes[0]:
        await settings.save(connection, CHECK, hashes[0])
    return keys


async def renew(connection: AsyncConnection, data_dir: Path, entropy: Entropy) -> int:
    """Make another key, and have the one before count on; return how many nodes have keys of that.

    A file that the nodes' keys do not come of goes aside, where nothing looks for it.

    Raises:
        ConfigFaultsError: one before this counts still.
        OSError: a file cannot be written.
    """
    present, old = (data_dir / name for name in NAMES)
    if old.exists():
        raise ConfigFaultsError(
            [f"{old}: nodes may speak by it still; remove it once all have renewed, then ask again"]
        )
    if present.exists():
        known = await settings.read(connection, CHECK)
        is_theirs = known in {None, sha256(present.read_bytes()).digest()}
        present.rename(old if is_theirs else data_dir / FOREIGN)
    key = entropy.token(KEY_BYTES)
    write_whole(present, key)
    await settings.save(connection, CHECK, sha256(key).digest())
    return await _enrolled(connection)


async def _refuse(connection: AsyncConnection, what: str) -> None:
    """Raise where there are nodes that another key is needed for."""
    if count := await _enrolled(connection):
        raise ConfigFaultsError([f"{what}, and the keys of {count} nodes come of it: {LOST}"])


async def _enrolled(connection: AsyncConnection) -> int:
    return len({term.node for term in await identities.load_live(connection)})


def _key(file: Path) -> bytes:
    key = file.read_bytes()
    if len(key) != KEY_BYTES:
        raise ConfigFaultsError([f"{file}: {len(key)} bytes, not {KEY_BYTES}: {LOST}"])
    return key
