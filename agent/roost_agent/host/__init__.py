"""The node as a host: its processes, and whether they are well."""
