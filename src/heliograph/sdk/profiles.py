"""Profiles: the user's own, and those of others."""

from __future__ import annotations

import msgspec

from heliograph import wire
from heliograph.sdk.api import ProgressCallback, Upload, segment
from heliograph.sdk.images import Image, read_image
from heliograph.sdk.response import Response
from heliograph.sdk.runtime import Calls


class ProfileCalls(Calls):
    """The calls that change and show profiles."""

    async def set_user_profile(
        self,
        name: str | None = None,
        image: Image | None = None,
        status: str | None = None,
        mobile_number: str | None = None,
        email: str | None = None,
        *,
        version: int | None = None,
        on_upload_progress: ProgressCallback | None = None,
    ) -> Response[wire.OwnProfileBody]:
        """Change the user's own profile, and bring it to all the user's devices and contacts. `None` leaves a field as
        it is, `""` clears it.

        Args:
            name: 1 to 64 graphemes; a name can be changed, not cleared.
            image: a path, bytes, a file, a URL, or the `file_token` of an earlier response.
            status: at most 139 graphemes.
            mobile_number: a valid E.164 number.
            email: a valid address.
            version: the version that the change builds on; `None` for whichever is there.
            on_upload_progress: gets the bytes sent and the bytes in all while a picture is uploaded.

        Raises:
            ProfileInvalid: a field breaks its rule; `details["field"]` names it.
            ProfileConflict: the profile has changed since `version`; nothing was changed.
            MediaUnsupported, PayloadTooLarge: the picture is no picture, or too large.
        """
        body = wire.ProfileRequest(
            nick_name=name, status=status, mobile_number=mobile_number, email=email, version=version
        )
        return await self._change(body, image, on_upload_progress)

    async def update_profile(
        self,
        *,
        nick_name: str | None = None,
        image: Image | None = None,
        status: str | None = None,
        mobile_number: str | None = None,
        email: str | None = None,
        visibility: wire.VisibilityRequest | None = None,
        version: int | None = None,
        on_upload_progress: ProgressCallback | None = None,
    ) -> Response[wire.OwnProfileBody]:
        """Change some fields of the user's own profile, under the names that they have in a profile, and who may see
        them. All else is as for `set_user_profile`.

        Args:
            nick_name: see `name` there.
            image: see there.
            status: see there.
            mobile_number: see there.
            email: see there.
            visibility: who may see which field from now on; a field that it does not name keeps its visibility.
            version: see there.
            on_upload_progress: see there.

        Raises:
            ProfileInvalid: as there.
            ProfileConflict: as there.
            MediaUnsupported, PayloadTooLarge: as there.
        """
        body = wire.ProfileRequest(
            nick_name=nick_name,
            status=status,
            mobile_number=mobile_number,
            email=email,
            visibility=visibility,
            version=version,
        )
        return await self._change(body, image, on_upload_progress)

    async def get_user_profile(self, user: str) -> Response[wire.ProfileBody]:
        """A profile as the signed-in user may see it.

        Args:
            user: an identifier or a bare JID.

        Raises:
            AccountNotFound: there is no such user.
        """
        return await self._on.tokens.call("GET", f"/profiles/{segment(user)}", wire.ProfileBody)

    async def get_status_list(self) -> Response[wire.StatusesBody]:
        """The user's status, the texts that the app offers, and those that the user had last."""
        return await self._on.tokens.call("GET", "/statuses", wire.StatusesBody)

    async def delete_recent_status(self, status: str) -> Response[wire.StatusesBody]:
        """Take a text off the recent ones; it is no error if it is not among them."""
        body = wire.ForgetStatusRequest(status=status)
        return await self._on.tokens.call("POST", "/statuses/forget", wire.StatusesBody, body)

    async def clear_recent_statuses(self) -> Response[wire.StatusesBody]:
        """Forget all recent texts."""
        return await self._on.tokens.call("POST", "/statuses/forget", wire.StatusesBody, wire.ForgetStatusRequest())

    async def _change(
        self, body: wire.ProfileRequest, image: Image | None, on_progress: ProgressCallback | None
    ) -> Response[wire.OwnProfileBody]:
        if image is not None:
            body = msgspec.structs.replace(body, image=await self._image(image, on_progress))
        return await self._on.tokens.call("PATCH", "/profile", wire.OwnProfileBody, body)

    async def _image(self, image: Image, on_progress: ProgressCallback | None) -> str:
        """What to say of a picture in a `ProfileRequest`; a picture itself is uploaded first."""
        found = await read_image(image, self._on.config.limits.image_max_bytes)
        if isinstance(found, str):
            return found
        stored = await self._on.tokens.call("POST", "/media", wire.MediaBody, Upload(found, on_progress))
        return stored.data.file_token
