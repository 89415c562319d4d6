import json

import msgspec
import pytest
from releases import custom, manifest

from roost_protocol.errors import ProtocolError
from roost_protocol.release.manifest import decode
from roost_protocol.release.target import (
    check_manifest,
    read_custom,
    target_path,
    written,
)


def test_what_is_written_is_read_back():
    said = json.loads(json.dumps(written(custom(hw=["R740"], floor=1))))
    assert read_custom("app/web/2.0.json", said) == custom(hw=["R740"], floor=1)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("app/web/2.0.json", None),
        ("app/web/2.0.json", {"other": {}}),
        ("app/web/2.1.json", written(custom())),
        ("app/web/2.0.json", written(custom(floor=3))),
        ("app/web/2.0.json", {"roost": msgspec.to_builtins(custom()) | {"run": "sh"}}),
    ],
)
def test_a_custom_that_is_none_or_of_another_path_is_refused(path, said):
    with pytest.raises(ProtocolError, match="custom"):
        read_custom(path, said)


@pytest.mark.parametrize(
    ("component", "version"),
    [("../etc", "1"), ("app", "1"), ("agent", "../1"), ("agent", ""), ("agent", "1\n")],
)
def test_no_component_or_version_leads_out_of_its_place(component, version):
    with pytest.raises(ProtocolError):
        target_path(component, version)


def test_a_manifest_that_is_another_release_is_refused_by_its_field():
    check_manifest(custom(), decode(manifest()))
    for field, value in (
        ("component", "app/web2"),
        ("version", "2.1"),
        ("release_counter", 3),
        ("arch", "aarch64"),
        ("hw", ["R740"]),
    ):
        with pytest.raises(ProtocolError, match=field):
            check_manifest(custom(), decode(manifest(**{field: value})))
