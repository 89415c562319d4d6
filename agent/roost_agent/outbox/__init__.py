"""The outbox: what the node said and central has not receipted yet, on disk and on its way."""
