"""The use-cases: verb functions over a session. They never commit, send, render, read a clock or see a request."""
