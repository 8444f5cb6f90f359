"""An app that offers no QR sign-in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from heliograph.core.apps import Caller, Feature
from heliograph.errors import FeatureDisabled


async def test_no_browser_is_greeted_where_the_app_offers_no_qr_sign_in(
    open_browser: Callable[..., Awaitable[Any]], trial: Caller
) -> None:
    policy = replace(trial.app.policy, disabled_features=(Feature.QR_SIGN_IN,))
    with pytest.raises(FeatureDisabled) as refused:
        await open_browser(replace(trial, app=replace(trial.app, policy=policy)))
    assert refused.value.details == {"feature": "qr_sign_in"}
