/**
 * The fields of the query language. Made from fleet/fields.py by
 * `python -m roost_central.fleet.export_fields`; edit that one.
 */

/** @typedef {keyof typeof import("./query-values.js").KINDS} KindName */
/**
 * @typedef {{name: string, kind: KindName, doc: string, carriers: string[], unit: string,
 *   choices: string[], isKeyed: boolean, isLabel: boolean, isSince: boolean,
 *   comesWith: string}} Field
 */

/** Searched by a bare text, beside every label value. */
export const TEXT_FIELDS = ["site", "node", "kind", "type", "name", "text"];

/** What every inventory field begins with, and the names that all classes have. */
export const INVENTORY = "inv.";
export const ITEM_ID = "id";
export const REASON = "reason";

/** @type {Field[]} */
const TABLE = [
  {"name": "site", "kind": "text", "doc": "Name of the site.", "carriers": ["site", "node", "event", "path", "alarm"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "node", "kind": "text", "doc": "Name of the node; on a site any of its nodes.", "carriers": ["site", "node", "event", "path", "alarm"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "name", "kind": "text", "doc": "Display name; of an alarm its type's.", "carriers": ["site", "node", "alarm"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "label", "kind": "label", "doc": "A label, such as `label.tier:gold`.", "carriers": ["site", "node", "event", "path", "alarm"], "unit": "", "choices": [], "isKeyed": true, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "region", "kind": "label", "doc": "Where the site is; short for `label.region`.", "carriers": ["site", "node", "event", "path", "alarm"], "unit": "", "choices": [], "isKeyed": false, "isLabel": true, "isSince": false, "comesWith": ""},
  {"name": "zone", "kind": "label", "doc": "Part of the region; short for `label.zone`.", "carriers": ["site", "node", "event", "path", "alarm"], "unit": "", "choices": [], "isKeyed": false, "isLabel": true, "isSince": false, "comesWith": ""},
  {"name": "carrier", "kind": "label", "doc": "Who runs the WAN circuit; short for `label.carrier`.", "carriers": ["site", "node", "event", "path", "alarm"], "unit": "", "choices": [], "isKeyed": false, "isLabel": true, "isSince": false, "comesWith": ""},
  {"name": "pe", "kind": "label", "doc": "Provider edge router; short for `label.pe`.", "carriers": ["site", "node", "event", "path", "alarm"], "unit": "", "choices": [], "isKeyed": false, "isLabel": true, "isSince": false, "comesWith": ""},
  {"name": "feed", "kind": "label", "doc": "Power feed; short for `label.feed`.", "carriers": ["site", "node", "event", "path", "alarm"], "unit": "", "choices": [], "isKeyed": false, "isLabel": true, "isSince": false, "comesWith": ""},
  {"name": "role", "kind": "label", "doc": "What the node is for; short for `label.role`.", "carriers": ["site", "node", "event", "path", "alarm"], "unit": "", "choices": [], "isKeyed": false, "isLabel": true, "isSince": false, "comesWith": ""},
  {"name": "lat", "kind": "number", "doc": "Latitude of the site.", "carriers": ["site", "node"], "unit": "degrees north", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "lon", "kind": "number", "doc": "Longitude of the site.", "carriers": ["site", "node"], "unit": "degrees east", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "status", "kind": "status", "doc": "State of the site.", "carriers": ["site", "node", "event", "path", "alarm"], "unit": "", "choices": ["ok", "maintenance", "degraded", "unknown", "down"], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "presence", "kind": "enum", "doc": "Whether the node is heard; on a site any of its nodes.", "carriers": ["site", "node"], "unit": "", "choices": ["online", "degraded", "unreachable", "unknown"], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "redundancy", "kind": "enum", "doc": "Whether local HA could lose a node; `none` where there is no HA.", "carriers": ["site", "node"], "unit": "", "choices": ["none", "ok", "unknown", "lost", "down"], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "ha", "kind": "enum", "doc": "Role in the groups of local HA; on a site any of its nodes.", "carriers": ["site", "node"], "unit": "", "choices": ["active", "standby", "none"], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "managed", "kind": "bool", "doc": "Whether the site is managed; one that is not takes no orders.", "carriers": ["site", "node"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "sync", "kind": "enum", "doc": "Whether the site is as the centre has it: the worst of all subjects.", "carriers": ["site", "node"], "unit": "", "choices": ["in-sync", "unknown", "out-of-sync"], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "path", "kind": "path", "doc": "State of a WAN path.", "carriers": ["site", "node", "path"], "unit": "", "choices": ["up", "down", "flaky", "unknown"], "isKeyed": true, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "age", "kind": "duration", "doc": "Time since the last word; of an alarm since it was raised.", "carriers": ["site", "node", "path", "alarm"], "unit": "ms since 1970", "choices": [], "isKeyed": false, "isLabel": false, "isSince": true, "comesWith": ""},
  {"name": "release", "kind": "version", "doc": "Release of the running agent.", "carriers": ["site", "node"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "boot-age", "kind": "duration", "doc": "Time since boot.", "carriers": ["node"], "unit": "ms since 1970", "choices": [], "isKeyed": false, "isLabel": false, "isSince": true, "comesWith": ""},
  {"name": "enrolled", "kind": "time", "doc": "When the node's box was let in.", "carriers": ["node"], "unit": "ms since 1970", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "nodes", "kind": "number", "doc": "Number of nodes.", "carriers": ["site"], "unit": "nodes", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "broker", "kind": "text", "doc": "Broker that the last word came through.", "carriers": ["site", "node", "path"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "shard", "kind": "number", "doc": "Ingest shard.", "carriers": ["site", "node"], "unit": "number", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "admin", "kind": "enum", "doc": "Administrative state of the host; on a site any of its nodes.", "carriers": ["site", "node"], "unit": "", "choices": ["locked", "unlocked"], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "oper", "kind": "enum", "doc": "Operational state of the host; `unknown` where its site is dark.", "carriers": ["site", "node"], "unit": "", "choices": ["disabled", "enabled", "unknown"], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "avail", "kind": "enum", "doc": "Availability state of the host; `unknown` where its site is dark.", "carriers": ["site", "node"], "unit": "", "choices": ["not-installed", "offline", "online", "power-off", "intest", "failed", "available", "degraded", "unknown"], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "degrade", "kind": "text", "doc": "Why the host is degraded, such as `process`.", "carriers": ["site", "node"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "maintenance", "kind": "bool", "doc": "The host is in a maintenance window.", "carriers": ["site", "node"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "profile", "kind": "text", "doc": "Profile whose settings the node should have.", "carriers": ["site", "node"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "config", "kind": "enum", "doc": "How far the node has come with its settings; on a site any of its nodes.", "carriers": ["site", "node"], "unit": "", "choices": ["none", "unable", "in-sync", "pending", "applying", "waiting", "failed"], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "outofdate", "kind": "bool", "doc": "The node is not what it should be; null: no profile.", "carriers": ["site", "node"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "generation", "kind": "number", "doc": "Generation of what the node should be.", "carriers": ["site", "node"], "unit": "generations", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "drift", "kind": "number", "doc": "Settings changed by other hands.", "carriers": ["site", "node"], "unit": "settings", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "pending-reboot", "kind": "bool", "doc": "A setting waits for a reboot.", "carriers": ["site", "node"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "kind", "kind": "text", "doc": "Type of the event, such as 280.804; the same as `type`.", "carriers": ["event"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "sev", "kind": "severity", "doc": "Severity; of a site or node that of its worst open alarm.", "carriers": ["site", "node", "event", "alarm"], "unit": "", "choices": ["cleared", "warning", "minor", "major", "critical"], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "entity", "kind": "text", "doc": "What the event or alarm is about.", "carriers": ["event", "alarm"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "text", "kind": "text", "doc": "Sentence of the event or alarm.", "carriers": ["event", "alarm"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "at", "kind": "time", "doc": "When it happened.", "carriers": ["event"], "unit": "ms since 1970", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "type", "kind": "text", "doc": "Type of the event or alarm, such as 280.801.", "carriers": ["event", "alarm"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "cause", "kind": "text", "doc": "Probable cause (X.733).", "carriers": ["alarm"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "state", "kind": "enum", "doc": "State of the alarm.", "carriers": ["alarm"], "unit": "", "choices": ["active", "unknown", "cleared"], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "op", "kind": "enum", "doc": "What an operator did with it.", "carriers": ["alarm"], "unit": "", "choices": ["none", "acked", "shelved"], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "raised", "kind": "time", "doc": "When it was raised.", "carriers": ["alarm"], "unit": "ms since 1970", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "count", "kind": "number", "doc": "Raises in this episode.", "carriers": ["alarm"], "unit": "raises", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "flapping", "kind": "bool", "doc": "Comes and goes.", "carriers": ["alarm"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "incident", "kind": "text", "doc": "Incident it belongs to.", "carriers": ["alarm"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "explained", "kind": "bool", "doc": "Its incident's cause explains it.", "carriers": ["alarm"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "masked", "kind": "bool", "doc": "Hidden by a parent alarm.", "carriers": ["alarm"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "shelved", "kind": "bool", "doc": "Put aside for a while.", "carriers": ["alarm"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "suppressed", "kind": "bool", "doc": "Its type is switched off.", "carriers": ["alarm"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "mgmt", "kind": "bool", "doc": "Stops a rollout.", "carriers": ["alarm"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "owner", "kind": "text", "doc": "Who takes care of it.", "carriers": ["alarm"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "late", "kind": "bool", "doc": "Reported after a WAN outage.", "carriers": ["alarm"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "alarm.type", "kind": "text", "doc": "Type of an open alarm of it.", "carriers": ["site", "node"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "alarm.name", "kind": "text", "doc": "Name of the type of an open alarm of it.", "carriers": ["site", "node"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "issuer", "kind": "text", "doc": "Issuer of the node's certificate.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "a later release"},
  {"name": "actor", "kind": "text", "doc": "Who did it.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "a later release"},
  {"name": "action", "kind": "text", "doc": "What was done.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "a later release"},
  {"name": "running", "kind": "version", "doc": "Release that was seen running.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "a later release"},
  {"name": "desired", "kind": "version", "doc": "Release that should run.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "a later release"},
  {"name": "rollout", "kind": "text", "doc": "Rollout.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "a later release"},
  {"name": "wave", "kind": "number", "doc": "Wave of the rollout.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "a later release"},
];

/** The inventory's classes: each field, a star if indexed, its kind if not text. */
export const CLASSES = {
  system: "id* sys_vendor* product_name* product_family product_sku product_version product_serial* product_uuid* board_vendor board_name board_version board_serial board_asset_tag chassis_vendor chassis_type:number chassis_version chassis_serial chassis_asset_tag bios_vendor bios_version*:version bios_date ec_firmware_release boot_mode secure_boot:bool compatible",
  os: "id* name* version*:version distribution kernel*:version arch* cmdline hostname machine_id boot_id btime_s:number virtualisation* reboot_required:bool kubernetes_node:bool agent_version*:version tainted:number lsm lockdown fips:bool kdump:bool sysctl",
  cpu: "id* vendor family:number model:number stepping:number model_name* microcode* flags bugs cores:number threads:number base_khz:number min_khz:number max_khz:number governor driver turbo:bool smt cstates vulnerabilities",
  cpu_thread: "id online:bool package:number die:number cluster:number core:number siblings:number numa:number core_type isolated:bool nohz_full:bool",
  cpu_cache: "id size_bytes:size ways:number line_bytes:size shared_by:number count:number",
  numa: "id total_bytes:size cpus:number distances:number has_cpu:bool has_memory:bool tier:number",
  memory: "id* total_bytes*:size swap_bytes:size zram_bytes:size",
  hugepages: "id* node:number size_bytes*:size count*:number overcommit:number sizes_bytes:size default_bytes:size thp_mode thp_defrag supported",
  dimm: "id* locator bank manufacturer serial* asset_tag part* firmware:version populated:bool size_bytes*:size type* form_factor speed_mts:number configured_mts:number rank:number data_width:number total_width:number ecc:bool voltage_mv:number",
  edac: "id label size_bytes:size location mem_type mode",
  dmi: "id kind designation manufacturer version:version serial part location name asset_tag revision component_id release_date description populated:bool max_mhz:number cores:number cores_enabled:number threads:number level:number enabled:bool size_bytes:size ecc type width usage address interface interrupt:number max_mw:number present:bool hot_replaceable:bool unplugged:bool state instance:number redfish_ip redfish_port:number vendor image_bytes:size",
  tpm: "id version:version vendor description banks ek_cert_sha256",
  watchdog: "id identity state timeout_s:number pretimeout_s:number pretimeout_governor bootstatus:number nowayout:bool fw_version:number",
  pci: "id* vendor_id* device_id* subsystem_vendor_id subsystem_device_id class_id* vendor_name device_name subsystem_name class_name revision driver* numa:number iommu_group:number enabled:bool physfn serial link_cur_speed_mts:number link_max_speed_mts:number link_cur_width:number link_max_width:number",
  sriov: "id* total_vfs:number num_vfs*:number offset:number stride:number vf_device autoprobe:bool driver netdev mac vlan:number spoofchk:bool trust:bool max_tx_mbps:number link_state",
  accelerator: "id* kind* product* driver state services name priority:number module hw_offload:bool usable:bool",
  fpga: "id name state bitstream_id bmc_fw_version:version bmc_build_version:version boot_page retimer_a_version:version retimer_b_version:version root_key revoked_key_ids",
  gpu: "id* pci vendor model* driver uuid serial vbios:version driver_version*:version memory_bytes*:size power_limit_mw:number ecc_enabled:bool mig:bool retired_pages:number",
  nic: "id* ifname* ifindex:number kind mac* permanent_mac mtu:number driver* speed_mbps*:number duplex switch_id port_name pci numa:number altnames driver_version:version firmware*:version port autoneg:bool rings_rx_max:number rings_tx_max:number rings_rx:number rings_tx:number channels_max:number channels:number timestamping phc:number fec wol offloads",
  link: "id kind mac mtu:number master bridge bridge_ports bond_mode bond_members lacp_partner vlan_id:number vlan_device addresses default_routes",
  lldp: "id* ifname* chassis_id* chassis_id_type port_id* port_id_type ttl_s:number system_name* description capabilities management_addresses port_description pvid:number vlans frame_bytes_max:size aggregated:bool med_class med_hardware med_firmware:version med_software:version med_serial med_manufacturer med_model med_asset",
  rdma: "id name fw_ver:version sys_guid hca_type board_id state rate_mbps:number link_layer",
  storage_controller: "id kind model driver serial firmware:version state transport cntlid:number subsysnqn namespaces:number wwpn wwnn speed target slots:number",
  disk: "id* name size_bytes*:size model* serial* firmware*:version type* transport by_path logical_bytes:size physical_bytes:size rotational*:bool removable:bool scheduler write_cache discard:bool zoned cntlid:number subsysnqn namespaces:number hctl rpm:number",
  partition: "id disk number:number name type label start_bytes:size size_bytes:size",
  raid: "id kind name level state degraded:number raid_disks:number chunk_bytes:size metadata members faulty size_bytes:size vg lv",
  filesystem: "id* device type* label mountpoint* options size_bytes:size",
  sensor: "id kind unit min:number max:number crit:number lcrit:number",
  power: "id type manufacturer model serial capacity_uwh:number range_uj:number",
  usb: "id vendor_id product_id class_id manufacturer product serial driver",
  serial: "id name driver vendor_id product_id product serial",
  module: "id version:version srcversion",
  package_set: "id count:number digest",
  package: "id* version*:version source",
};

/** @type {Field[]} */
const ITEMS = Object.entries(CLASSES).flatMap(([itemClass, line]) =>
  line.split(" ").map((entry) => {
    const [name, kind] = entry.replace("*", "").split(":");
    return {
      ...TABLE[0], // the site's name: a text that all objects answer for
      name: `${INVENTORY}${itemClass}.${name}`,
      kind: /** @type {KindName} */ (kind ?? "text"),
      doc: `The ${name} of an item.`,
    };
  }),
);

/**
 * The indexed fields of each class that has some, without its id.
 * @type {Record<string, string[]>}
 */
export const STARRED = Object.fromEntries(Object.entries(CLASSES)
  .map(([itemClass, line]) => [itemClass, line.split(" ")
    .filter((entry) => entry.includes("*")).map((entry) => entry.split("*")[0])
    .filter((name) => name !== ITEM_ID)])
  .filter(([, names]) => names.length > 0));

const ALL = [...TABLE, ...ITEMS];
/** The fields by name, in their order. */
export const FIELDS = new Map(ALL.map((field) => [field.name, field]));
