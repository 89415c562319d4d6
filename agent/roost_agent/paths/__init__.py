"""Paths: one broker reached over one network each; their state, and the MQTT that carries them."""
