"""Coverage-guided fuzzing of the server's stream machine with atheris, which the tests do not need.

After `uv pip install atheris`, `.venv/bin/python tests/fuzz/stream_target.py -max_total_time=600 -max_len=8192`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1] / "stage"))

with atheris.instrument_imports(include=["heliograph.xmpp"]):
    from server_stream import HOST, OPEN, STRANGER_LIMITS, Talk, bind, plain

PIECE_BYTES = (1, 7, 64, 100_000)


def torment(data: bytes) -> None:
    """The first byte says whether the client has signed in, whether it speaks on a WebSocket, and how it cuts what it
    says: the rest.
    """
    if not data:
        return
    choice, said = data[0], data[1:]
    talk = Talk(is_websocket=bool(choice & 1), header=f"to='{HOST}' version='1.0'")
    if choice & 2:
        talk.says(OPEN, plain(), OPEN, bind())
    size = len(said) if talk.is_websocket else PIECE_BYTES[choice >> 2 & 3]
    for start in range(0, len(said), size or 1):
        talk.take(talk.stream.receive(said[start : start + size]))
    assert sum(map(len, talk.stream._waiting)) <= 2 * STRANGER_LIMITS.max_bytes


if __name__ == "__main__":
    atheris.Setup(sys.argv, torment)
    atheris.Fuzz()
