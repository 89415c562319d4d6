"""Checks the links between records: each names one, ``inhibited_by`` ends. Pure."""

from collections.abc import Iterator, Mapping

from roost_central.alarms.catalogue import DEPTH_MAX, Record


def check_links(records: Mapping[str, Record]) -> Iterator[tuple[str, str]]:
    """Yield the id of each record with a bad link, and the reason."""
    names: dict[str, str] = {}
    for record in records.values():
        if record.name in names:
            yield record.id, f"name: {record.name!r} is the name of {names[record.name]} too"
        names[record.name] = record.id
        missing = [
            (field, link)
            for field, links in (
                ("inhibited_by", record.inhibited_by),
                ("root_causes", record.root_causes),
            )
            for link in links
            if link not in records or records[link].event
        ]
        for field, link in missing:
            yield record.id, f"{field}: there is no alarm {link}"
        if not missing and (fault := _fault_above(record.id, records)):
            yield record.id, f"inhibited_by: {fault}"


def _fault_above(type_: str, records: Mapping[str, Record]) -> str:
    """Return what is wrong with the chain of parents, the empty text where nothing is."""
    level = {type_}
    for _ in range(DEPTH_MAX + 1):
        level = {link for each in level if each in records for link in records[each].inhibited_by}
        if not level:
            return ""
        if type_ in level:
            return "it inhibits itself in the end"
    return f"more than {DEPTH_MAX} levels"
