"""The slow hash, where tests of the API do not reach."""

from roost_central.access.password import BYTES_MAX, LOG2_N, P, R, hashed


def test_the_memory_that_one_takes_is_bounded():
    assert 128 * R * (1 << LOG2_N) + 128 * R * P < BYTES_MAX


def test_the_same_password_is_kept_differently_for_each_salt():
    assert hashed("x", b"a" * 16) != hashed("x", b"b" * 16)
