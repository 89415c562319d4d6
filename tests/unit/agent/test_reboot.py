"""A reboot is asked of the helper that the configuration names, by a host's act and by an order."""

from types import SimpleNamespace

import pytest

from roost_agent.host.act import ActRefusedError
from roost_agent.host_node import DriverAround
from roost_agent.order_node import OrderNode
from roost_agent.orders.verbs.handler import ActError


@pytest.fixture
def driver(tmp_path):
    settings = SimpleNamespace(helper=str(tmp_path / "helper.sock"))
    return SimpleNamespace(config=SimpleNamespace(settings=settings))


@pytest.mark.parametrize(
    ("of", "refused"),
    [
        (DriverAround, ActRefusedError),
        (lambda driver: OrderNode(driver, None, None), ActError),
    ],
)
async def test_a_reboot_is_asked_of_the_helper_that_is_configured(driver, of, refused):
    """In a demo, or a container, the usual socket is another machine's helper."""
    where = f"{driver.config.settings.helper}.*roost-helper.socket"
    with pytest.raises(refused, match=where) as told:
        await of(driver).reboot("new kernel", "ab" * 16)
    assert told.value.code == "helper"
