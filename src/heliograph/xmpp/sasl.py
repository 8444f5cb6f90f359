"""Signing in with SASL, the receiving side (RFC 4422): one attempt as a state machine, whatever its mechanism.

A `Negotiation` takes the messages of a mechanism and gives steps: what to send, or what has to be known to go on.
`Negotiation.TRANSITIONS` is the whole machine; what it does not list fails the attempt. How messages stand in a stream
is for `sasl_profile` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, NamedTuple

from heliograph.xmpp.sasl_claims import (
    Answer,
    BearerWanted,
    Beginning,
    Claim,
    Hints,
    Offer,
    Proof,
    Proved,
    Question,
    Refused,
    check_authzid,
)
from heliograph.xmpp.sasl_mechanisms import check_mechanism, read_claim
from heliograph.xmpp.scram import ScramError

_NONCE_BYTES = 18
_NO_HINTS = Hints()

# --------------------------------------------------------------------------------------------------------- steps


class Challenge(NamedTuple):
    """Send this challenge and wait for a response."""

    message: bytes = b""


class Success(NamedTuple):
    """The client is that user, and used that session's secret.

    Attributes:
        message: goes along, if the mechanism has one.
        token: the name of the token that was used, if one was.
    """

    username: str
    session_id: str
    message: bytes | None = None
    token: str | None = None


class Failure(NamedTuple):
    """The attempt failed with a condition of RFC 6120, section 6.5, and a sentence for a person."""

    condition: str
    text: str | None = None


Step = Challenge | Question | Success | Failure


# ------------------------------------------------------------------------------------------------------- machine


@dataclass(frozen=True, slots=True)
class Fresh:
    """Nothing was sent yet."""


class Invited(NamedTuple):
    """An empty challenge asks for the mechanism's first message (RFC 6120, section 6.4.2)."""

    mechanism: str


class Asking(NamedTuple):
    """The question what is known of the client is open."""

    question: Question
    claim: Claim


class Proving(NamedTuple):
    """The client has the challenge."""

    proof: Proof


@dataclass(frozen=True, slots=True)
class Done:
    """The attempt has succeeded or failed."""


_FRESH, _DONE = Fresh(), Done()

State = Fresh | Invited | Asking | Proving | Done


class Input(Enum):
    """What an attempt takes."""

    BEGIN = "begin"
    RESPOND = "respond"
    ANSWER = "answer"
    __hash__ = object.__hash__  # by identity, which is faster


class Negotiation:
    """One attempt to sign in. To abort it (RFC 6120, section 6.4.4), drop it.

    Args:
        offer: what the stream has offered.
        host: the domain that the client signs in to.
        random: so many unpredictable bytes.
        secret: keys what unknown usernames are shown.
        hints: what the client says of itself beside the mechanism's messages.
    """

    def __init__(
        self, offer: Offer, host: str, random: Callable[[int], bytes], secret: bytes, hints: Hints = _NO_HINTS
    ) -> None:
        self._offer = offer
        self._host = host
        self._random = random
        self._secret = secret
        self._hints = hints
        self.state: State = _FRESH

    def begin(self, mechanism: str, message: bytes | None) -> Step:
        """Take the mechanism that the client has chosen, and its first message if it came along."""
        return self._take(Input.BEGIN, (mechanism, message))

    def respond(self, message: bytes) -> Step:
        """Take the answer to a challenge."""
        return self._take(Input.RESPOND, message)

    def answer(self, found: Answer | None) -> Step:
        """Take the answer to a question: what is known, or `None`."""
        return self._take(Input.ANSWER, found)

    def _take(self, kind: Input, argument: Any) -> Step:
        state, self.state = self.state, _DONE  # unless the action says that it goes on
        action = self.TRANSITIONS.get((type(state), kind))
        if action is None:
            return Failure("malformed-request")
        try:
            return action(self, state, argument)
        except Refused as error:
            return Failure(error.condition, error.text)
        except ScramError as error:
            return Failure(error.condition)

    # --------------------------------------------------------------------------------------------------- transitions

    def _on_begin(self, _state: Fresh, argument: tuple[str, bytes | None]) -> Step:
        mechanism, message = argument
        check_mechanism(mechanism, self._offer, self._hints)
        if message is None:
            self.state = Invited(mechanism)
            return Challenge()
        return self._on_first(Invited(mechanism), message)

    def _on_first(self, state: Invited, message: bytes) -> Step:
        claim = read_claim(state.mechanism, message, self._offer)
        if claim.authzid and self._hints.claimed is not None:
            local, _, domain = self._hints.claimed.partition("@")
            check_authzid(claim.authzid, local, domain)  # XEP-0388, section 2.3
        question = claim.question(self._host, state.mechanism, self._hints)
        self.state = Asking(question, claim)
        return question

    def _on_answer(self, state: Asking, found: Answer | None) -> Step:
        username = "" if isinstance(state.question, BearerWanted) else state.question.username
        nonce = self._random(_NONCE_BYTES).hex()
        went = state.claim.answer(found, Beginning(self._offer, nonce, username, self._host, self._secret))
        if isinstance(went, Proved):
            return _success(went)
        self.state = Proving(went)
        return Challenge(went.challenge)

    def _on_proof(self, state: Proving, message: bytes) -> Step:
        return _success(state.proof.finish(message))

    TRANSITIONS: ClassVar[Mapping[tuple[type[State], Input], Callable[[Negotiation, Any, Any], Step]]] = {
        (Fresh, Input.BEGIN): _on_begin,
        (Invited, Input.RESPOND): _on_first,
        (Asking, Input.ANSWER): _on_answer,
        (Proving, Input.RESPOND): _on_proof,
    }
    """Every input that a state takes; any other fails the attempt."""


def _success(proved: Proved) -> Success:
    return Success(proved.username, proved.session_id, proved.message, proved.token)
