"""What an app may decide about QR sign-in."""

from __future__ import annotations

import pytest

from heliograph.core import apps
from heliograph.core.apps import Policy
from heliograph.errors import AppInvalid


@pytest.mark.parametrize("origin", ["https://chat.example", "http://localhost:8080", "http://[::1]:80"])
def test_an_origin_is_as_browsers_write_it(origin: str) -> None:
    assert apps.check_policy(Policy(origins=(origin,))).origins == (origin,)


@pytest.mark.parametrize(
    "origins",
    [
        ("https://chat.example/",),
        ("chat.example",),
        ("https://Chat.example",),
        ("*",),
        ("null",),
        ("",),
        tuple(f"https://{number}.example" for number in range(21)),
    ],
)
def test_what_is_no_origin_is_refused(origins: tuple[str, ...]) -> None:
    with pytest.raises(AppInvalid) as refusal:
        apps.check_policy(Policy(origins=origins))
    assert refusal.value.details["field"] == "origins"
