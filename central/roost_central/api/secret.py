"""API tokens: made, recognised, hashed, and the one of the first start put into a file.

``rtk_`` and 256 bits in base32. Only the SHA-256 is stored: with that much entropy a slow hash
would add nothing (security.md section 6).
"""

import asyncio
import re
from base64 import b32encode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.access.chain import Act
from roost_central.access.core import Grant
from roost_central.ports import Entropy
from roost_central.private_file import write_whole
from roost_central.storage import accounts, audit, tokens
from roost_central.storage.accounts import AccountRecord
from roost_central.storage.tokens import TokenRecord

TOKEN_BYTES: Final = 32
ADMIN_NAME: Final = "admin"
ADMIN_ROLE: Final = "admin"
ADMIN_FILE: Final = "admin.token"
_TOKEN: Final = re.compile(r"rtk_[a-z2-7]{52}", re.ASCII)


def new_secret(entropy: Entropy) -> str:
    """Return 256 bits as text."""
    return b32encode(entropy.token(TOKEN_BYTES)).decode().rstrip("=").lower()


def new_token(entropy: Entropy) -> str:
    """Return a new API token."""
    return f"rtk_{new_secret(entropy)}"


def is_token(text: str) -> bool:
    """Say whether a text has the form of a token."""
    return _TOKEN.fullmatch(text) is not None


def digest(token: str) -> bytes:
    """Return what is stored of a token."""
    return sha256(token.encode()).digest()


async def ensure_admin(
    connection: AsyncConnection, path: Path, entropy: Entropy, *, now_ms: int, renew: bool = False
) -> str | None:
    """Make the admin token where there is none yet, or anew; return it, None where one was kept.

    Its account is made with it, or put right: whoever reads the data directory is the last resort.
    The file is written before the caller commits: a token that is stored is never one that nobody
    was told.

    Raises:
        OSError: the file cannot be written.
    """
    if await tokens.named(connection, ADMIN_NAME) is not None and not renew:
        return None
    token = new_token(entropy)
    await tokens.delete(connection, ADMIN_NAME)
    known = await accounts.find(connection, ADMIN_NAME)
    account = known or AccountRecord(ADMIN_NAME, (), created_ms=now_ms)
    grants = tuple(dict.fromkeys((*account.grants, Grant(ADMIN_ROLE))))
    await accounts.save(connection, replace(account, grants=grants, disabled=False))
    await tokens.add(connection, TokenRecord(digest(token), ADMIN_NAME, ADMIN_NAME, now_ms))
    what = "token.renew" if known else "token.create"
    act = Act(now_ms, audit.LOCAL, ADMIN_ROLE, what, ADMIN_NAME, {"owner": ADMIN_NAME}, via="local")
    await audit.add(connection, act)
    await asyncio.to_thread(write_whole, path, f"{token}\n".encode())
    return token
