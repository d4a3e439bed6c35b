"""The plumbing of both faces; it knows no page."""
