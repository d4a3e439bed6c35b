"""Codes and states become words for people here, and nowhere else."""
