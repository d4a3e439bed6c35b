"""Attachment bytes: one interface over a local folder and S3-compatible object stores."""
