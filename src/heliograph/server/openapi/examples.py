"""Examples that fit the schemas: what stands in a field follows from its name, or else from its type."""

from __future__ import annotations

from typing import Any

from heliograph.server.openapi.schemas import Schema, resolve

_SHOWN_ONCE = "A" * 43

SAMPLES: dict[str, Any] = {
    "userIdentifier": "ada",
    "userId": "ada",
    "username": "ada",
    "fromUser": "ada",
    "identifier": "ada",
    "userJid": "ada@chat.example",
    "domain": "chat.example",
    "password": "A" * 24,
    "token": f"hgt_{_SHOWN_ONCE}",
    "refreshToken": f"hgr_{_SHOWN_ONCE}",
    "expiresIn": 3600,
    "sessionId": "ses_x7KqExampleOnly0000A",
    "id": "ses_x7KqExampleOnly0000A",
    "linkId": "lnk_x7KqExampleOnly0000A",
    "code": "WDJBMJHT",
    "keyHash": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
    "checkCode": "07",
    "nickName": "Ada",
    "name": "Ada",
    "status": "At the Analytical Engine",
    "userStatus": "At the Analytical Engine",
    "mobileNumber": "+442071234567",
    "email": "ada@chat.example",
    "image": "https://chat.example/media/picture",
    "thumbImage": "https://chat.example/media/picture-96",
    "url": "https://chat.example/",
    "websocketUrl": "wss://chat.example/xmpp",
    "signalServerUrl": "wss://chat.example/signal",
    "xmppHost": "chat.example",
    "xmppPort": 5222,
    "xmppTlsPort": 5223,
    "device": "Pixel 9",
    "browser": "Firefox",
    "os": "Android",
    "ip": "192.0.2.1",
    "createdAt": "2026-11-24T09:00:00.000Z",
    "lastActiveAt": "2026-11-24T09:30:00.000Z",
    "lastSeenAt": "2026-11-24T09:30:00.000Z",
    "at": "2026-11-24T09:00:00.000Z",
    "kind": "session.created",
    "mimeType": "image/jpeg",
    "registerMetaData": {"city": "London", "beta": True, "level": 7},
    "metaData": {"city": "London", "beta": True, "level": 7},
    "facts": {"reason": "logout"},
    "version": 3,
    "size": 48_213,
    "statusCode": 200,
    "message": "Success",
}
"""What an example says in a field of that name, where its type lets it."""

_PLAIN: dict[str, Any] = {"string": "text", "integer": 1, "number": 1.5, "boolean": False, "object": {}, "null": None}
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}


def example(schema: Schema, known: dict[str, Schema], name: str = "") -> Any:
    """One value that fits a schema.

    Args:
        schema: the schema.
        known: what references lead to.
        name: the field that it is for.
    """
    found = resolve(schema, known)
    if "anyOf" in found:
        return example(next(each for each in found["anyOf"] if each.get("type") != "null"), known, name)
    kind, sample = found.get("type", "string"), SAMPLES.get(name)
    if "const" in found or "enum" in found:
        return found["const"] if "const" in found else found["enum"][0]
    if isinstance(sample, _TYPES.get(kind, ())) and "$ref" not in schema:
        return sample
    return _made_up(found, known, name, kind)


def _made_up(schema: Schema, known: dict[str, Schema], name: str, kind: str) -> Any:
    """A value that no sample is for."""
    if kind == "object" and "properties" in schema:
        return {key: example(each, known, key) for key, each in schema["properties"].items()}
    if kind == "array":
        return [example(schema["items"], known, name)] if "items" in schema else []
    default = schema.get("default")
    return schema.get("minimum", _PLAIN.get(kind)) if default in {None, ""} else default
