"""What every request and every answer has in common: names in camelCase, and the envelope around the data."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from msgspec import UNSET, Struct, UnsetType

Data = TypeVar("Data")


class Request(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The base of all request bodies."""


class Body(Struct, frozen=True, kw_only=True, rename="camel"):
    """The base of all that answers carry."""


class Secretive:
    """Keeps a body that holds a secret out of logs and tracebacks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


class Answer(Struct, Generic[Data], frozen=True, kw_only=True, rename="camel"):
    """Every answer that is no error. `data` is absent where a call has nothing to say beyond its success."""

    status_code: int = 200
    message: str = "Success"
    data: Data | UnsetType = UNSET


class ErrorBody(Struct, frozen=True, kw_only=True, rename="camel"):
    """Every answer that is an error.

    Attributes:
        status_code: the HTTP status.
        message: one sentence for a person.
        code: the stable name of the error, for programs.
        details: facts for programs, such as `field`, `sessions` or `errorId`.
    """

    status_code: int
    message: str
    code: str
    details: dict[str, Any] | UnsetType = UNSET
