"""SNMP: notifications that are paced and kept, and the active alarms as a table."""
