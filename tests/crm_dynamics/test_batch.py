"""The $batch envelope: to the letter going out, tolerant coming in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backhaul.crm.dynamics.batch import NotABatch, Part, decode, encode
from tests.crm.wire import Sent
from tests.examples import examples

from .environment import batch_reply, inner_requests


def sent(parts: list[Part]) -> Sent:
    headers = {"Content-Type": 'multipart/mixed; boundary="batch_x"'}
    return Sent("POST", "/$batch", {}, headers, encode(parts, "batch_x"))


def test_the_bytes_of_a_request() -> None:
    body = encode(
        [Part("1", "PATCH", "/api/data/v9.2/contacts(7)", {"If-Match": "*"}, b'{"a":1}'), Part("2", "GET", "/x")],
        "batch_A",
    )
    assert body == (
        b"--batch_A\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: 1\r\n\r\n"
        b"PATCH /api/data/v9.2/contacts(7) HTTP/1.1\r\nIf-Match: *\r\n"
        b"Content-Type: application/json; type=entry\r\n\r\n"
        b'{"a":1}\r\n'
        b"--batch_A\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: 2\r\n\r\n"
        b"GET /x HTTP/1.1\r\n\r\n\r\n"
        b"--batch_A--\r\n"
    )


BODIES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=40).map(
    lambda text: text.encode().strip()
)


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.tuples(st.integers(200, 599), BODIES), max_size=6), st.sampled_from([b"\r\n", b"\n"]), st.booleans())
def test_answers_come_back_in_order(made: list[tuple[int, bytes]], newline: bytes, echo: bool) -> None:
    parts = [Part(str(n), "GET", f"/{n}") for n in range(len(made))]
    reply = batch_reply(
        sent(parts),
        lambda _, url, __, ___: (made[int(url[1:])][0], {"X": "y"}, made[int(url[1:])][1]),
        newline=newline,
        echo_ids=echo,
    )
    assert isinstance(reply.body, bytes)
    answers = decode(reply.headers["Content-Type"], reply.body)
    assert [(answer.status, answer.body) for answer in answers] == made
    assert [answer.content_id for answer in answers] == [str(n) if echo else None for n in range(len(made))]
    assert all(answer.headers["x"] == "y" for answer in answers)


def test_the_answers_of_a_change_set_are_lifted_out() -> None:
    body = (
        b"--b_1\r\nContent-Type: multipart/mixed; boundary=c_1\r\n\r\n"
        b"--c_1\r\nContent-Type: application/http\r\nContent-ID: 5\r\n\r\nHTTP/1.1 204 No Content\r\n"
        b"OData-EntityId: https://x/contacts(1)\r\n\r\n\r\n--c_1--\r\n"
        b'--b_1\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 400 Bad Request\r\nREQ_ID: q\r\n\r\n{"error":{}}\r\n'
        b"--b_1--\r\n"
    )
    first, second = decode('multipart/mixed; boundary="b_1"', body)
    assert (first.status, first.content_id, first.headers["odata-entityid"]) == (204, "5", "https://x/contacts(1)")
    assert (second.status, second.json()) == (400, {"error": {}})


def test_a_reply_that_breaks_off_is_noticed() -> None:
    whole = b"--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n\r\n--b--\r\n"
    assert len(decode("multipart/mixed; boundary=b", whole)) == 1
    for end in range(len(whole) - 4):
        with pytest.raises(NotABatch):
            decode("multipart/mixed; boundary=b", whole[:end])


def test_a_page_of_a_proxy_is_no_batch() -> None:
    with pytest.raises(NotABatch, match="text/html"):
        decode("text/html; charset=utf-8", b"<html>")


def test_requests_are_read_back_by_an_independent_reader() -> None:
    parts = [
        Part("1", "POST", "/contacts", {"A": "b"}, '{"x":"é\\r\\n"}'.encode()),
        Part("2", "DELETE", "/contacts(1)"),
    ]
    (first, second) = inner_requests(sent(parts))
    assert first[:2] == ("POST", "/contacts") and first[3] == parts[0].body and first[2]["A"] == "b"
    assert second[:2] == ("DELETE", "/contacts(1)") and second[2]["Content-ID"] == "2"
