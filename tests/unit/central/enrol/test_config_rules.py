"""``[[enrol.maker]]`` and ``[[enrol.rule]]``: what is taken, and every fault by its key."""

import tomllib

import pytest
from maker import Maker

from roost_central.config import ConfigFaultsError, check

ENROL = """
[fleet]
domain = "edge.example"
[enrol]
public_url = "https://c.example:8471"
[[enrol.broker]]
name = "b1"
url = "mqtts://b.example:8883"
"""


@pytest.fixture
def files(tmp_path):
    Maker().write(tmp_path / "acme.pem")
    (tmp_path / "serials").write_text("# of the order of May\nac-1\nAC-2  # the odd one\n\n")
    return tmp_path


def enrol(files, text):
    maker = f'[[enrol.maker]]\nname = "acme"\nca_file = "{files}/acme.pem"\n'
    config = check(tomllib.loads(ENROL + maker + text.replace("@", str(files))))
    assert config.enrol is not None
    return config.enrol


def test_makers_and_rules_are_taken_in_their_order(files):
    found = enrol(
        files,
        """
        [[enrol.rule]]
        name = "shops"
        maker = "acme"
        serial = "AC-7*"
        site = "shop-7"
        [[enrol.rule]]
        name = "ordered"
        serials_file = "@/serials"
        firmware_min = "1.4"
        site = "shop-8"
        node = "n1"
        broker = true
        labels = { wave = "2", rack = "7" }
        """,
    )
    assert [each.name for each in found.makers] == ["acme"]
    shops, ordered = found.rules
    assert (shops.maker, shops.serial, shops.site, shops.serials) == (
        "acme", "AC-7*", "shop-7", None,
    )  # fmt: skip
    assert ordered.serials == {"AC-1", "AC-2"}
    assert (ordered.firmware_min, ordered.node, ordered.broker) == ("1.4", "n1", True)
    assert (ordered.labels, shops.labels) == ((("rack", "7"), ("wave", "2")), ())


def test_a_maker_may_have_lists_of_what_it_revoked(files):
    (files / "acme.crl").write_bytes(Maker().revoking())
    [maker] = enrol(files, 'crl_file = "@/acme.crl"\n').makers
    assert maker.revoked is not None
    for name, why in (("gone.crl", "No such file"), ("serials", "no lists of revoked")):
        with pytest.raises(ConfigFaultsError, match=f"crl_file.*{why}"):
            enrol(files, f'crl_file = "@/{name}"\n')


RULE = '[[enrol.rule]]\nname = "r"\nsite = "lab"\n'


TPM_MAKER = '[[enrol.tpm_maker]]\nname = "chips"\nca_file = "@/acme.pem"\n'


def test_makers_of_tpms_are_others_than_makers_of_boxes(files):
    rule = '[[enrol.rule]]\nname = "ours"\ntpm = "chips"\nserials_file = "@/serials"\nsite = "s"\n'
    found = enrol(files, TPM_MAKER + rule)
    assert [each.name for each in found.makers] == ["acme"]
    assert [each.name for each in found.tpm_makers] == ["chips"]
    assert (found.rules[0].tpm, found.rules[0].maker) == ("chips", "")


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ('tpm = "acme"', "'acme' is no [[enrol.tpm_maker]]: chips"),
        ('maker = "chips"', "'chips' is no [[enrol.maker]]: acme"),
        ('tpm = "chips"\nmaker = "acme"', "two ways to vouch for a box"),
        ('tpm = "chips"\nserial = ""', "no other key says which boxes"),
        ('tpm = "chips"\nserial = ""\nproduct = "Edge*"', "any TPM of that maker would do"),
    ],
)
def test_a_rule_names_one_that_vouches(files, rule, told):
    more = "" if "serial" in rule else 'serial = "*"\n'
    with pytest.raises(ConfigFaultsError) as caught:
        enrol(files, f'{TPM_MAKER}[[enrol.rule]]\nname = "r"\nsite = "s"\n{more}{rule}\n')
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (RULE, "enrol.rule.serial is missing, and no other key says which boxes"),
        (f'{RULE}serail = "x"', "enrol.rule.serail is not known: did you mean enrol.rule.serial?"),
        (f'{RULE}serial = "[a-z]"', "enrol.rule.serial: '[a-z]': 1 to 128 characters"),
        (f'{RULE}serial = "*"\nmaker = "zeta"', "enrol.rule.maker: 'zeta' is no [[enrol.maker]]"),
        (f'{RULE}serial = "*"\nnode = "N 1"', "enrol.rule.node"),
        (f'{RULE}serial = "*"\n{RULE}serial = "*"', "enrol.rule: two have one name"),
        ('[[enrol.rule]]\nname = "r"\nserial = "*"', "enrol.rule.site is missing"),
        (f'{RULE}serial = "*"\nlabels = {{ "a b" = "x" }}', "enrol.rule.labels: 'a b'"),
        (f'{RULE}serial = "*"\nlabels = {{ wave = 2 }}', "enrol.rule.labels: 'wave'"),
        (f'{RULE}serial = "*"\nlabels = "x"', "enrol.rule.labels: 'x' is not a table"),
        (f'{RULE}serials_file = "@/none"', "No such file"),
        (f'{RULE}serials_file = "@"', "Is a directory"),
        ('[[enrol.maker]]\nname = "acme"\nca_file = "@/acme.pem"', "enrol.maker: two have one"),
        ('[[enrol.maker]]\nname = "b"\nca_file = "@/serials"', "no authorities in PEM"),
        ('[[enrol.maker]]\nname = "b"\nca_file = "@/none"', "enrol.maker.ca_file"),
    ],
)
def test_what_cannot_be_is_told_by_its_key(files, text, told):
    with pytest.raises(ConfigFaultsError) as refused:
        enrol(files, text)
    told_all = "\n".join(refused.value.faults).replace(": is missing", " is missing")
    assert told in told_all.replace(": is not known", " is not known")
