"""A user's metadata: read, replaced, patched."""

from __future__ import annotations

from typing import Any

import pytest


async def test_metadata_is_read_replaced_and_patched_with_its_types(api: Any, ada: Any) -> None:
    token = ada["token"]
    assert await api.data("GET", "/metadata", token=token) == {"metaData": {}}
    wanted = {"plan": "pro", "seats": 3, "beta": True}
    for _ in range(2):
        assert await api.data("PUT", "/metadata", token=token, json={"metaData": wanted}) == {"metaData": wanted}
    patch = {"metaData": {"seats": 3.5, "beta": None}}
    for _ in range(2):
        after = await api.data("PATCH", "/metadata", token=token, json=patch)
        assert after == {"metaData": {"plan": "pro", "seats": 3.5}}
    assert await api.data("GET", "/metadata", token=token) == after
    assert (await api.data("GET", "/users/ada", key="trial secret"))["metaData"] == after["metaData"]


@pytest.mark.parametrize(
    ("method", "metadata"),
    [
        ("PUT", {"a": 1, "b": 2, "c": 3, "d": 4}),
        ("PUT", {"a": None}),
        ("PATCH", {"d": 4}),
        ("PATCH", {"a": "x" * 257}),
    ],
)
async def test_metadata_beyond_its_limits_changes_nothing(api: Any, ada: Any, method: str, metadata: Any) -> None:
    before = {"metaData": {"a": 1, "b": 2, "c": 3}}
    await api.data("PUT", "/metadata", token=ada["token"], json=before)
    error = await api.error(method, "/metadata", token=ada["token"], json={"metaData": metadata})
    assert (error["statusCode"], error["code"]) == (400, "metadata_invalid")
    assert await api.data("GET", "/metadata", token=ada["token"]) == before
