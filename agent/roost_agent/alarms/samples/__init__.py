"""What the node looks at for its alarms: small reads of /proc and /sys, one file for each kind."""
