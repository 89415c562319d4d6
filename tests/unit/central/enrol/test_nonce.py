import pytest

from roost_central.enrol.nonce import LIFE_MS, check_nonce, make_nonce
from roost_protocol.errors import ProtocolError

KEY, COMMIT, RANDOM, NOW = b"k" * 32, b"c" * 32, b"r" * 16, 1_000_000


def test_a_nonce_comes_back_within_its_life():
    nonce = make_nonce(KEY, COMMIT, RANDOM, now_ms=NOW)
    check_nonce(KEY, nonce, COMMIT, now_ms=NOW + LIFE_MS)
    check_nonce(KEY, nonce, COMMIT, now_ms=NOW - LIFE_MS)


@pytest.mark.parametrize("now_ms", [NOW + LIFE_MS + 1, NOW - LIFE_MS - 1])
def test_a_nonce_ends(now_ms):
    nonce = make_nonce(KEY, COMMIT, RANDOM, now_ms=NOW)
    with pytest.raises(ProtocolError, match="300 s"):
        check_nonce(KEY, nonce, COMMIT, now_ms=now_ms)


@pytest.mark.parametrize("change", ["key", "commit", "time", "nonsense", "empty"])
def test_a_nonce_of_anyone_else_or_for_another_key_is_refused(change):
    nonce = make_nonce(KEY, COMMIT, RANDOM, now_ms=NOW)
    key = b"x" * 32 if change == "key" else KEY
    commit = b"x" * 32 if change == "commit" else COMMIT
    nonce = {"time": "1" + nonce, "nonsense": "a.b.\xe9", "empty": ""}.get(change, nonce)
    with pytest.raises(ProtocolError, match="one of ours"):
        check_nonce(key, nonce, commit, now_ms=NOW)
