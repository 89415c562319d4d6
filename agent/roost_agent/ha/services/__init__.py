"""What a node runs: groups of services, started, watched, restarted, stopped and confirmed."""
