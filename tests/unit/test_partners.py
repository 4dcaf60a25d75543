"""config/partners.yaml: who the partners are, and each mistake's own words."""

from itertools import permutations
from pathlib import Path

import pytest

from hub.formats._edi_envelopes import Interchange, Party
from hub.formats._segments import Delimiters
from hub.partners import Identity
from hub.pipeline.partners import Partners
from hub.settings import load_settings

ROOT = Path(__file__).parents[2]
SIDES = 'us: {id: "4012345000009"}, them: {id: "5412345000013"}'


def load(partners, environment="", hub=""):
    files = {"config/partners.yaml": partners.encode(), "config/hub.yaml": hub.encode()}
    if environment:
        files["config/environments/test.yaml"] = environment.encode()
    settings, faults = load_settings(files, "test" if environment else None)
    return settings.partners, [str(fault) for fault in faults]


def test_what_is_not_said_is_as_the_standard_has_it():
    partners, faults = load(f"acme: {{system: van, syntax: edifact, {SIDES}}}", hub="time_zone: Europe/Paris")
    assert faults == []
    acme = partners["acme"]
    assert (acme.version, acme.charset, acme.time_zone, acme.test) == ("3", "UNOC", "Europe/Paris", False)
    assert (acme.us, acme.them) == (Identity("4012345000009"), Identity("5412345000013"))
    assert (acme.wrong_test_flag, acme.same_number, acme.bad_envelope) == ("refuse", "refuse", "accept")
    assert acme.same_document == "refuse"
    assert acme.delimiters == {"element": "+", "component": ":", "terminator": "'", "release": "?", "repetition": "",
                               "line_end": False}  # fmt: skip


@pytest.mark.parametrize("charset", ["basic", "extended", "ascii", "latin-1", "utf-8"])
def test_a_partner_is_read_strictly_and_has_a_set_of_characters_where_that_is_said(charset):
    partners, faults = load(f"bob: {{system: van, syntax: x12, strict: true, charset: {charset}, {SIDES}}}")
    assert (faults, partners["bob"].strict, partners["bob"].charset) == ([], True, charset)
    partners, faults = load(f"bob: {{system: van, syntax: x12, {SIDES}}}")
    assert (faults, partners["bob"].strict, partners["bob"].charset) == ([], False, "utf-8")


def test_delimiters_follow_the_version():
    text = 'bob: {system: van, syntax: x12, version: "00501", us: {id: A, qualifier: ZZ}, them: {id: B}}'
    partners, faults = load(text)
    assert faults == []
    assert [partners["bob"].delimiters[name] for name in ("element", "component", "terminator", "repetition")] == [
        "*", ">", "~", "^",
    ]  # fmt: skip


def test_an_environment_changes_single_keys():
    partners, faults = load(f"acme: {{system: van, syntax: edifact, {SIDES}}}", "partners: {acme: {test: true}}")
    assert faults == []
    assert partners["acme"].test
    assert partners["acme"].system == "van"


def test_what_an_environment_says_in_the_place_of_a_partner_is_told_where_it_stands():
    _, faults = load(f"acme: {{system: van, syntax: edifact, {SIDES}}}", "partners: {acme: yes}")
    assert [str(fault) for fault in faults] == [
        "config/environments/test.yaml:1:12: error: partner 'acme': expected a mapping with its settings, got text"
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("- acme", "1:1: error: expected a mapping from partner names to their settings, got a list"),
        ("acme: x", "1:1: error: partner 'acme': expected a mapping with its settings, got text"),
        ("a me: {system: s, syntax: edifact, " + SIDES + "}",
         "1:1: error: 'a me' cannot name a partner; use letters, digits, '-', '_' and '.', starting with a letter or "
         "digit"),
        ("acme: {sistem: van, syntax: edifact, " + SIDES + "}",
         "1:8: error: unknown key 'sistem' in partner 'acme'; did you mean 'system'?"),
        ("acme: {system: van, syntax: edifakt, " + SIDES + "}",
         "1:29: error: syntax: expected edifact or x12, got 'edifakt'; did you mean 'edifact'?"),
        ("acme: {system: van, syntax: edifact, us: {id: A}, them: {}}",
         "1:57: error: id is missing in them of partner 'acme': its identification, as it stands in UNB or ISA"),
        ("acme: {system: van, syntax: edifact, directory: 'secret://env/D', " + SIDES + "}",
         "1:49: error: directory: no secret is filled in here; write the text itself"),
        ("acme: {system: van, syntax: edifact, us: {id: 'secret://env/US'}, them: {id: C}}",
         "1:47: error: us.id: no secret is filled in here; write the text itself"),
        ("acme: {system: van, syntax: edifact, charset: UNOQ, " + SIDES + "}",
         "1:47: error: charset: unknown syntax level 'UNOQ'; did you mean 'UNOY'?"),
        ("acme: {system: van, syntax: x12, charset: utf8, " + SIDES + "}",
         "1:43: error: charset: unknown character set 'utf8'; did you mean 'utf-8'?"),
        ("acme: {system: van, syntax: x12, us: {id: A, internal: B}, them: {id: C}}",
         "1:46: error: us.internal: a setting of edifact, and partner 'acme' speaks x12; take it out"),
        ("acme: {system: van, syntax: x12, us: {id: A, password: abc}, them: {id: C}}",
         "1:56: error: us.password: a secret written out; write secret://env/NAME instead (or secret://file/NAME)"),
        ("acme: {system: van, syntax: edifact, us: {id: A, authorization: 'secret://env/A'}, them: {id: C}}",
         "1:50: error: us.authorization: a setting of x12, and partner 'acme' speaks edifact; take it out"),
        ("acme: {system: van, syntax: x12, us: {id: A}, them: {id: C, password_qualifier: '01'}}",
         "1:81: error: them.password_qualifier: qualifies them.password, which is not there; add that, or take it out"),
        ("acme: {system: van, syntax: x12, us: {id: A}, them: {id: C, password: 'secret://env/A', "
         "password_qualifier: BBB}}",
         "1:109: error: them.password_qualifier: expected two letters or digits, got 'BBB'"),
        ("acme: {system: van, syntax: x12, us: {id: A2345678901234567}, them: {id: C}}",
         "1:43: error: us.id: at most 15 characters in x12, got 17"),
        ("acme: {system: van, syntax: x12, version: 401, " + SIDES + "}",
         "1:43: error: version: expected five digits such as 00401 (in quotes), got '401'"),
        ("acme: {system: van, syntax: edifact, version: 5, " + SIDES + "}",
         "1:47: error: version: expected 1, 2, 3 or 4, got '5'"),
        ("acme: {system: van, syntax: x12, delimiters: {release: '?'}, " + SIDES + "}",
         "1:56: error: delimiters.release: X12 has no release character; take it out"),
        ("acme: {system: van, syntax: edifact, delimiters: {repetition: '*'}, " + SIDES + "}",
         "1:63: error: delimiters.repetition: version 3 of edifact has no repetitions; take it out"),
        ("acme: {system: van, syntax: x12, delimiters: {element: '>'}, " + SIDES + "}",
         "1:46: error: delimiters: element and component are both '>'; each must be a character of its own"),
        ("acme: {system: van, syntax: x12, delimiters: {element: ab}, " + SIDES + "}",
         "1:56: error: delimiters.element: expected one character that is no letter or digit, got 'ab'"),
        ("acme: {system: van, syntax: edifact, time_zone: Europe/Brusels, " + SIDES + "}",
         "1:49: error: time_zone: unknown zone 'Europe/Brusels'; did you mean 'Europe/Brussels'?"),
        ("acme: {system: van, syntax: x12, numbers: {digits: 3}, " + SIDES + "}",
         "1:52: error: numbers.digits: those of X12 have the length its standard says; take it out"),
        ("acme: {system: van, syntax: edifact, numbers: {interchange: 0}, " + SIDES + "}",
         "1:61: error: numbers.interchange: expected 1 to 999999999, got 0"),
        ("acme: {system: van, syntax: x12, agreement: EANCOM, " + SIDES + "}",
         "1:34: error: agreement: a setting of edifact, and partner 'acme' speaks x12; take it out"),
        ("acme: {system: van, syntax: edifact, application_reference: 'ORDERS AND {type}', " + SIDES + "}",
         "1:61: error: application_reference: at most 14 characters, got 'ORDERS AND {type}'"),
        ("acme: {system: van, syntax: x12, ack: {contrl: always}, " + SIDES + "}",
         "1:40: error: ack.contrl: an acknowledgement of edifact, and partner 'acme' speaks x12; write 997, 999, ta1, "
         "824"),
        ("acme: {system: van, syntax: edifact, ack: {997: always}, " + SIDES + "}",
         "1:44: error: ack.997: an acknowledgement of x12, and partner 'acme' speaks edifact; write contrl, aperak"),
        ("acme: {system: van, syntax: edifact, ack: {contrl: allways}, " + SIDES + "}",
         "1:52: error: ack.contrl: expected always, on_error or never, got 'allways'; did you mean 'always'?"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place(text, fault):
    assert load(text)[1] == [f"config/partners.yaml:{fault}"]


def test_two_partners_that_no_interchange_tells_apart_are_a_fault():
    _, faults = load(
        f"acme: {{system: van, syntax: edifact, {SIDES}}}\ncoop: {{system: van, syntax: edifact, {SIDES}}}\n"
        f"x: {{system: van, syntax: x12, {SIDES}}}\n"
    )
    assert faults == [
        "config/partners.yaml:2:71: error: partner 'coop' has the same us: and them: as partner 'acme'; an interchange "
        "could not tell which of them sent it"
    ]


def test_the_example_of_the_guide_is_sound():
    page = (ROOT / "docs/how-to/partners.md").read_text()
    shown = page.partition("```yaml\n")[2].partition("```")[0]
    partners, faults = load(shown)
    assert faults == []
    assert [partner.syntax for partner in partners.values()] == ["edifact", "x12"]


@pytest.mark.parametrize("order", [*permutations(("house", "branch", "desk"))])
def test_an_interchange_is_the_partners_with_most_said_about_where_within_the_house(order):
    said = {"house": ("", ""), "branch": ("", "NORTH"), "desk": ("SALES", "NORTH")}
    partners, faults = load("\n".join(house(name, *said[name]) for name in order))
    assert faults == []

    def whose(ours, theirs):
        return Partners(partners.values()).whose(interchange(ours, theirs)).name

    came = [("SALES", "NORTH"), ("", "NORTH"), ("STORES", "NORTH"), ("SALES", "SOUTH"), ("", "")]
    assert [whose(*sides) for sides in came] == ["desk", "branch", "branch", "house", "house"]


@pytest.mark.parametrize("first", ["branch", "desk"])
def test_of_two_partners_with_as_much_said_an_interchange_is_the_firsts(first):
    said = {"branch": ("", "NORTH"), "desk": ("SALES", "")}
    order = sorted(said, key=lambda name: name != first)
    partners, faults = load("\n".join(house(name, *said[name]) for name in order))
    assert faults == []
    assert Partners(partners.values()).whose(interchange("SALES", "NORTH")).name == first


def test_an_interchange_of_another_syntax_qualifier_or_side_is_nobodys():
    partners, _ = load(house("acme"))
    strangers = [
        interchange("", "", syntax="x12"),
        interchange("", "", qualifier="14"),
        interchange("", "", them="4012345000009", us="5412345000013"),
    ]
    assert [Partners(partners.values()).whose(came) for came in strangers] == [None] * 3


def test_whose_an_interchange_is_is_not_searched_for_each_time():
    class Walked(Partners):
        times = 0

        def __iter__(self):
            self.times += 1
            return super().__iter__()

    partners = Walked(load(house("acme"))[0].values())
    assert {partners.whose(interchange("", "")).name for _ in range(100)} == {"acme"}
    assert partners.times == 1


def house(name, ours="", theirs=""):
    us, them = (f'{{id: "{id}", internal: "{at}"}}' for id, at in (("4012345000009", ours), ("5412345000013", theirs)))
    return f"{name}: {{system: van, syntax: edifact, us: {us}, them: {them}}}"


def interchange(ours, theirs, them="5412345000013", us="4012345000009", qualifier="", syntax="edifact"):
    sender, receiver = Party(them, qualifier, theirs), Party(us, "", ours)
    return Interchange(syntax, Delimiters("+", ":", "'"), [], 0, sender, receiver)
