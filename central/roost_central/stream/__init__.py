"""Live updates, decided: columns of the fleet, frames of changed values, what a slow client gets.

Pure; sockets, encoding of the snapshot and the pump are api's.
"""
