"""The key is in the Authorization header and nowhere else, whichever way a call fails."""

import logging
import traceback

import httpx
import pytest

from resources.lml.client import LmlClient
from resources.lml.errors import LmlError
from tests.resources.lml.loopback import KEY, answer, cut_short, drip, hang_up, libraries, reply

ECHO = {"message": f"the key {KEY} is wrong", "details": {"key": KEY}}


def everything(error: BaseException) -> str:
    """Return all that a log, a debugger or an error reporter could show of an error, locals of frames included.

    The first frame is left out: it is the test's own, which knows the key.
    """
    assert error.__traceback__ is not None
    ours = error.__traceback__.tb_next
    shown = traceback.TracebackException(type(error), error, ours, capture_locals=True)
    texts = [repr(error), str(error), repr(vars(error)), "".join(shown.format(chain=True))]
    for inner in (error.__cause__, error.__context__):
        texts += [everything(inner)] if inner is not None else []
    return "\n".join(texts)


@pytest.mark.parametrize(
    ("play", "timeout_s"),
    [
        (answer(ECHO, 400), 60),
        (answer(ECHO, 401), 60),
        (answer(ECHO, 403), 60),
        (answer(ECHO, 422), 60),
        (answer(ECHO, 429, Retry_After=KEY), 60),
        (answer(ECHO, 500), 60),
        (answer(ECHO, 503), 60),
        (answer(ECHO, 302, Location=f"/{KEY}"), 60),
        (answer(ECHO), 60),
        (reply(200, KEY.encode()), 60),
        (reply(200, KEY.encode(), Content_Encoding=KEY), 60),
        (reply(200, b"x" * 5000), 60),
        (hang_up, 60),
        (cut_short, 60),
        (drip(b"HTTP/1.1 200 OK\r\n\r\n"), 1),
        (lambda handler: handler.wfile.write(f"HTTP/1.1 {KEY}\r\n\r\n".encode()), 60),
    ],
)
def test_no_failure_shows_the_key(lml, config, caplog, play, timeout_s):
    caplog.set_level(logging.DEBUG)
    lml.always = play
    settings = config(timeouts_s={"bulk_resolve_libraries": timeout_s}, max_answer_bytes=4000)
    with LmlClient(settings) as client, pytest.raises(LmlError) as caught:
        client.bulk_resolve_libraries(libraries())
    assert lml.seen[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in everything(caught.value)
    assert KEY not in repr(client) + repr(vars(client))
    # httpcore logs the headers of the answer: a key in there is a leak of LML's.
    sent = [record.getMessage() for record in caplog.records if "receive_response_headers" not in record.getMessage()]
    assert KEY not in "\n".join(sent)


def test_no_connection_and_an_open_breaker_do_not_show_the_key(config, caplog):
    caplog.set_level(logging.DEBUG)
    with LmlClient(config(base_url="http://127.0.0.1:1", breaker_threshold=1)) as client:
        for _ in range(2):
            with pytest.raises(LmlError) as caught:
                client.bulk_resolve_libraries(libraries())
            assert KEY not in everything(caught.value)
    assert KEY not in caplog.text


def test_a_successful_call_does_not_log_the_key(lml, config, caplog):
    caplog.set_level(logging.DEBUG)
    with LmlClient(config()) as client:
        client.bulk_resolve_libraries(libraries())
    assert caplog.records
    assert KEY not in caplog.text


def test_an_error_has_no_cause_and_no_frame_of_the_http_stack(lml, config):
    lml.always = hang_up
    with LmlClient(config()) as client, pytest.raises(LmlError) as caught:
        client.bulk_resolve_libraries(libraries())
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    files = [frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert not [name for name in files if httpx.__name__ in name or "httpcore" in name]
