"""Every bound of the wire, each with its unit and its reason. Nothing else lives here."""

from typing import Final

MESSAGE_BYTES_MAX: Final = 256 * 1024  # one MQTT payload; brokers are configured with the same
BODY_BYTES_MAX: Final = 256 * 1024  # one item's document, decompressed: caps a zip bomb
SEAL_MAC_BYTES: Final = 16  # half of HMAC-SHA256, the least that RFC 2104 section 5 allows
SEAL_BYTES: Final = 6 + SEAL_MAC_BYTES  # what a seal adds to a message; no part of the bound above
REPORT_KEY_BYTES: Final = 32
GENERATION_MAX: Final = 2**32 - 1  # of a node's certificates; it stands in four bytes of each seal
CHUNK_BYTES_MAX: Final = 190 * 1024  # one inventory part, encoded: a report of one stays < 200 KiB
COMPRESS_BYTES_MIN: Final = 512  # below it zlib's header and time cost more than they save
DEPTH_MAX: Final = 16  # containers inside containers
STRING_BYTES_MAX: Final = 4 * 1024  # one string anywhere in a message
ENTRIES_MAX: Final = 10_000  # one array or map
VALUES_MAX: Final = 50_000  # all values of one message: keeps the strict scan under 50 ms

SITE_NODE_CHARS_MAX: Final = 58  # site and node together: a certificate's CN holds 64
NODE_ID_CHARS_MAX: Final = 59  # the dot as well
NAME_CHARS_MAX: Final = 32  # one site name, one node name
PATH_NAME_CHARS_MAX: Final = 16  # `wan1`, `lan-b`: a column heading in the path matrix
SHARDS: Final = 64  # ingest workers can be at most this many; part of the topic, so never changed

PATHS_MAX: Final = 16  # paths of one node
REPORT_ITEMS_MAX: Final = 256  # items of one report
REPORT_BYTES_AIM: Final = 64 * 1024  # a report is closed past this, so that one loss resends little
REPORTS_IN_FLIGHT_MAX: Final = 8  # unreceipted reports of one lane
RESYNC_MAX: Final = 8  # resync requests on one receipt

INVENTORY_STRING_BYTES_MAX: Final = 512
INVENTORY_ITEMS_MAX: Final = 4_096  # items of one section
INVENTORY_FIELDS_MAX: Final = 128  # fields of one item
INVENTORY_SECTIONS_MAX: Final = 64
INVENTORY_PARTS_MAX: Final = 64  # parts of one snapshot

ALARM_TEXT_BYTES_MAX: Final = 255  # SNMP DisplayString parity
ENTITY_BYTES_MAX: Final = 255
ENTITY_PAIRS_MAX: Final = 8
ENTITY_KIND_CHARS_MAX: Final = 16
PARAMS_MAX: Final = 8
PARAMS_BYTES_MAX: Final = 1024  # all of one alarm, encoded: a sentence's values, no document
ALARM_BYTES_MAX: Final = 2 * 1024  # one alarm, encoded: 100,000 active ones are 200 MB at the worst
ALARMS_ACTIVE_MAX: Final = 1_000  # of one node; the next one raises 750.802
ALARM_SET_ITEMS_MAX: Final = 64  # alarms of one part of a snapshot: 128 KiB at the worst

HA_FRAME_BYTES_MAX: Final = 1_200  # one datagram with its macs, below every LAN's MTU
HA_NODES_MAX: Final = 32  # of a site; also the modulus of an epoch, so never changed
HA_LEASES_MAX: Final = 16  # of a site
HA_VOTERS_MAX: Final = 5
HA_GROUPS_MAX: Final = 32  # of one report: leases, and groups that need none
HA_SERVICES_MAX: Final = 64  # of a site
HA_PATHS_MAX: Final = 32  # of a site; a bitmap of them is a 32-bit integer
HA_MAC_BYTES: Final = 16

ORDER_BYTES_MAX: Final = 4 * 1024  # an order as it is signed: a verb and a few words
ORDER_BODY_BYTES_MAX: Final = 64 * 1024  # what one order brings along: settings of a node
ORDER_MESSAGE_BYTES_MAX: Final = ORDER_BYTES_MAX + ORDER_BODY_BYTES_MAX + 256  # with its signature
ORDER_GIVEN_MAX: Final = 16  # arguments of one order
ORDER_TEXT_CHARS_MAX: Final = 512  # one argument
ORDER_REASON_CHARS_MAX: Final = 200  # as much as roost-helper writes to the journal
ORDER_LIFE_MS_MAX: Final = 86_400_000  # what was not done within a day is ordered again, or not
ORDER_EARLY_MS: Final = 60_000  # by which a node may think it earlier than the centre does
ORDER_KEYS_MAX: Final = 4  # that a node believes; two while one follows another

CONFIG_SECTIONS_MAX: Final = 32  # of one report; the schema has fewer
CONFIG_DRIFT_MAX: Final = 64  # settings told one by one; the number of all is told besides
CONFIG_SHOWN_CHARS_MAX: Final = 128  # of one value
HOST_PROCESSES_MAX: Final = 100  # watched on one node; StarlingX's bound
HOST_FAULTS_MAX: Final = 16  # sentences on files that were not taken

SAMPLE_STEP_S_MIN: Final = 60  # what a node keeps
SAMPLE_STEP_S_MAX: Final = 3_600
SAMPLE_STEPS_MAX: Final = 1_440  # a day of minutes
SAMPLE_SERIES_MAX: Final = 256  # of one node: 0.75 MB of its disk for each hundred, a day
SAMPLE_ASK_SERIES_MAX: Final = 32  # names of one ask
