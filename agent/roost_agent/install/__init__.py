"""Root's part of software updates: the one-shot ``roost-install``, and what installs each kind.

roost-helper starts it for one verb about one release. It believes nothing that the agent says:
both chains of trust are gone through again with what root alone keeps (trust/), what a kind may
touch is this package's business and never the manifest's, and every change is in root's journal
before it is made (updates.md 9).
"""
