import io
import logging
import sys

from transformers.utils import logging as transformers_logging

from runtime.messages import StderrLines, quiet_transformers


def test_a_message_goes_to_what_stderr_is_at_that_moment(monkeypatch):
    log = logging.Logger("own")
    log.addHandler(StderrLines())
    for line in ("first", "second"):
        monkeypatch.setattr(sys, "stderr", io.StringIO())
        log.warning("the %s line", line)
        assert sys.stderr.getvalue() == f"the {line} line\n"


def test_transformers_is_as_loud_afterwards_as_before():
    before = transformers_logging.get_verbosity()
    with quiet_transformers():
        assert transformers_logging.get_verbosity() == transformers_logging.ERROR
    assert transformers_logging.get_verbosity() == before != transformers_logging.ERROR
