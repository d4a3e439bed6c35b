"""The registrable domain by the test vectors of the Public Suffix List."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.addresses import registrable

_LINES = (Path(__file__).parents[1] / "data" / "public_suffix_vectors.txt").read_text(encoding="ascii").splitlines()
VECTORS = [tuple(line.split()) for line in _LINES if line and not line.startswith("//")]


@pytest.mark.parametrize(("host", "domain"), VECTORS)
def test_a_host_has_the_registrable_domain_of_the_list(host: str, domain: str) -> None:
    assert (registrable(host.lower()) or "null") == domain
