"""What installs the kinds that come with roost: a program each, by the contract of contract.py.

Standard library alone. Each verb may come again, after a kill or a power cut anywhere in it.
"""
