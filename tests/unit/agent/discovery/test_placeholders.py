import pytest

from roost_agent.discovery.placeholders import is_placeholder, put_text
from roost_agent.discovery.section import DENIED, Missing, Section


@pytest.mark.parametrize(
    "text",
    [
        "To Be Filled By O.E.M.",
        "To be filled by O.E.M.",
        "Default string",
        "Not Specified",
        "not  specified",
        "0123456789",
        "System Serial Number",
        "Manufacturer0",
        "A1_SerNum0",
        "00000000",
        "FFFFFFFF",
        "0x00000000",
        "00000000-0000-0000-0000-000000000000",
        "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        "03000200-0400-0500-0006-000700080009",
        "...............",
        "----",
        "N/A",
        "Unknown",
        "NO DIMM",
        "$(DEFAULT_STRING)",
    ],
)
def test_firmware_junk_is_a_placeholder(text):
    assert is_placeholder(text)


@pytest.mark.parametrize(
    "text",
    [
        "PowerEdge R740",
        "2102312MEA10K9000003",
        "0",
        "1.00",
        "000",
        "A02",
        "Default Gateway 3000",
        "None Such Inc.",
        "76cfcdd4-c8a7-9486-e911-c1d00a756a75",
        "00000000-0000-0000-0000-ac1f6b8a5fc8",
    ],
)
def test_a_real_name_is_none(text):
    assert not is_placeholder(text)


def test_the_raw_text_of_a_placeholder_is_kept():
    section = Section()
    put_text(section, "system", "product_serial", " Default string ")
    assert section.items["system"] == {
        "product_serial": None,
        "product_serial_raw": "Default string",
    }
    assert section.missing == {"system.product_serial": "placeholder"}


def test_blank_text_is_absent_and_a_reason_stays_as_it_is():
    section = Section()
    put_text(section, "system", "sku", "   ")
    put_text(section, "system", "serial", Missing(DENIED))
    assert section.missing == {"system.sku": "absent", "system.serial": "denied"}
    assert "sku_raw" not in section.items["system"]
