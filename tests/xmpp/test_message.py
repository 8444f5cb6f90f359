"""Where a message goes: the table at the end of RFC 6121, section 8.5.4."""

from __future__ import annotations

import pytest

from heliograph.xmpp.message import Verdict, message_type, to_account, to_missing_resource

REFUSE, DROP = (Verdict.REFUSE, []), (Verdict.DROP, [])


def reach(*indexes: int) -> tuple[Verdict, list[int]]:
    return Verdict.DELIVER, [*indexes]


@pytest.mark.parametrize(
    ("priorities", "normal", "chat", "groupchat", "headline"),
    [
        ([], REFUSE, REFUSE, REFUSE, DROP),
        ([-1], REFUSE, REFUSE, REFUSE, DROP),
        ([-128, -1], REFUSE, REFUSE, REFUSE, DROP),
        ([0], reach(0), reach(0), REFUSE, reach(0)),
        ([127], reach(0), reach(0), REFUSE, reach(0)),
        ([1, 5, 0], reach(0, 1, 2), reach(0, 1, 2), REFUSE, reach(0, 1, 2)),
        ([-1, 3, -2, 0], reach(1, 3), reach(1, 3), REFUSE, reach(1, 3)),
    ],
)
def test_a_message_to_an_account_reaches_every_resource_that_wants_messages(
    priorities: list[int],
    normal: tuple[Verdict, list[int]],
    chat: tuple[Verdict, list[int]],
    groupchat: tuple[Verdict, list[int]],
    headline: tuple[Verdict, list[int]],
) -> None:
    assert to_account("normal", priorities) == normal
    assert to_account("chat", priorities) == chat
    assert to_account("groupchat", priorities) == groupchat
    assert to_account("headline", priorities) == headline
    assert to_account("error", priorities) == DROP


@pytest.mark.parametrize(
    ("priorities", "chat"),
    [([], REFUSE), ([-1], REFUSE), ([0], reach(0)), ([-1, 3, -2, 0], reach(1, 3))],
)
def test_a_message_to_a_resource_that_is_gone_reaches_the_others_only_as_chat(
    priorities: list[int], chat: tuple[Verdict, list[int]]
) -> None:
    assert to_missing_resource("chat", priorities) == chat
    assert to_missing_resource("normal", priorities) == REFUSE
    assert to_missing_resource("groupchat", priorities) == REFUSE
    assert to_missing_resource("headline", priorities) == DROP  # an error would tell who is connected
    assert to_missing_resource("error", priorities) == DROP


@pytest.mark.parametrize("value", ["chat", "error", "groupchat", "headline", "normal"])
def test_the_five_types_are_known(value: str) -> None:
    assert message_type(value) == value


@pytest.mark.parametrize("value", [None, "", "Chat", "telegram"])
def test_any_other_type_is_normal(value: str | None) -> None:
    assert message_type(value) == "normal"
