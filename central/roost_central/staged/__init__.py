"""Changes of profiles that reach their nodes group by group, and stop where nodes fail."""
