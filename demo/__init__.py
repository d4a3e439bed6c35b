"""Believable data for a first look; every name and address is invented."""
