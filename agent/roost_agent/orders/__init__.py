"""Orders from the centre: checked, kept, done once, and told."""
