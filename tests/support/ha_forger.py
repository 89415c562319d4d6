"""Puts datagrams on a node's network, and takes copies of those that come in.

A program for a node's network: ``send`` reads lines of (source address, target address, port,
bytes in hex) and sends each as it came; ``copy SOURCE PORT`` prints in hex the next datagram from
an address.
"""

import socket
import sys

HEADERS = 28  # IPv4 without options, UDP
DATAGRAM_MAX = 65_535


def send():
    for line in sys.stdin:
        source, target, port, text = line.split()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((source, 0))
            sock.sendto(bytes.fromhex(text), (target, int(port)))


def copy(source, port):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as sock:
        while True:
            raw, (address, _) = sock.recvfrom(DATAGRAM_MAX)
            if address == source and int.from_bytes(raw[22:24], "big") == int(port):
                print(raw[HEADERS:].hex())
                return


if __name__ == "__main__":
    {"send": send, "copy": copy}[sys.argv[1]](*sys.argv[2:])
