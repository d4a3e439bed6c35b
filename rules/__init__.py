"""The desk's rules: pure functions, no clock, no I/O, no database, no sentences."""
