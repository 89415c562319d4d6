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

/** @type {Field} */
export const INVENTORY = {"name": "inv", "kind": "text", "doc": "A field of an inventory item: `inv.CLASS.FIELD`.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "the configuration release"};

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
  {"name": "path", "kind": "path", "doc": "State of a WAN path.", "carriers": ["site", "node", "path"], "unit": "", "choices": ["up", "down", "flaky", "unknown"], "isKeyed": true, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "age", "kind": "duration", "doc": "Time since the last word; of an alarm since it was raised.", "carriers": ["site", "node", "path", "alarm"], "unit": "ms since 1970", "choices": [], "isKeyed": false, "isLabel": false, "isSince": true, "comesWith": ""},
  {"name": "release", "kind": "version", "doc": "Release of the running agent.", "carriers": ["site", "node"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "boot-age", "kind": "duration", "doc": "Time since boot.", "carriers": ["node"], "unit": "ms since 1970", "choices": [], "isKeyed": false, "isLabel": false, "isSince": true, "comesWith": ""},
  {"name": "nodes", "kind": "number", "doc": "Number of nodes.", "carriers": ["site"], "unit": "nodes", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "broker", "kind": "text", "doc": "Broker that the last word came through.", "carriers": ["site", "node", "path"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "shard", "kind": "number", "doc": "Ingest shard.", "carriers": ["site", "node"], "unit": "number", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "kind", "kind": "text", "doc": "Type of the event, such as 280.804; the same as `type`.", "carriers": ["event"], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
  {"name": "sev", "kind": "severity", "doc": "Severity.", "carriers": ["event", "alarm"], "unit": "", "choices": ["cleared", "warning", "minor", "major", "critical"], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": ""},
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
  {"name": "admin", "kind": "text", "doc": "Administrative state.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "the host management release"},
  {"name": "oper", "kind": "text", "doc": "Operational state.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "the host management release"},
  {"name": "avail", "kind": "text", "doc": "Availability state.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "the host management release"},
  {"name": "degrade", "kind": "text", "doc": "Why a node is degraded.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "the host management release"},
  {"name": "maintenance", "kind": "bool", "doc": "In a maintenance window.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "the host management release"},
  {"name": "profile", "kind": "text", "doc": "Configuration profile.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "the configuration release"},
  {"name": "outofdate", "kind": "bool", "doc": "Applied and desired configuration differ.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "the configuration release"},
  {"name": "drift", "kind": "number", "doc": "Sections changed by hand.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "the configuration release"},
  {"name": "pending-reboot", "kind": "bool", "doc": "A change waits for a reboot.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "the configuration release"},
  {"name": "generation", "kind": "number", "doc": "Generation of the configuration.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "the configuration release"},
  {"name": "enrolled", "kind": "time", "doc": "When the node was approved.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "the enrolment release"},
  {"name": "issuer", "kind": "text", "doc": "Issuer of the node's certificate.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "the enrolment release"},
  {"name": "actor", "kind": "text", "doc": "Who did it.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "the enrolment release"},
  {"name": "action", "kind": "text", "doc": "What was done.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "the enrolment release"},
  {"name": "running", "kind": "version", "doc": "Release that was seen running.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "the rollout release"},
  {"name": "desired", "kind": "version", "doc": "Release that should run.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "the rollout release"},
  {"name": "rollout", "kind": "text", "doc": "Rollout.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "the rollout release"},
  {"name": "wave", "kind": "number", "doc": "Wave of the rollout.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "the rollout release"},
  {"name": "alarm.type", "kind": "text", "doc": "Type of an active alarm.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "the host management release"},
  {"name": "alarm.name", "kind": "text", "doc": "Name of an active alarm.", "carriers": [], "unit": "", "choices": [], "isKeyed": false, "isLabel": false, "isSince": false, "comesWith": "the host management release"},
];

/** The fields by name, in their order. */
export const FIELDS = new Map(TABLE.map((field) => [field.name, field]));
