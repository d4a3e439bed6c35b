"""Workbooks of certificates: bytes -> checked lines, in a limited child process, without a database."""
