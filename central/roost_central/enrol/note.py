"""How a decision is put into the audit log: by its caller, who knows who decided."""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

# Writes the audit row of an act: action, what it is about, what it says; no secret.
Note = Callable[[AsyncConnection, str, str, dict[str, Any]], Awaitable[None]]
