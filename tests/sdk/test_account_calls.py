"""The SDK's calls about the signed-in user's own account."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.errors import MetadataInvalid, NotConnected


async def test_metadata_is_read_changed_and_replaced(new_sdk: Any) -> None:
    sdk = await new_sdk()
    await sdk.register("ada", register_meta_data={"plan": "pro", "seats": 3})
    assert (await sdk.get_meta_data()).data.meta_data == {"plan": "pro", "seats": 3}
    assert (await sdk.update_meta_data({"seats": None, "beta": True})).data.meta_data == {"plan": "pro", "beta": True}
    assert (await sdk.replace_meta_data({"seats": 1.5})).data.meta_data == {"seats": 1.5}
    assert (await sdk.get_meta_data()).to_dict()["data"] == {"metaData": {"seats": 1.5}}
    with pytest.raises(MetadataInvalid):
        await sdk.replace_meta_data({"a": 1, "b": 2, "c": 3, "d": 4})


async def test_a_deletion_says_when_the_user_is_gone_for_good_and_signs_the_sdk_out(new_sdk: Any) -> None:
    sdk = await new_sdk()
    await sdk.register("ada")
    deletion = (await sdk.delete_my_account("Moving on", "It was fine")).data
    assert deletion.purge_at >= deletion.deleted_at
    with pytest.raises(NotConnected):
        await sdk.get_current_user_jid()
