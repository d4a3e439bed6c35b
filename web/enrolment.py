"""How a second factor's secret is shown once: as a QR code and in groups of letters."""

from __future__ import annotations

from markupsafe import Markup


def picture(uri: str) -> Markup:
    """The QR code as inline SVG; the library writes nothing but its own path."""
    import segno  # drawn once in a person's life: no worker carries it from the start

    return Markup(segno.make(uri, error="m").svg_inline(border=2, svgclass=None, lineclass=None, omitsize=True))  # noqa: S704 # nosec B704 - our own drawing


def grouped(secret: str) -> str:
    """The secret in groups of four, for those who type it."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
