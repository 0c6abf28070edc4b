import io
import logging
import sys

from runtime.messages import StderrLines


def test_a_message_goes_to_what_stderr_is_at_that_moment(monkeypatch):
    log = logging.Logger("own")
    log.addHandler(StderrLines())
    for line in ("first", "second"):
        monkeypatch.setattr(sys, "stderr", io.StringIO())
        log.warning("the %s line", line)
        assert sys.stderr.getvalue() == f"the {line} line\n"
