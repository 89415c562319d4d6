"""CPU and node sets as the kernel writes them: lists (``0-3,8``) and masks (``f,00000003``).

Invariant: a set never grows past CPUS_MAX, whatever the file says.
"""

from typing import Final

from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, TOO_BIG, UNSUPPORTED, Missing

CPUS_MAX: Final = 8_192  # NR_CPUS of the largest kernel configuration


def parse_list(text: str) -> list[int] | Missing:
    """Return the sorted members of a list; an empty list and ``(null)`` have none."""
    if text in {"", "(null)"}:
        return []
    members: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isdecimal() and (last.isdecimal() or not dash) and part.isascii()):
            return Missing(UNSUPPORTED)
        low, high = int(first), int(last or first)
        if high >= CPUS_MAX:
            return Missing(TOO_BIG)
        members.update(range(low, high + 1))
    return sorted(members)


def parse_mask(text: str) -> list[int] | Missing:
    """Return the sorted members of a hexadecimal mask with commas between its words."""
    digits = text.replace(",", "")
    if len(digits) > CPUS_MAX // 4:
        return Missing(TOO_BIG)
    if not digits.isalnum() or not digits.isascii():
        return Missing(UNSUPPORTED)
    try:
        mask = int(digits, 16)
    except ValueError:
        return Missing(UNSUPPORTED)
    return [bit for bit in range(mask.bit_length()) if mask >> bit & 1]


def read_list(reader: Reader, path: str) -> list[int] | Missing:
    """Return the set that a list file holds."""
    text = reader.text(path)
    return text if isinstance(text, Missing) else parse_list(text)


def read_set(reader: Reader, list_path: str, mask_path: str) -> list[int] | Missing:
    """Return the set of a list file, else of a mask: kernels before 2.6.26 write no lists."""
    members = read_list(reader, list_path)
    if members != Missing(ABSENT):
        return members
    mask = reader.text(mask_path)
    return mask if isinstance(mask, Missing) else parse_mask(mask)
