import msgspec
import pytest

from roost_agent.ha.config_fence import Digest, Resource, Url
from roost_agent.ha.config_kinds import Container, Interface, Name, Unit

GOOD = [
    (Name, "c0"),
    (Interface, "eth0.12"),
    (Unit, "db@1.service"),
    (Container, "db_1"),
    (Url, "https://10.0.0.9:8443"),
    (Resource, "/redfish/v1/Systems/1"),
    (Digest, "0a" * 32),
]


@pytest.mark.parametrize(("kind", "text"), GOOD)
def test_a_text_is_taken_whole_and_not_with_a_line_end_behind_it(kind, text):
    assert msgspec.convert(text, kind) == text
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(f"{text}\n", kind)
