"""`make bench`: the desk's speed beside a bare application of the same kind, in the same run."""
