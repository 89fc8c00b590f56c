"""File columns (dataverse-api.md §2.3, §9.1)."""

from __future__ import annotations

import requests

from tests.simulator_dataverse.environment import Environment

CONTENT = bytes(range(256)) * 40


def test_file_whole_and_in_chunks(env: Environment) -> None:
    env.org.add_fields("contact", [{"name": "new_cv", "type": "File"}])
    record_id = env.create(lastname="Filed")
    path = f"{env.base}contacts({record_id})/new_cv"
    kind = {"Content-Type": "application/octet-stream"}

    def patch(url: str, content: bytes, **headers: str) -> requests.Response:
        named = kind | {name.replace("_", "-"): value for name, value in headers.items()}
        return env.session.patch(url, data=content, headers=named)

    assert env.call("GET", path).status_code == 204
    assert env.refused("GET", path + "/$value")[:2] == (404, "0x80040217")
    assert patch(path, CONTENT, x_ms_file_name="cv%C3%A9.pdf", If_None_Match="null").status_code == 204
    row = env.get(f"contacts({record_id})?$select=new_cv,new_cv_name")
    assert row["new_cv_name"] == "cvé.pdf" and len(row["new_cv"]) == 36
    found = env.call("GET", path + "/$value")
    assert found.content == CONTENT and found.headers["x-ms-file-size"] == str(len(CONTENT))
    part = env.call("GET", path + "/$value", Range="bytes=10-19")
    assert (part.status_code, part.content) == (206, CONTENT[10:20])

    begun = patch(path, b"", x_ms_transfer_mode="chunked", x_ms_file_name="big.bin")
    assert begun.status_code == 200 and int(begun.headers["x-ms-chunk-size"]) > 0
    session, half, size = begun.headers["Location"], len(CONTENT) // 2, len(CONTENT)
    assert patch(session, CONTENT[:half], Content_Range=f"bytes 0-{half - 1}/{size}").status_code == 206
    assert patch(session, CONTENT[:half], Content_Range=f"bytes 0-{half - 1}/{size}").status_code == 400
    assert patch(session, CONTENT[half:][::-1], Content_Range=f"bytes {half}-{size - 1}/{size}").status_code == 204
    assert env.call("GET", path + "/$value").content == CONTENT[:half] + CONTENT[half:][::-1]
    assert patch(path, b"x").status_code == 400  # a file needs a name
    assert env.call("DELETE", path).status_code == 204
    assert env.get(f"contacts({record_id})")["new_cv"] is None
    attribute = env.get("EntityDefinitions(LogicalName='contact')/Attributes(LogicalName='new_cv')")
    assert (attribute["AttributeType"], attribute["AttributeTypeName"]["Value"]) == ("Virtual", "FileType")
