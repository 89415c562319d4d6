"""Whether two UUIDs name one machine: firmware writes the first three fields in either order."""

import uuid


def is_same_machine(one: str, other: str) -> bool:
    """Return whether two texts are the UUID of the same machine; what is no UUID is none's."""
    try:
        first, second = uuid.UUID(one), uuid.UUID(other)
    except ValueError:
        return False
    return second.bytes in {first.bytes, first.bytes_le}
