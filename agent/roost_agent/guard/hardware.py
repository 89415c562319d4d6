"""What machine this is, in words: a watchdog that bit on one says nothing of another."""

from __future__ import annotations

from roost_agent.guard.record import Final

FILES: Final = (
    "/sys/class/dmi/id/sys_vendor",
    "/sys/class/dmi/id/product_name",
    "/sys/class/dmi/id/product_uuid",
    "/proc/device-tree/model",
    "/proc/device-tree/serial-number",
)
CHARS_MAX: Final = 64  # of each


def machine(files: tuple[str, ...] = FILES) -> str:
    """Return maker, model and number, as far as the firmware tells them."""
    return ", ".join(filter(None, map(_said, files)))


def _said(file: str) -> str:
    try:
        with open(file, "rb") as stream:
            raw = stream.read(CHARS_MAX)
    except OSError:
        return ""
    return "".join(each for each in raw.decode(errors="ignore") if each.isprintable()).strip()
