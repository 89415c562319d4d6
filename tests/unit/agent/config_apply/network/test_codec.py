"""Networks as bytes."""

from hypothesis import given
from networks import networks

from roost_agent.config_apply.network import codec


@given(networks())
def test_a_network_comes_back_as_it_was_from_the_same_bytes(network):
    raw = codec.dump(network)
    assert codec.load(raw) == network
    assert codec.dump(codec.load(raw)) == raw
    for each in network.interfaces.values():
        assert codec.interface(codec.dump(each)) == each
