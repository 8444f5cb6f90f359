"""The public bodies: names on the wire, strict requests, and messages that name the field."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from heliograph import wire
from heliograph.errors import InternalError, RequestInvalid

REQUESTS = [
    wire.RegisterRequest,
    wire.TokenRequest,
    wire.RefreshRequest,
    wire.EndOthersRequest,
    wire.ProfileRequest,
    wire.VisibilityRequest,
    wire.DeviceBody,
]


def refusal(data: bytes, kind: type[Any] = wire.RegisterRequest) -> RequestInvalid:
    with pytest.raises(RequestInvalid) as caught:
        wire.decode(data, kind)
    return caught.value


def test_names_are_camel_case_and_an_answer_without_data_has_no_such_field() -> None:
    tokens = wire.Tokens(token="a", refresh_token="b", expires_in=1)
    assert json.loads(wire.encode(wire.Answer(data=tokens))) == {
        "statusCode": 200,
        "message": "Success",
        "data": {"token": "a", "refreshToken": "b", "expiresIn": 1},
    }
    assert json.loads(wire.encode(wire.Answer())) == {"statusCode": 200, "message": "Success"}


def test_an_error_body_is_what_the_error_table_writes() -> None:
    body = InternalError(details={"errorId": "e1"}).body()
    read = msgspec.json.decode(wire.encode(body), type=wire.ErrorBody)
    assert (read.status_code, read.code, read.details) == (500, "internal_error", {"errorId": "e1"})
    assert msgspec.to_builtins(read) == body


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_request_refuses_an_unknown_field_by_name(kind: type[Any]) -> None:
    required = [field.encode_name for field in msgspec.structs.fields(kind) if field.required]
    body = {**dict.fromkeys(required, "x"), "wrongName": 1}
    error = refusal(json.dumps(body).encode(), kind)
    assert error.details == {"field": "wrongName"}
    assert "wrongName is unknown" in error.message


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"{}", "userIdentifier"),
        (b'{"userIdentifier": 7}', "userIdentifier"),
        (b'{"userIdentifier": null}', "userIdentifier"),
        (b'{"userIdentifier": "ada", "forceRegister": "yes"}', "forceRegister"),
        (b'{"userIdentifier": "ada", "device": {"model": "x"}}', "device.model"),
        (b'{"userIdentifier": "ada", "device": {"os": 7}}', "device.os"),
        (b'{"userIdentifier": "ada", "registerMetaData": [1]}', "registerMetaData"),
        (b'{"userIdentifier": "ada", "registerMetaData": {"a": 1e999}}', "registerMetaData"),
        (b'{"userIdentifier": "ada", "a`b": 1}', "a`b"),
    ],
)
def test_a_wrong_field_is_named_by_its_path(data: bytes, field: str) -> None:
    error = refusal(data)
    assert error.details == {"field": field}
    assert field in error.message


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"userIdentifier": "ada"} {}',
        b'{"userIdentifier": "\xff"}',
        b'{"userIdentifier": "\\ud800"}',
        b"\xef\xbb\xbf{}",
        b'{"userIdentifier": "ada", "registerMetaData": {"a": NaN}}',
        b'{"userIdentifier": "ada", "registerMetaData": {"a": ' + b"[" * 60_000,
    ],
    ids=[
        "empty", "cut", "array", "null", "two", "no UTF-8", "lone surrogate", "byte order mark", "not a number", "deep",
    ],
)  # fmt: skip
def test_what_is_no_json_object_is_refused_as_a_whole(data: bytes) -> None:
    assert refusal(data).details == {}


def test_a_refused_value_is_not_repeated() -> None:
    error = refusal(b'{"visibility": {"image": "hunter2"}}', wire.ProfileRequest)
    assert error.details == {"field": "visibility.image"}
    assert "hunter2" not in str(error.body())


def test_a_giant_field_name_is_cut() -> None:
    error = refusal(b'{"' + b"x" * 60_000 + b'": 1}', wire.ProfileRequest)
    assert len(str(error.body())) < 500


def test_metadata_keeps_the_types_of_its_values() -> None:
    data = b'{"userIdentifier": "ada", "registerMetaData": {"s": "1", "b": true, "n": 1, "f": 1.5}}'
    found = wire.decode(data, wire.RegisterRequest).register_meta_data
    assert found == {"s": "1", "b": True, "n": 1, "f": 1.5}
    assert found is not None
    assert [type(value) for value in found.values()] == [str, bool, int, float]


def test_no_body_with_a_secret_shows_it() -> None:
    secret = "s3cret"
    bodies = [
        wire.TokenRequest(username="ada", password=secret),
        wire.RefreshRequest(refresh_token=secret),
        wire.Tokens(token=secret, refresh_token=secret, expires_in=1),
    ]
    assert [secret in repr(body) for body in bodies] == [False, False, False]


def test_bodies_are_frozen() -> None:
    with pytest.raises(AttributeError):
        wire.DeviceBody().os = "x"  # type: ignore[misc]


def test_every_body_has_a_json_schema() -> None:
    kinds = [*REQUESTS, wire.RegisterData, wire.OwnProfileBody, wire.ContactsData, wire.SessionsData, wire.MediaBody]
    _, components = msgspec.json.schema_components(kinds)
    assert components["RegisterRequest"]["additionalProperties"] is False
    assert all(component.get("description") for component in components.values())
