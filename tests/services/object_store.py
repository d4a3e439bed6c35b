"""A real S3 server for the tests: moto's, over HTTP on the loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest


@contextmanager
def object_store() -> Iterator[str]:
    """A running server; the URL of an empty folder in a bucket of it, which the environment's ``AWS_*`` variables reach."""
    from moto.server import ThreadedMotoServer  # half a second that the workers without an S3 server are spared

    with pytest.MonkeyPatch.context() as patch:
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
        server.start()
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        for name, value in {
            "AWS_ENDPOINT": endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "tests",
            "AWS_SECRET_ACCESS_KEY": "tests",
            "AWS_REGION": "ap-northeast-1",
        }.items():
            patch.setenv(name, value)
        httpx2.put(f"{endpoint}/desk", headers={"authorization": "AWS4-HMAC-SHA256 Credential=tests/20261201/us-east-1/s3/aws4_request"}).raise_for_status()
        yield "s3://desk/attachments-of-tests"
        server.stop()
