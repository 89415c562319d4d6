"""The process that holds the issuing keys: signs by a policy of its own, and nothing else."""
