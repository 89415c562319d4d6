from roost_agent.discovery.tpm import tpm

TPM = "sys/class/tpm/tpm0"


def test_a_2_0_chip_has_its_version_and_banks(tree):
    tree.plant(
        {
            f"{TPM}/tpm_version_major": 2,
            f"{TPM}/device/description": "TPM 2.0 Device",
            f"{TPM}/pcr-sha256/0": "00",
            f"{TPM}/pcr-sha1/0": "00",
        }
    )
    section = tpm(tree.reader())
    assert section.items["tpm0"]["version"] == "2.0"
    assert section.items["tpm0"]["banks"] == ["sha1", "sha256"]
    assert section.missing["tpm0.vendor"] == "absent"


def test_a_1_2_chip_names_its_vendor_in_hex(tree):
    tree.plant({f"{TPM}/device/caps": "Manufacturer: 0x49465800\nTCG version: 1.2"})
    item = tpm(tree.reader()).items["tpm0"]
    assert (item["version"], item["vendor"]) == ("1.2", "IFX")


def test_a_machine_without_a_tpm_says_so(tree):
    assert tpm(tree.reader()).missing == {"*": "absent"}
    (tree.root / "sys/class/tpm").mkdir(parents=True)
    assert tpm(tree.reader()).missing == {"*": "absent"}
