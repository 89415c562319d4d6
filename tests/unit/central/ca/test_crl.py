"""Lists of revoked certificates: never past their date, and nothing lost from them."""

from datetime import UTC, datetime, timedelta

import pytest

from roost_central.ca.crl import KEPT_S, LATE_S, REVOKED_MAX, crl, merged, pem
from roost_central.ca.profiles import Authority
from roost_protocol.errors import ProtocolError

NOW = datetime(2027, 1, 1, tzinfo=UTC)
NOW_S = int(NOW.timestamp())


def test_a_list_has_no_end_and_a_number_that_grows(pki):
    by, _ = pki.issuer(Authority.NODE)
    first = crl(by, {7: NOW_S}, NOW)
    second = crl(by, {7: NOW_S}, NOW + timedelta(milliseconds=1))
    assert first.next_update_utc == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert first.is_signature_valid(by.key.public_key())
    numbers = [each.extensions[1].value.crl_number for each in (first, second)]
    assert numbers[1] == numbers[0] + 1
    assert first.get_revoked_certificate_by_serial_number(7).revocation_date_utc == NOW
    assert pem(first, second).count("BEGIN X509 CRL") == 2


def test_what_was_listed_keeps_its_first_date():
    assert merged({7: NOW_S - 50}, {7: NOW_S}, NOW, ends=True) == {7: NOW_S - 50}


@pytest.mark.parametrize("at_s", [0, NOW_S - 10 * KEPT_S, NOW_S + 1, (1 << 53) - 1])
def test_a_strange_date_leaves_nothing_out(at_s):
    assert NOW_S - LATE_S <= merged({}, {7: at_s}, NOW, ends=True)[7] <= NOW_S


def test_a_node_is_listed_for_as_long_as_its_certificate_could_live():
    old = {7: NOW_S}
    for days, kept in ((400, {7}), (430, {7}), (431, set())):
        later = NOW + timedelta(days=days)
        assert set(merged(old, {}, later, ends=True)) == kept
        assert set(merged(old, {}, later, ends=False)) == {7}


def test_a_list_has_a_bound():
    full = dict.fromkeys(range(1, REVOKED_MAX + 1), NOW_S)
    assert len(merged(full, {}, NOW, ends=False)) == REVOKED_MAX
    with pytest.raises(ProtocolError) as refused:
        merged(full, {REVOKED_MAX + 1: NOW_S}, NOW, ends=False)
    assert refused.value.code == "full"
