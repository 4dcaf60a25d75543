"""Code lists: those of the hub, and what a project adds."""

import csv

import pytest

from hub.codes import INDEX, CodeLists, reference_codes
from hub.errors import ProjectError
from tests.unit.canonical import ROOT, schemas

LISTS = "colours: {files: [colours], open: false}\n"


def read(**files):
    return CodeLists(
        {INDEX: LISTS, **{f"schemas/codes/{name.replace('__', '/')}.csv": text for name, text in files.items()}}
    )


def test_a_list_holds_its_codes_and_their_names():
    colours = read(colours="code,name\nR,red\nG,green\n").get("colours")
    assert "R" in colours
    assert "red" not in colours
    assert colours.names == {"R": "red", "G": "green"}
    assert not colours.is_open


def test_a_project_adds_codes_of_its_own():
    assert "B" in read(colours="code,name\nR,red\n", extra__colours="code\nB\n").get("colours")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "lists.yaml:1:10: error: the list 'colours' wants schemas/codes/colours.csv, which is not there"),
        (
            {"colours": "name\nred\n"},
            "colours.csv:1:1: error: colours.csv has no column 'code'; write code,name in line 1",
        ),
    ],
)
def test_a_list_that_cannot_be_read_is_named(files, message):
    with pytest.raises(ProjectError) as error:
        read(**files)
    assert str(error.value).endswith(message)


def test_the_hub_reads_its_own_lists_as_a_project_would():
    assert reference_codes().names() == schemas().codes.names()


@pytest.mark.parametrize("name", ["ISO4217", "settlement", "short-pay", "return"])
def test_the_lists_that_are_closed(name):
    assert [name for name in reference_codes().names() if not reference_codes().get(name).is_open] == sorted(
        ["ISO4217", "settlement", "short-pay", "return"]
    )
    assert reference_codes().get(name).names


def test_every_file_of_codes_is_named_by_a_list_and_holds_each_code_once():
    used = {
        stem for name in (ROOT / INDEX).read_text().split("files: [")[1:] for stem in name.split("]")[0].split(", ")
    }
    files = {path.stem: path for path in (ROOT / "schemas/codes").glob("*.csv")}
    assert set(files) == used
    for path in files.values():
        with path.open(encoding="utf-8", newline="") as file:
            codes = [row["code"] for row in csv.DictReader(file)]
        assert len(codes) == len(set(codes))
        assert all(code == code.strip() and code for code in codes)
