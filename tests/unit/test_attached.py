"""The file of a canonical document that a format takes with it: which one, its bytes, and that it is that one."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest

from hub.attached import with_file
from hub.errors import MappingError
from hub.formats import cii, ubl

CONTENT = b"%PDF-1.7 visible"
OPTIONS = {"hybrid": "facturx-en16931"}
DOCUMENT = {"type": "CrossIndustryInvoice"}
HELD = f"data:application/pdf;base64,{b64encode(CONTENT).decode()}"
STORED = {"4711": CONTENT}
OWN: dict[str, Any] = {
    "id": "A1", "mime_code": "application/pdf", "storage_ref": HELD, "sha256": sha256(CONTENT).hexdigest()
}  # fmt: skip
SHEET = {**OWN, "id": "A2"}


def made(*attachments: Any, **options: str) -> Any:
    return with_file(cii, {**OPTIONS, **options}, {"attachments": list(attachments)}, DOCUMENT, STORED.get)


@pytest.mark.parametrize(("attachments", "options"), [
    ([OWN], {}),
    ([{**OWN, "storage_ref": "store:4711"}], {}),
    ([{**OWN, "mime_code": "image/png"}, {**OWN, "sha256": OWN["sha256"].upper()}], {}),
    ([{**SHEET, "sha256": "0"}, OWN], {"visible": "A1"}),
], ids=["held", "stored", "one-is-a-pdf", "named"])  # fmt: skip
def test_the_document_gets_the_bytes(attachments: list[Any], options: dict[str, str]) -> None:
    assert made(*attachments, **options) == {**DOCUMENT, "pdf": b64encode(CONTENT).decode()}


@pytest.mark.parametrize(("attachments", "options", "path", "words"), [
    ([], {}, "attachments", "no attachment of the type application/pdf; expected the one to be seen"),
    ([{**OWN, "mime_code": "image/png"}], {}, "attachments", "no attachment of the type application/pdf"),
    ([OWN], {"visible": "A7"}, "attachments", "no attachment of the type application/pdf with the id 'A7'"),
    ([OWN, SHEET], {}, "attachments", "2 attachments of the type application/pdf: 'A1', 'A2'; expected one"),
    ([{**OWN, "sha256": "0"}], {}, "attachments[0].sha256", "another hash than that of the bytes"),
    ([{**OWN, "storage_ref": "store:5"}], {}, "attachments[0].storage_ref", "'store:5', whose bytes are not stored"),
    ([{**OWN, "storage_ref": "https://a.example/b"}], {}, "attachments[0].storage_ref", "expected store:ID, the id"),
    ([{**OWN, "storage_ref": "data:application/pdf,x"}], {}, "attachments[0].storage_ref", "expected store:ID"),
    ([{**OWN, "storage_ref": "data:;base64,x"}], {}, "attachments[0].storage_ref", "what is no Base64"),
], ids=["none", "no-pdf", "other-id", "several", "other-bytes", "pruned", "web", "no-base64", "broken"])  # fmt: skip
def test_what_is_not_there_is_said(attachments: list[Any], options: dict[str, str], path: str, words: str) -> None:
    with pytest.raises(MappingError) as caught:
        made(*attachments, **options)
    assert words in str(caught.value)
    assert (caught.value.code, caught.value.field_path) == ("attachment", path)


def test_what_wants_no_file_or_has_one_stays_as_it_is() -> None:
    assert with_file(cii, {}, {}, DOCUMENT) is with_file(ubl, {}, {}, DOCUMENT) is DOCUMENT
    assert with_file(cii, OPTIONS, {}, {**DOCUMENT, "pdf": "eA=="}) == {**DOCUMENT, "pdf": "eA=="}
