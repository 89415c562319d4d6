"""The TPM of this box, as far as becoming a node needs it: ten commands, in a child that exits."""
