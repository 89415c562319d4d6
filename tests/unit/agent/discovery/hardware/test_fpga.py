from roost_agent.discovery.fpga import fpga

ADDRESS = "0000:b2:00.0"


def card(machine):
    place = machine.pci(ADDRESS, device="0x0b30", class_="0x120000")
    return machine.driver(place, "dfl-pci").tree.root / place, place


def test_a_card_tells_its_image_and_its_board_controller_wherever_they_are(machine):
    _, place = card(machine)
    spi = f"{place}/fpga_region/region0/dfl-fme.0/dfl_dev.4/spi_master/spi0/spi0.0"
    machine.plant(
        {
            f"{place}/fpga_region/region0/dfl-fme.0/bitstream_id": "0x23000410010310",
            f"{spi}/bmc_version": "0x412100d4",
            f"{spi}/bmcfw_version": "0x412100d5",
            f"{spi}/security/sr_root_entry_hash": "hash not programmed",
            f"{spi}/security/sr_canceled_csks": "0-3",
        }
    )
    manager = f"{place}/fpga_region/region0/dfl-fme-mgr.0/fpga_manager/fpga0"
    machine.device("sys/class/fpga_manager/fpga0", manager, name="DFL FME", state="operating")
    assert fpga(machine.reader()).items[ADDRESS] == {
        "name": "DFL FME",
        "state": "operating",
        "bitstream_id": "0x23000410010310",
        "bmc_fw_version": "0x412100d5",
        "bmc_build_version": "0x412100d4",
        "boot_page": None,
        "retimer_a_version": None,
        "retimer_b_version": None,
        "root_key": "hash not programmed",
        "revoked_key_ids": "0-3",
    }


def test_the_search_follows_no_link_and_ends(machine):
    root, _ = card(machine)
    (root / "loop").symlink_to("..")
    machine.plant({"sys/devices/pci0000:00/0000:b3:00.0/bitstream_id": "of another card"})
    (root / "peer").symlink_to("../0000:b3:00.0")
    deep = root
    for _ in range(30):
        deep = deep / "d"
        deep.mkdir()
        for number in range(30):
            (deep / f"e{number}").mkdir()
    (deep / "bitstream_id").write_text("too deep to be found")
    section = fpga(machine.reader())
    assert section.items[ADDRESS]["bitstream_id"] is None


def test_other_functions_are_no_fpga(machine):
    machine.pci("0000:00:01.0")
    assert fpga(machine.reader()).missing == {"*": "absent"}
