"""The attachment storage: the same promises over a local folder and over an S3-compatible server."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from storage.store import StorageFault, Store, open_store


@pytest.fixture(params=["file", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return open_store((tmp_path / "添付").as_uri() if request.param == "file" else request.getfixturevalue("s3_url"))


def test_what_was_put_comes_back_byte_for_byte(store: Store) -> None:
    content = bytes(range(256)) * 20_000

    stored = store.put(io.BytesIO(content))

    assert b"".join(store.chunks(stored.key)) == content
    assert (stored.size, stored.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_an_empty_file_is_a_file(store: Store) -> None:
    stored = store.put(io.BytesIO(b""))

    assert (stored.size, b"".join(store.chunks(stored.key))) == (0, b"")


def test_two_files_never_share_a_key(store: Store) -> None:
    assert store.put(io.BytesIO(b"x")).key != store.put(io.BytesIO(b"x")).key


def test_a_deleted_file_is_gone_and_may_be_deleted_again(store: Store) -> None:
    stored = store.put(io.BytesIO(b"x"))

    store.delete(stored.key)
    store.delete(stored.key)

    with pytest.raises(FileNotFoundError):
        list(store.chunks(stored.key))


def test_every_key_is_listed_with_its_age(store: Store) -> None:
    keys = {store.put(io.BytesIO(b"x")).key for _ in range(3)}

    assert keys <= {key for key, _changed in store.listing()}


def test_a_place_that_cannot_be_read_is_a_fault_of_the_storage(tmp_path: Path) -> None:
    store = open_store((tmp_path / "添付").as_uri())
    (tmp_path / "添付" / "attachments").write_text("no folder")

    with pytest.raises(StorageFault):
        store.fetch("attachments/x", tmp_path / "there")
    with pytest.raises(FileNotFoundError):
        store.fetch("imports/x", tmp_path / "there")


def test_a_file_is_fetched_to_a_path(store: Store, tmp_path: Path) -> None:
    stored = store.put(io.BytesIO(b"workbook"))

    store.fetch(stored.key, tmp_path / "there")

    assert (tmp_path / "there").read_bytes() == b"workbook"


def test_the_probe_leaves_nothing_behind(store: Store) -> None:
    store.probe()

    assert list(store.listing("probe")) == []
