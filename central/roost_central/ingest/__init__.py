"""From the brokers into view and storage: admission, decoding, the mark rule, receipts."""
