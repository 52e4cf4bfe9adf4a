"""Keys and addresses of uploads and artifacts."""

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from artifacts.keys import (
    InvalidKey,
    artifact_key,
    belongs_to,
    check_key,
    content_key,
    is_part,
    key_of,
    kind,
    owner_digest,
    owner_prefixes,
    part_key,
    segment_key,
    sidecar_key,
    task_prefix,
    upload_key,
    url_of,
)

PUBLIC = "http://127.0.0.1:8400"
SHA = "0123456789abcdef" * 4

owners = st.text(max_size=40)
ids = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=100)
counts = st.integers(0, 10**9 - 1)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
extensions = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
public_urls = st.sampled_from(
    [
        PUBLIC,
        "https://pictures.example",
        "https://pictures.example/",
        "https://pictures.example:9443/darkroom",
        "https://pictures.example/a/b/",
    ]
)


def test_an_owner_is_never_named_in_a_key() -> None:
    assert "alice" not in upload_key("alice", "u1")
    assert len(owner_digest("alice")) == 20
    assert owner_digest("alice") != owner_digest("Alice")


@given(owners, ids)
def test_an_upload_key_is_told_apart_and_belongs_to_its_owner(owner: str, upload_id: str) -> None:
    key = check_key(upload_key(owner, upload_id))
    assert kind(key) == "upload"
    assert kind(sidecar_key(key)) == "sidecar"
    assert content_key(sidecar_key(key)) == key
    assert belongs_to(key, owner)
    assert belongs_to(sidecar_key(key), owner)


@given(owners, ids, counts, counts, digests, extensions)
def test_an_artifact_key_is_told_apart_and_lies_in_the_folder_of_its_task(
    owner: str, task_id: str, attempt: int, index: int, sha256: str, ext: str
) -> None:
    key = check_key(artifact_key(owner, task_id, attempt, index, sha256, ext))
    assert kind(key) == "artifact"
    assert belongs_to(key, owner)
    assert key.startswith(task_prefix(owner, task_id) + "/")
    assert key.endswith(f"/{attempt}-{index}-{sha256[:8]}.{ext}")


def test_a_segment_of_the_archive_is_told_apart_and_is_nobodys() -> None:
    key = check_key(segment_key(7, "0123456789abcdef"))

    assert key == "archive/000000000000007-0123456789abcdef.jsonl.gz"
    assert kind(key) == "segment"
    assert not belongs_to(key, "alice")
    with pytest.raises(InvalidKey):
        url_of(key, PUBLIC)
    with pytest.raises(InvalidKey):
        segment_key(7, "../../uploads")


@given(owners, owners, ids)
def test_nothing_belongs_to_two_owners(one: str, other: str, upload_id: str) -> None:
    assume(one != other)
    assert not belongs_to(upload_key(one, upload_id), other)


@given(owners, ids, digests, extensions, public_urls)
def test_an_address_leads_back_to_its_key(
    owner: str, name: str, sha256: str, ext: str, public_url: str
) -> None:
    for key in (upload_key(owner, name), artifact_key(owner, name, 1, 0, sha256, ext)):
        address = url_of(key, public_url)
        assert key_of(address, owner, public_url) == key
        assert key_of(f"{address}?download=1#top", owner, public_url) == key
        path = address.removeprefix(public_url.rstrip("/"))
        assert key_of(path, owner, public_url) == key


@given(owners, owners, ids, digests)
def test_the_address_of_another_owners_artifact_leads_nowhere(
    one: str, other: str, task_id: str, sha256: str
) -> None:
    assume(one != other)
    address = url_of(artifact_key(one, task_id, 1, 0, sha256, "png"), PUBLIC)
    assert key_of(address, other, PUBLIC) is None


@given(st.text(max_size=80), owners, public_urls)
def test_any_text_is_a_key_of_this_owner_or_nothing(text: str, owner: str, public_url: str) -> None:
    for address in (text, f"/uploads/{text}", f"/artifacts/{text}", f"{public_url}/{text}"):
        key = key_of(address, owner, public_url)
        assert key is None or (belongs_to(check_key(key), owner) and kind(key) != "sidecar")


@given(st.text(max_size=60))
def test_a_key_that_passes_has_plain_segments_only(text: str) -> None:
    try:
        segments = check_key(text).split("/")
    except InvalidKey:
        return
    assert all(segment not in {"", ".", ".."} for segment in segments)
    assert "\\" not in text
    assert text.isascii()


@pytest.mark.parametrize(
    "key",
    [
        *("", "/", "a//b", "/a", "a/", "..", "a/../b", ".", "a/./b", "...", "~/a", "C:/a"),
        *("a b", "a\\b", "a%2e", "é", "a\n", "a\0", "a#1", "a" * 201, "/".join(["a"] * 300)),
    ],
)
def test_what_could_leave_the_root_is_no_key(key: str) -> None:
    with pytest.raises(InvalidKey, match="is not a key"):
        check_key(key)


@pytest.mark.parametrize("upload_id", ["", ".", "..", "a/b", "a.json", "ü", "a" * 101, "a\n"])
def test_an_upload_id_has_no_dots_and_no_slashes(upload_id: str) -> None:
    with pytest.raises(InvalidKey, match="upload id"):
        upload_key("alice", upload_id)


def test_parts_that_make_no_key_are_told_by_name() -> None:
    with pytest.raises(InvalidKey, match="task id"):
        artifact_key("alice", "../t", 1, 0, SHA, "png")
    with pytest.raises(InvalidKey, match="sha256"):
        artifact_key("alice", "t", 1, 0, "beef", "png")
    with pytest.raises(InvalidKey, match="file extension"):
        artifact_key("alice", "t", 1, 0, SHA, "p/ng")
    with pytest.raises(InvalidKey, match="attempt -1"):
        artifact_key("alice", "t", -1, 0, SHA, "png")
    with pytest.raises(InvalidKey, match="index 1000000000"):
        artifact_key("alice", "t", 1, 10**9, SHA, "png")


def test_only_uploads_have_sidecars() -> None:
    artifact = artifact_key("alice", "t", 1, 0, SHA, "png")
    with pytest.raises(InvalidKey, match="not the key of an upload"):
        sidecar_key(artifact)
    with pytest.raises(InvalidKey, match="not the key of a sidecar"):
        content_key(artifact)


def test_a_sidecar_and_a_foreign_key_have_no_address() -> None:
    for key in (sidecar_key(upload_key("alice", "u1")), "backups/db.tar"):
        with pytest.raises(InvalidKey, match="has no address"):
            url_of(key, PUBLIC)
    assert kind("backups/db.tar") is None
    assert not belongs_to("backups/db.tar", "alice")


def test_the_address_of_an_upload_does_not_show_the_folder() -> None:
    assert url_of(upload_key("alice", "u1"), PUBLIC + "/") == f"{PUBLIC}/uploads/u1"


def test_an_artifacts_address_is_its_key_under_the_public_url() -> None:
    key = artifact_key("alice", "t1", 1, 0, SHA, "png")
    assert url_of(key, "https://pictures.example/a/") == f"https://pictures.example/a/{key}"


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:8400/uploads/u1",
        "http://[::1]:8400/uploads/u1",
        "HTTP://127.0.0.1:8400/uploads/u1",
        "/uploads/u1",
    ],
)
def test_every_loopback_name_is_this_machine(address: str) -> None:
    assert key_of(address, "alice", PUBLIC) == upload_key("alice", "u1")


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example/uploads/u1",
        "https://127.0.0.1:8400/uploads/u1",
        "http://127.0.0.1:8401/uploads/u1",
        "http://127.0.0.1/uploads/u1",
        "http://127.0.0.1:8400@evil.example/uploads/u1",
        "http://user@127.0.0.1:8400/uploads/u1",
        "http://127.0.0.1:99999/uploads/u1",
        "http://[::1/uploads/u1",
        "//127.0.0.1:8400/uploads/u1",
        "uploads/u1",
        "/uploads/u1.json",
        "/uploads/../artifacts",
        "/uploads/",
        "/tasks/u1",
        "",
    ],
)
def test_an_address_that_was_not_handed_out_is_not_ours(address: str) -> None:
    assert key_of(address, "alice", PUBLIC) is None


def test_a_whole_url_must_carry_the_path_this_system_is_published_under() -> None:
    public = "https://pictures.example:443/darkroom"
    assert key_of("https://pictures.example/darkroom/uploads/u1", "alice", public)
    assert key_of("/darkroom/uploads/u1", "alice", public)
    assert key_of("/uploads/u1", "alice", public)
    assert key_of("https://pictures.example/uploads/u1", "alice", public) is None


def test_an_intermediate_file_lies_with_its_task_under_the_name_of_its_content() -> None:
    key = part_key("ann", "t-1", "a" * 64, "png")

    assert key == f"{task_prefix('ann', 't-1')}/part-aaaaaaaa.png"
    assert part_key("ann", "t-1", "a" * 64, "png") == key
    assert (kind(key), belongs_to(key, "ann"), belongs_to(key, "bob")) == ("artifact", True, False)


def test_an_intermediate_file_is_told_from_a_result() -> None:
    assert is_part(part_key("ann", "t-1", "a" * 64, "png"))
    assert not is_part(artifact_key("ann", "t-1", 1, 0, "a" * 64, "png"))
    assert not is_part(upload_key("ann", "u-1"))


def test_what_an_owner_has_lies_in_two_folders() -> None:
    uploads, artifacts = owner_prefixes("ann")

    assert upload_key("ann", "u-1").startswith(f"{uploads}/")
    assert task_prefix("ann", "t-1").startswith(f"{artifacts}/")
    assert not upload_key("bob", "u-1").startswith(uploads)
