"""What a probe returns: items by id, and a reason for every value that is missing.

Invariants:
- a value is null exactly when ``missing`` holds its reason: missing is not 0 and not false;
- no floats: the unit is in the field's name, so two encoders agree on the digest;
- an item's id is hardware identity where the hardware has one, a kernel name only where not.
"""

from dataclasses import dataclass, field
from typing import Final

Value = bool | int | str | list[int] | list[str] | None
Reason = str

ABSENT: Final = "absent"  # ENOENT, ENODEV: the kernel does not offer it
DENIED: Final = "denied"  # EACCES, EPERM
IO_ERROR: Final = "io-error"  # EIO, ENODATA, ENXIO and the rest
BUSY: Final = "busy"  # EAGAIN, EBUSY
TIMEOUT: Final = "timeout"  # a deadline passed
UNSUPPORTED: Final = "unsupported"  # EINVAL, EOPNOTSUPP, or a value the probe cannot understand
ASLEEP: Final = "asleep"  # a disk in standby is not woken
PLACEHOLDER: Final = "placeholder"  # "To Be Filled By O.E.M." and the like
NO_MODULE: Final = "no-module"  # the kernel module that would tell is not loaded
PROBE_ERROR: Final = "probe-error"  # the probe itself failed: a bug of ours, in its log
TOO_BIG: Final = "too-big"  # past a limit of roost_protocol.limits


@dataclass(frozen=True, slots=True)
class Missing:
    """A value that could not be had, and why."""

    reason: Reason


@dataclass(slots=True)
class Section:
    """One inventory class of one node: ``items[id][field]`` and ``missing["id.field"]``.

    ``missing["*"]`` tells why the whole class is empty.
    """

    items: dict[str, dict[str, Value]] = field(default_factory=dict)
    missing: dict[str, Reason] = field(default_factory=dict)

    def put(self, item: str, name: str, value: Value | Missing) -> None:
        """Set one field; a Missing becomes null with its reason."""
        row = self.items.setdefault(item, {})
        if isinstance(value, Missing):
            row[name] = None
            self.missing[f"{item}.{name}"] = value.reason
        else:
            row[name] = value
            self.missing.pop(f"{item}.{name}", None)

    def put_all(self, item: str, values: dict[str, Value | Missing]) -> None:
        """Set several fields of one item, in order."""
        self.items.setdefault(item, {})
        for name, value in values.items():
            self.put(item, name, value)

    @classmethod
    def empty(cls, reason: Reason) -> "Section":
        """Return a section without items that says why."""
        return cls(missing={"*": reason})
