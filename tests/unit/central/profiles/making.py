"""Profiles and nodes for tests."""

from roost_central.profiles.selector import Subject
from roost_central.profiles.source import read_profile


def profile(name, target, body="", **head):
    """A profile of a file of its own; ``target``: ``fleet = true``, ``select = "..."``."""
    extra = "".join(f"{key} = {str(value).lower()}\n" for key, value in head.items())
    return read_profile(f'[profile]\nname = "{name}"\n{target}\n{extra}{body}', f"{name}.toml")


def fleet(profile_name="fleet", body=""):
    return profile(profile_name, "fleet = true", body)


def swappiness(value):
    return f'[kernel.sysctl]\n"vm.swappiness" = {value}\n'


def subjects(*nodes, **labels):
    return [Subject(node, *node.split("."), labels) for node in nodes]
