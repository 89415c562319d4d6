"""An ID token counts only where everything about it is right (OpenID Connect Core 3.1.3.7)."""

import base64
import json
import sys
import warnings
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from openid_provider import forged

from roost_central.errors import OidcError
from roost_central.oidc.id_token import (
    SKEW_MS_MAX,
    TOKEN_CHARS_MAX,
    Claims,
    Expected,
    key_of,
    verified,
)

NOW_S = 1_793_500_000
NOW_MS = NOW_S * 1_000
SKEW_S = SKEW_MS_MAX // 1_000
EXPECTED = Expected("https://idp.example", "roost", "n-1", NOW_MS)
RIGHT = {
    "iss": "https://idp.example",
    "sub": "u-1",
    "aud": "roost",
    "exp": NOW_S + 300,
    "iat": NOW_S,
    "nonce": "n-1",
}
EC = ECKey.generate_key("P-256", {"kid": "e1"})
RSA = RSAKey.generate_key(2048, {"kid": "r1"})
OKP = OKPKey.generate_key("Ed25519", {"kid": "o1"})
KEYS = [key.as_dict(private=False) for key in (EC, RSA, OKP)]


def signed(claims=RIGHT, key=EC, algorithm="ES256", **header):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library tells that EdDSA has a newer name
        return jwt.encode({"alg": algorithm, "kid": key.kid} | header, claims, key,
                          algorithms=[algorithm])  # fmt: skip


def _text(part):
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def read(token, *, keys=KEYS, now_ms=NOW_MS):
    key = key_of(token, keys)
    if key is None:
        raise OidcError("refused", "no key")
    return verified(token, key, EXPECTED, now_ms, groups="groups")


def refusal(token, **how):
    with pytest.raises(OidcError) as refused:
        read(token, **how)
    assert refused.value.code == "refused"
    return refused.value.detail


@pytest.mark.parametrize(
    ("key", "algorithm"), [(EC, "ES256"), (RSA, "RS256"), (OKP, "EdDSA"), (OKP, "Ed25519")]
)
def test_a_right_token_says_whose_it_is(key, algorithm):
    claims = RIGHT | {"preferred_username": "ann", "groups": ["noc", 7]}

    assert read(signed(claims, key, algorithm)) == Claims("u-1", "ann", ("noc",))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"iss": "https://idp.example/"}, "(iss)"),
        ({"aud": "other"}, "(aud)"),
        ({"aud": ["other"]}, "(aud)"),
        ({"aud": 7}, "(aud)"),
        ({"aud": ["roost", "other"]}, "(azp)"),
        ({"azp": "other"}, "(azp)"),
        ({"nonce": "n-2"}, "(nonce)"),
        ({"nonce": 7}, "(nonce)"),
        ({"exp": NOW_S - SKEW_S}, "(exp)"),
        ({"exp": "soon"}, "no time in exp"),
        ({"exp": float("nan")}, "no time in exp"),
        ({"exp": float("inf")}, "no time in exp"),
        ({"exp": 10**400}, "no time in exp"),
        ({"iat": True}, "no time in iat"),
        ({"iat": NOW_S - SKEW_S - 1}, "(iat)"),
        ({"iat": NOW_S + SKEW_S + 1}, "(iat)"),
        ({"nbf": NOW_S + SKEW_S + 1}, "(nbf)"),
        ({"sub": ""}, "sub"),
        ({"sub": "a" * 256}, "sub"),
        ({"sub": "ä"}, "sub"),
        ({"sub": "a\nb"}, "sub"),
        ({"sub": 7}, "sub"),
    ],
)
def test_one_wrong_claim_and_it_is_nobodys(change, word):
    assert word in refusal(signed(RIGHT | change))


@pytest.mark.parametrize("name", sorted(RIGHT))
def test_no_claim_may_lack(name):
    refusal(signed({key: value for key, value in RIGHT.items() if key != name}))


@pytest.mark.parametrize(
    "change",
    [
        {"aud": ["roost"]},
        {"aud": ["other", "roost"], "azp": "roost"},
        {"exp": NOW_S - SKEW_S + 1},
        {"iat": NOW_S - SKEW_S},
        {"nbf": NOW_S + SKEW_S},
        {"groups": "noc"},
    ],
)
def test_what_the_rules_allow_is_taken(change):
    assert read(signed(RIGHT | change)).subject == "u-1"


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_that_anybody_can_make_is_refused(algorithm):
    assert "signed by none of" in refusal(forged(RIGHT, algorithm, RSA))


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_it_is_refused_also_where_a_key_was_found_for_it(algorithm):
    with pytest.raises(OidcError):
        verified(forged(RIGHT, algorithm, RSA), KEYS[1], EXPECTED, NOW_MS, groups="groups")


def test_another_key_under_the_same_name_is_refused():
    stranger = ECKey.generate_key("P-256", {"kid": "e1"})

    assert "signature" in refusal(signed(key=stranger))


def test_a_key_is_used_for_its_own_algorithm_alone():
    assert key_of(signed(kid="r1"), KEYS) is None
    assert key_of(signed(), [KEYS[0] | {"alg": "ES384"}]) is None
    assert key_of(signed(), [KEYS[0] | {"use": "enc"}]) is None


def test_without_a_name_the_one_key_that_fits_counts_and_of_two_none():
    token = jwt.encode({"alg": "ES256"}, RIGHT, EC)

    assert key_of(token, KEYS) == KEYS[0]
    assert key_of(token, [KEYS[0], KEYS[0] | {"kid": "e2"}]) is None


def test_a_short_key_is_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library only warns
        short = RSAKey.generate_key(1024, {"kid": "r0"})
        assert "bits" in refusal(
            signed(key=short, algorithm="RS256"), keys=[short.as_dict(private=False)]
        )


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b",
        "....",
        "é.b.c",
        "e30.e30.",
        "W10.e30.",
        f"{_text(b'[' * 9_000)}.e30.",
        "a" * (TOKEN_CHARS_MAX + 1),
    ],
)
def test_what_is_no_token_is_refused(token):
    assert "ID token" in refusal(token)


def test_a_header_that_must_be_understood_is_refused():
    header = json.dumps({"alg": "ES256", "kid": "e1", "crit": ["x"], "x": 1}).encode()

    assert "ID token" in refusal(".".join([_text(header), *signed().split(".")[1:]]))
