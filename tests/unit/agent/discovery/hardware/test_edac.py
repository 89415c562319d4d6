from roost_agent.discovery.edac import edac

MC0 = "sys/devices/system/edac/mc/mc0"


def test_the_layout_with_a_directory_for_each_dimm(tree):
    tree.plant({f"{MC0}/mc_name": "Skylake Socket#0 IMC#0", f"{MC0}/size_mb": 32768})
    dimm = {"label": "CPU_SrcID#0_MC#0_Chan#0_DIMM#0", "location": "channel 0 slot 0"}
    dimm |= {"mem_type": "Registered-DDR4", "edac_mode": "SECDED"}
    tree.plant({f"{MC0}/dimm0/dimm_{name}": value for name, value in dimm.items()})
    tree.plant({f"{MC0}/dimm0/size": 32768, f"{MC0}/dimm0/dimm_ce_count": 7})
    assert edac(tree.reader()).items == {
        "mc0": {"label": "Skylake Socket#0 IMC#0", "size_bytes": 32 << 30},
        "mc0/dimm0": {
            "label": "CPU_SrcID#0_MC#0_Chan#0_DIMM#0",
            "location": "channel 0 slot 0",
            "mem_type": "Registered-DDR4",
            "mode": "SECDED",
            "size_bytes": 32 << 30,
        },
    }


def test_the_layout_with_rows_and_channels(tree):
    tree.plant(
        {
            f"{MC0}/csrow1/mem_type": "Unbuffered-DDR4",
            f"{MC0}/csrow1/edac_mode": "SECDED",
            f"{MC0}/csrow1/ch0_dimm_label": "A1",
            f"{MC0}/csrow1/ch1_dimm_label": "A2",
        }
    )
    items = edac(tree.reader()).items
    assert items["mc0/csrow1/ch1"] == {
        "label": "A2",
        "location": "csrow1 ch1",
        "mem_type": "Unbuffered-DDR4",
        "mode": "SECDED",
    }


def test_a_controller_that_shows_both_layouts_is_listed_once(tree):
    tree.plant({f"{MC0}/csrow0/ch0_dimm_label": "A1", f"{MC0}/rank0/dimm_label": "A1"})
    assert list(edac(tree.reader()).items) == ["mc0", "mc0/rank0"]


def test_without_an_edac_driver_the_class_says_no_module(tree):
    assert edac(tree.reader()).missing == {"*": "no-module"}
