"""Records to rows: shallow, for a batch holds thousands and ``dataclasses.asdict`` copies deep."""

from typing import Any


def row_of(record: Any) -> dict[str, Any]:  # noqa: ANN401 - any slotted dataclass of this package
    """Return a record's fields by name, as an insert takes them."""
    return {name: getattr(record, name) for name in record.__slots__}
