"""What a beat tells of the settings of a node."""

import msgspec


class ConfigMark(msgspec.Struct, frozen=True):
    """Digest (8 bytes) and generation of what is applied, and how it is."""

    digest: bytes
    gen: int
    pending_reboot: bool
    drift: int
