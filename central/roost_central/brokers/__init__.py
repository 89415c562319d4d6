"""The Mosquitto processes of the centre: what they are told, and that they run."""
