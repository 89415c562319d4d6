"""What each node says it is made of: snapshots and deltas applied, changes kept, the past told."""
