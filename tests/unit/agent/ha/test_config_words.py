"""What a refusal says that a value must be."""

import msgspec
import pytest

from roost_agent.ha.config import Group, HaFile, Network, Node, Run, Service
from roost_agent.ha.config_words import expected


def of(kind, name):
    """The type of a field."""
    return next(each.type for each in msgspec.structs.fields(kind) if each.name == name)


@pytest.mark.parametrize(
    ("kind", "field", "words"),
    [
        (Node, "index", "a whole number from 0 to 31"),
        (Node, "box", "a whole number from 1 to 9,999"),
        (Node, "address", "a table"),
        (Network, "name", "a name of 1 to 32 lower-case letters, digits and inner dashes"),
        (Network, "gateway", "text"),
        (Group, "model", "one of N, N+M, 2N"),
        (Group, "preempt", '"never" or a whole number from 1 to 86,400'),
        (Group, "hosts", "a list of 1 to 32 texts"),
        (Group, "requires_active", "a list"),
        (Run, "systemd", "the name of a systemd unit that ends in .service"),
        (Run, "start", "a program and its arguments, a list of 1 to 64 texts that are not empty"),
        (Service, "passive", "a list of 0 to 4 texts"),
        (HaFile, "nodes", "a list of 1 to 32 tables"),
        (HaFile, "key_file", "an absolute path of at most 255 characters"),
        (HaFile, "mqtt_port", "a whole number from 1 to 65,535"),
    ],
)
def test_a_type_in_words(kind, field, words):
    assert expected(of(kind, field)) == words


def test_every_field_of_the_file_has_words_of_its_own():
    kinds = [HaFile]
    for kind in kinds:
        for each in msgspec.structs.fields(kind):
            words = expected(each.type)
            assert "`" not in words
            assert "^" not in words
            kinds += [k for k in _structs(each.type) if k not in kinds]
    assert len(kinds) > 8


def _structs(kind):
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return [kind]
    inner = [getattr(kind, "__origin__", None), *getattr(kind, "__args__", ())]
    return [found for each in inner if each is not None for found in _structs(each)]
