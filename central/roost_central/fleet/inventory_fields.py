"""The inventory as the query language knows it: every class with its fields, as data.

One line for each class, in the order of the agent's registry. A name is followed by ``*`` where the
centre keeps the field one by one beside the documents (others are searched in the documents, which
is slow), and by ``:kind`` where neither its unit nor ``text`` tells the kind. What an agent sends
beyond this table is kept and shown, and cannot be asked for.

Every class also has ``id``, the key of its items, and every field ``.reason``, why it is unknown.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from roost_central.fleet.query_kinds import KindName

CLASSES: Final[dict[str, str]] = {
    "system": """
        sys_vendor* product_name* product_family product_sku product_version product_serial*
        product_uuid* board_vendor board_name board_version board_serial board_asset_tag
        chassis_vendor chassis_type:number chassis_version chassis_serial chassis_asset_tag
        bios_vendor bios_version*:version bios_date ec_firmware_release boot_mode secure_boot:bool
        compatible""",
    "os": """
        name* version*:version distribution kernel*:version arch* cmdline hostname machine_id
        boot_id btime_s virtualisation* reboot_required:bool kubernetes_node:bool
        agent_version*:version tainted:number lsm lockdown fips:bool kdump:bool sysctl""",
    "cpu": """
        vendor family:number model:number stepping:number model_name* microcode* flags bugs
        cores:number threads:number base_khz min_khz max_khz governor driver turbo:bool smt cstates
        vulnerabilities""",
    "cpu_thread": """
        online:bool package:number die:number cluster:number core:number siblings:number
        numa:number core_type isolated:bool nohz_full:bool""",
    "cpu_cache": "size_bytes ways:number line_bytes shared_by:number count:number",
    "numa": "total_bytes cpus:number distances:number has_cpu:bool has_memory:bool tier:number",
    "memory": "total_bytes* swap_bytes zram_bytes",
    "hugepages": """
        node:number size_bytes* count*:number overcommit:number sizes_bytes default_bytes
        thp_mode thp_defrag supported""",
    "dimm": """
        locator bank manufacturer serial* asset_tag part* firmware:version populated:bool
        size_bytes* type* form_factor speed_mts configured_mts rank:number data_width:number
        total_width:number ecc:bool voltage_mv""",
    "edac": "label size_bytes location mem_type mode",
    "dmi": """
        kind designation manufacturer version:version serial part location name asset_tag revision
        component_id release_date description populated:bool max_mhz cores:number
        cores_enabled:number threads:number level:number enabled:bool size_bytes ecc type width
        usage address interface interrupt:number max_mw present:bool hot_replaceable:bool
        unplugged:bool state instance:number redfish_ip redfish_port:number vendor image_bytes""",
    "tpm": "version:version vendor description banks ek_cert_sha256",
    "watchdog": """
        identity state timeout_s pretimeout_s pretimeout_governor bootstatus:number nowayout:bool
        fw_version:number""",
    "pci": """
        vendor_id* device_id* subsystem_vendor_id subsystem_device_id class_id* vendor_name
        device_name subsystem_name class_name revision driver* numa:number iommu_group:number
        enabled:bool physfn serial link_cur_speed_mts link_max_speed_mts link_cur_width:number
        link_max_width:number""",
    "sriov": """
        total_vfs:number num_vfs*:number offset:number stride:number vf_device autoprobe:bool driver
        netdev mac vlan:number spoofchk:bool trust:bool max_tx_mbps link_state""",
    "accelerator": """
        kind* product* driver state services name priority:number module hw_offload:bool
        usable:bool""",
    "fpga": """
        name state bitstream_id bmc_fw_version:version bmc_build_version:version boot_page
        retimer_a_version:version retimer_b_version:version root_key revoked_key_ids""",
    "gpu": """
        pci vendor model* driver uuid serial vbios:version driver_version*:version memory_bytes*
        power_limit_mw ecc_enabled:bool mig:bool retired_pages:number""",
    "nic": """
        ifname* ifindex:number kind mac* permanent_mac mtu:number driver* speed_mbps* duplex
        switch_id port_name pci numa:number altnames driver_version:version firmware*:version port
        autoneg:bool rings_rx_max:number rings_tx_max:number rings_rx:number rings_tx:number
        channels_max:number channels:number timestamping phc:number fec wol offloads""",
    "link": """
        kind mac mtu:number master bridge bridge_ports bond_mode bond_members lacp_partner
        vlan_id:number vlan_device addresses default_routes""",
    "lldp": """
        ifname* chassis_id* chassis_id_type port_id* port_id_type ttl_s system_name* description
        capabilities management_addresses port_description pvid:number vlans
        frame_bytes_max:size aggregated:bool med_class med_hardware med_firmware:version
        med_software:version med_serial med_manufacturer med_model med_asset""",
    "rdma": "name fw_ver:version sys_guid hca_type board_id state rate_mbps link_layer",
    "storage_controller": """
        kind model driver serial firmware:version state transport cntlid:number subsysnqn
        namespaces:number wwpn wwnn speed target slots:number""",
    "disk": """
        name size_bytes* model* serial* firmware*:version type* transport by_path logical_bytes
        physical_bytes rotational*:bool removable:bool scheduler write_cache discard:bool zoned
        cntlid:number subsysnqn namespaces:number hctl rpm:number""",
    "partition": "disk number:number name type label start_bytes size_bytes",
    "raid": """
        kind name level state degraded:number raid_disks:number chunk_bytes metadata members faulty
        size_bytes vg lv""",
    "filesystem": "device type* label mountpoint* options size_bytes",
    "sensor": "kind unit min:number max:number crit:number lcrit:number",
    "power": "type manufacturer model serial capacity_uwh range_uj",
    "usb": "vendor_id product_id class_id manufacturer product serial driver",
    "serial": "name driver vendor_id product_id product serial",
    "module": "version:version srcversion",
    "package_set": "count:number digest",
    "package": "version*:version source",
}

UNITS: Final[dict[str, str]] = {  # by the ending of a name
    "bytes": "bytes",
    "khz": "kHz",
    "mbps": "Mbit/s",
    "mhz": "MHz",
    "mts": "MT/s",
    "mv": "mV",
    "mw": "mW",
    "s": "s",
    "uj": "uJ",
    "uwh": "uWh",
}

_ENTRY: Final = re.compile(r"([a-z][a-z0-9_]*)(\*?)(?::([a-z]+))?")


@dataclass(frozen=True, slots=True)
class ItemField:
    """One field of one class; ``unit`` is empty where the value has none."""

    item_class: str
    name: str
    kind: KindName
    unit: str
    is_indexed: bool


def item_fields() -> Iterator[ItemField]:
    """Yield every field of every class, ``id`` first."""
    for item_class, line in CLASSES.items():
        is_indexed = "*" in line  # a class without an index has its ids in the documents alone
        yield ItemField(item_class, "id", "text", "", is_indexed)
        for name, star, kind in _ENTRY.findall(line):
            _, has_unit, ending = name.rpartition("_")
            unit = UNITS.get(ending, "") if has_unit else ""
            measured: KindName = "size" if unit == "bytes" else "number" if unit else "text"
            yield ItemField(item_class, name, kind or measured, unit, bool(star))
