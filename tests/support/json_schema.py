"""Checks the part of JSON Schema that our documents use; it refuses what it does not know."""

import re

TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict}
NOTES = {"title", "description", "default"}
KNOWN = {"type", "properties", "required", "patternProperties", "enum"} | NOTES


def faults(value, schema):
    """What is wrong with a value; keys that the schema does not name are wrong here."""
    assert set(schema) <= KNOWN, f"this checker does not know {set(schema) - KNOWN}"
    kind = TYPES[schema["type"]]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        return [f"{value!r} is not of type {schema['type']}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{value!r} is not one of {schema['enum']}"]
    return _of_object(value, schema) if kind is dict else []


def _of_object(value, schema):
    found = [f"{name} is missing" for name in schema.get("required", ()) if name not in value]
    for name, inner in value.items():
        patterns = schema.get("patternProperties", {}).items()
        own = schema.get("properties", {}).get(name)
        told = own or next((each for form, each in patterns if re.search(form, name)), None)
        if told is None:
            found.append(f"{name} is in no schema")
        else:
            found += [f"{name}: {each}" for each in faults(inner, told)]
    return found
