"""Prints every packet of a node's network, a line of hex each, until it is ended: a tap."""

import socket

ETH_P_ALL = 3
PACKET_MAX = 65_535


def main():
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as tap:
        print("taps", flush=True)
        while True:
            print(tap.recv(PACKET_MAX).hex(), flush=True)


if __name__ == "__main__":
    main()
