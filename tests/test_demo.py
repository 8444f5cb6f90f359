"""The command that shows everything: its promises hold, and its node stays for whoever wants to try the pages."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from patience import PATIENCE_S

HELIOGRAPH = [str(Path(sys.executable).with_name("heliograph")), "demo"]


def test_every_promise_of_the_demo_holds_and_it_ends_where_there_is_no_terminal() -> None:
    done = subprocess.run(HELIOGRAPH, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d\d promises held, 0 broken$", done.stdout, re.MULTILINE)
    assert "BROKEN" not in done.stdout


def test_at_a_terminal_the_demo_stays_up_with_the_pages_until_it_is_stopped() -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(HELIOGRAPH, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL) as running:
        os.close(theirs)
        try:
            shown = read_until(ours, "forgets everything")
            url = re.search(r"(http://\S+)/phone\?as=ada", shown)
            assert url is not None, shown
            for path in ("/phone", "/", "/admin"):
                assert httpx.get(url[1] + path, timeout=PATIENCE_S).status_code == 200
        finally:
            running.send_signal(signal.SIGINT)
        assert running.wait(PATIENCE_S) == 0
    os.close(ours)


def read_until(terminal: int, words: str) -> str:
    """What a terminal shows until those words, without its colours."""
    shown = ""
    while words not in shown:
        part = os.read(terminal, 65536).decode()
        assert part, shown
        shown = re.sub(r"\x1b\[[0-9;]*m", "", shown + part)
    return shown
