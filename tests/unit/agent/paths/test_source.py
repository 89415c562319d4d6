import pytest

from roost_agent.errors import LinkError
from roost_agent.paths.source import address_of


def test_the_address_of_an_interface_is_the_kernels():
    assert address_of("lo") == "127.0.0.1"


def test_an_interface_that_is_not_there_has_none():
    with pytest.raises(LinkError, match="interface wwan9: no address"):
        address_of("wwan9")
