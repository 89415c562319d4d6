"""The fields that the fleet is searched by: kept one by one beside the documents.

Which they are stands in the table of the query language. Any other field is searched in the
documents.
"""

from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from roost_central.fleet.inventory_fields import ItemField, item_fields


def _starred() -> Mapping[str, Mapping[str, ItemField]]:
    found: dict[str, dict[str, ItemField]] = defaultdict(dict)
    for field in item_fields():
        if field.is_indexed and field.name != "id":
            found[field.item_class][field.name] = field
    return MappingProxyType(found)


STARRED: Final = _starred()
