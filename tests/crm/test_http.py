"""The one send path: what is repeated, what is in doubt, what is said, and what never leaks."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3.exceptions as u
from requests import exceptions as r

from backhaul.crm.http import (
    Http,
    PatientSession,
    Refusal,
    Reply,
    Request,
    RetryPolicy,
    http_date,
    retry_after,
)
from backhaul.errors import BackhaulError, ConfigurationError, CRMError, OutcomeInDoubt, SignInError, TransientError

from .wire import DATE, Answer, Reaction, Sent, Wire, waits

TOKEN = "very-secret-token"


class Keys:
    """Credentials that count how often they were asked."""

    method = "test keys"
    check = "check the keys"

    def __init__(self) -> None:
        self.asked = 0

    def sign_in(self, http: Http) -> Mapping[str, str]:
        self.asked += 1
        return {"Authorization": f"Bearer {TOKEN}-{self.asked}"}


def explain(response: requests.Response) -> Refusal | None:
    try:
        body = response.json()
    except ValueError:
        return None
    return Refusal(body["code"], body.get("text", ""), wait=body.get("wait"))


def opened(routes: Mapping[str, Reaction | list[Reaction]], **more: Any) -> tuple[Http, Wire, Keys, list[float]]:
    wire, keys = Wire(routes), Keys()
    policy, noted = waits()
    http = Http("acme", PatientSession(transport=wire, **more), keys, explain, policy)
    http.base = "https://crm.example"
    return http, wire, keys, noted


GET = Request("GET", "/x", "read x")
POST = Request("POST", "/x", "create x", json={"a": 1})


def test_a_passing_refusal_is_waited_for_with_growing_pauses() -> None:
    http, wire, _, noted = opened({"GET /x": [Answer(503), Answer(502), Answer(body={"ok": 1})]})
    assert http.json(GET) == {"ok": 1}
    assert len(wire.sent) == 3 == http.api_calls
    assert 0.25 <= noted[0] <= 0.5 <= noted[1] <= 1.0


def test_it_gives_up_and_says_so() -> None:
    http, wire, _, _ = opened({"GET /x": Answer(503)})
    with pytest.raises(TransientError, match=r"read x: HTTP_503: .*'acme'.*gave up after 4 attempts"):
        http.send(GET)
    assert len(wire.sent) == 4


def test_retry_after_is_honoured_up_to_a_patience() -> None:
    http, _, _, noted = opened({"GET /x": [Answer(429, headers={"Retry-After": "7"}), Answer()]})
    http.send(GET)
    assert noted == [7.0]
    http, wire, _, noted = opened({"GET /x": Answer(429, headers={"Retry-After": "9000"})})
    with pytest.raises(TransientError, match="the wait would be 9000 s"):
        http.send(GET)
    assert (len(wire.sent), noted) == (1, [])


def test_retry_after_as_a_date_is_measured_against_the_servers_clock() -> None:
    now = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    assert http_date(DATE) == now
    assert retry_after({"Retry-After": "Mon, 23 Nov 2026 10:00:30 GMT"}, now) == 30.0
    assert retry_after({"Retry-After": "Mon, 23 Nov 2026 09:00:00 GMT"}, now) == 0.0
    assert retry_after({"Retry-After": "soon"}, now) is None
    assert http_date("nonsense") is None


def test_a_refusal_for_good_is_not_repeated() -> None:
    http, wire, _, _ = opened({"GET /x": Answer(400, {"code": "MALFORMED", "text": "unexpected token"})})
    with pytest.raises(CRMError) as raised:
        http.send(GET)
    assert (raised.value.symbol, raised.value.status, len(wire.sent)) == ("MALFORMED", 400, 1)
    assert not isinstance(raised.value, TransientError)


@pytest.mark.parametrize("status", [408, 420, 429, 503])
def test_a_create_refused_before_anything_happened_is_repeated(status: int) -> None:
    http, wire, _, _ = opened({"POST /x": [Answer(status), Answer(201, {"id": 1})]})
    assert http.json(POST) == {"id": 1}
    assert len(wire.sent) == 2


LOST = [
    r.ConnectionError(u.ProtocolError("Connection aborted.", ConnectionResetError(104, "reset"))),
    r.ReadTimeout(),
    r.ChunkedEncodingError(u.IncompleteRead(1, 2)),
    r.ConnectionError(),
    r.ContentDecodingError(),
]


@pytest.mark.parametrize("lost", LOST, ids=lambda error: type(error).__name__)
def test_a_lost_reply_leaves_a_create_in_doubt_and_repeats_what_may_be_repeated(lost: Exception) -> None:
    http, wire, _, _ = opened({"POST /x": [lost, Answer()], "GET /x": [lost, Answer()]})
    with pytest.raises(OutcomeInDoubt, match="create x"):
        http.send(POST)
    assert len(wire.sent) == 1
    http.send(GET)
    http.send(Request("POST", "/x", "query", repeatable=True))


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_gateways_word_about_a_create_is_in_doubt(status: int) -> None:
    http, wire, _, _ = opened({"POST /x": Answer(status)})
    with pytest.raises(OutcomeInDoubt):
        http.send(POST)
    assert len(wire.sent) == 1


NOT_SENT = [
    r.ConnectTimeout(),
    r.ConnectionError(u.MaxRetryError(None, "/", u.NewConnectionError(None, "refused"))),  # type: ignore[arg-type]  # no pool here
    r.ProxyError(),
]


@pytest.mark.parametrize("never", NOT_SENT, ids=lambda error: type(error).__name__)
def test_what_was_never_sent_is_repeated_even_for_a_create(never: Exception) -> None:
    http, wire, _, _ = opened({"POST /x": [never, never, Answer()]})
    http.send(POST)
    assert len(wire.sent) == 3


def test_an_untrusted_certificate_is_a_fault_of_configuration() -> None:
    http, wire, _, _ = opened({"GET /x": r.SSLError("certificate verify failed")})
    with pytest.raises(ConfigurationError, match="certificate"):
        http.send(GET)
    assert len(wire.sent) == 1


def test_a_dead_session_is_renewed_once_and_the_request_replayed() -> None:
    http, wire, keys, noted = opened({"POST /x": [Answer(401), Answer(201)]})
    http.send(POST)
    assert keys.asked == 2
    assert [sent.headers["Authorization"] for sent in wire.sent] == [f"Bearer {TOKEN}-1", f"Bearer {TOKEN}-2"]
    assert noted == []


def test_a_second_401_names_account_method_and_what_to_check() -> None:
    http, wire, keys, _ = opened({"GET /x": Answer(401, {"code": "INVALID_SESSION_ID"})})
    with pytest.raises(SignInError, match=r"'acme'.*test keys") as raised:
        http.send(GET)
    assert raised.value.hint == "check the keys"
    assert (keys.asked, len(wire.sent)) == (2, 2)


def test_a_renewal_by_another_thread_is_not_repeated() -> None:
    http, _, keys, _ = opened({})
    old = http.sign_in()
    http.forget_sign_in(old)
    new = http.sign_in()
    http.forget_sign_in(old)
    assert http.sign_in() is new
    assert keys.asked == 2


def test_parallel_requests_renew_a_dead_session_once() -> None:
    def answer(sent: Sent) -> Answer:
        return Answer(401) if sent.headers["Authorization"].endswith("-1") else Answer(201)

    http, _, keys, _ = opened({"POST /x": answer})
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _: http.send(POST), range(12)))
    assert {reply.status_code for reply in replies} == {201}
    assert keys.asked == 2


def received(reply: Reply) -> tuple[bytes, bool]:
    return b"".join(reply.chunks()), reply.gzipped


def test_a_stream_gives_the_bytes_as_received() -> None:
    http, _, _, _ = opened({"GET /x": Answer(body="a,b\n" * 1000, gzip=True)})
    raw, gzipped = http.stream(GET, received)
    assert gzipped
    assert raw[:2] == b"\x1f\x8b"


def test_a_stream_that_breaks_off_is_asked_for_again() -> None:
    http, wire, _, _ = opened({"GET /x": [Answer(body=b"x" * 100, cut=1), Answer(body=b"y" * 100)]})
    assert http.stream(GET, received)[0] == b"y" * 100
    assert len(wire.sent) == 2


def test_a_stream_that_always_breaks_off_fails() -> None:
    http, _, _, _ = opened({"GET /x": Answer(body=b"x" * 100, cut=40)})
    with pytest.raises(TransientError, match=r"broke off after 60 bytes.*gave up"):
        http.stream(GET, received)


def test_without_a_length_gzip_itself_shows_the_cut() -> None:
    unframed = {"Content-Length": "", "Connection": "close"}
    whole = Answer(body=b"x" * 5000, gzip=True, headers=unframed)
    cut = Answer(body=b"x" * 5000, gzip=True, headers=unframed, cut=4)
    http, wire, _, _ = opened({"GET /x": [cut, whole]})
    http.stream(GET, received)
    assert len(wire.sent) == 2


def test_a_redirect_is_an_answer_of_somebody_else() -> None:
    http, _, _, _ = opened({"GET /x": Answer(302, headers={"Location": "https://login.example/?secret=1"})})
    with pytest.raises(CRMError, match=r"redirected to https://login\.example \(") as raised:
        http.send(GET)
    assert "secret" not in str(raised.value)


PAGES = [
    Answer(body="<p>busy</p>", headers={"Content-Type": "text/html; charset=utf-8"}),
    Answer(body=" <!DOCTYPE html><p>busy</p>", headers={"Content-Type": "text/plain"}),
]


@pytest.mark.parametrize("page", PAGES, ids=["by its type", "by its beginning"])
def test_a_proxys_page_is_a_lost_reply(page: Answer) -> None:
    http, wire, _, _ = opened({"GET /x": [page, Answer(body={"a": 1})], "POST /x": page})
    assert http.json(GET) == {"a": 1}
    with pytest.raises(OutcomeInDoubt, match=r"happened: a web page came from https://crm\.example"):
        http.send(POST)
    assert len(wire.sent) == 3
    http, _, _, _ = opened({"GET /x": [page, Answer(body=b"a,b")]})
    assert http.stream(GET, received)[0] == b"a,b"
    http, _, _, _ = opened({"GET /x": page})
    with pytest.raises(TransientError, match=r"a web page came.*gave up after 4") as raised:
        http.json(GET)
    assert "not a login page" in raised.value.hint


def test_a_page_without_a_word_is_an_empty_answer() -> None:
    http, _, _, _ = opened({"POST /x": Answer(204, headers={"Content-Type": "text/html"})})
    assert http.send(POST).status_code == 204


def test_another_content_is_not_json() -> None:
    http, wire, _, _ = opened({"GET /x": Answer(body="a,b", headers={"Content-Type": "text/csv"})})
    with pytest.raises(CRMError, match=r"not JSON \(text/csv\)"):
        http.json(GET)
    assert len(wire.sent) == 1


def test_the_accounts_authority_wins_over_the_environments(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ours = tmp_path / "ours.pem"
    ours.write_text("pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "theirs.pem"))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("machine crm.example login robot password robot\n")
    http, wire, _, _ = opened({"GET /x": Answer()}, ca_bundle=ours)
    http.send(GET)
    assert wire.sent[0].verify == str(ours)
    assert wire.sent[0].headers["Authorization"] == f"Bearer {TOKEN}-1"
    with pytest.raises(ConfigurationError, match="ca_bundle"):
        PatientSession(ca_bundle=tmp_path / "missing.pem")


def test_an_unreadable_authority_of_the_environment_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/bundle.pem")
    http = Http("acme", PatientSession(), Keys(), explain, RetryPolicy(attempts=1))
    http.base = "https://127.0.0.1:9"
    with pytest.raises(ConfigurationError, match="certificate file"):
        http.send(GET)


FAILURES: list[Reaction] = [*LOST, *NOT_SENT, *(Answer(code) for code in (302, 400, 401, 403, 404, 429, 500, 503))]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: getattr(failure, "status", type(failure).__name__))
def test_no_failure_shows_the_token(failure: Reaction) -> None:
    http, _, _, _ = opened({"POST /x": failure})
    with pytest.raises(BackhaulError) as raised:
        http.send(POST)
    assert TOKEN not in "".join(traceback.format_exception(raised.value))
    assert TOKEN not in repr(raised.value)


def test_a_real_socket_with_nobody_behind_it() -> None:
    http = Http("acme", PatientSession(), Keys(), explain, RetryPolicy(attempts=2, sleep=lambda _: None))
    http.base = "http://127.0.0.1:9"
    with pytest.raises(TransientError, match=r"nobody answers at http://127\.0\.0\.1:9 \(.*gave up after 2") as raised:
        http.send(POST)
    assert str(raised.value).count("acme") == 1


def test_an_address_is_shown_without_its_user_path_and_query() -> None:
    http, _, _, _ = opened({"GET /x": r.ConnectionError(u.NameResolutionError("h", None, OSError()))})  # type: ignore[arg-type]  # no connection here
    http.base = "https://robot:password@crm.example:8443"
    with pytest.raises(TransientError, match=r"the host name of https://crm\.example:8443 is unknown"):
        http.send(Request("GET", "/x?token=1", "read x"))
