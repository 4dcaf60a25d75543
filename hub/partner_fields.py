"""The keys of ``config/partners.yaml``, as a table: lint, JSON Schema and reference page are made from it."""

from __future__ import annotations

from connectors.base import Field

SYNTAXES = ("edifact", "x12")
LEVELS = tuple(f"UNO{letter}" for letter in "ABCDEFGHIJKLWXY")
X12_CHARSETS = ("basic", "extended", "ascii", "latin-1", "utf-8")


def _party(whose: str) -> tuple[Field, ...]:
    return (
        Field("id", "text", f"{whose} identification, as it stands in UNB or ISA.", required=True),
        Field("qualifier", "text", "What kind of identification it is: 14 (EDIFACT) or 08 (X12) for a GLN, ZZ for one "
              "that both agreed on; none: as the other side leaves it out.", default=""),
        Field("internal", "text", "EDIFACT: an address within its house (S002 0008, S003 0014); none: any that no "
              "other partner has.", default=""),
        Field("group", "text", "X12: the code in GS02 or GS03; none: the id.", default=""),
        Field("password", "secret", f"What proves that it is {whose.lower()} interchange: EDIFACT UNB 0022 (S005), X12 "
              "ISA04."),
        Field("password_qualifier", "text", "What it is: UNB 0025, AA (a reference) or BB (a password), none: it "
              "is not said; ISA03, none: 01.", default=""),
        Field("authorization", "secret", "X12: ISA02."),
        Field("authorization_qualifier", "text", "X12: ISA01; none: 03.", default=""),
    )  # fmt: skip


FIELDS = (
    Field("system", "text", "The system its interchanges come from and go to; several partners may share one.",
          required=True),
    Field("description", "text", "Who it is, in your own words.", default=""),
    Field("syntax", "choice", "The language of its interchanges.", required=True, choices=SYNTAXES),
    Field("us", "group", "Who we are to this partner: the receiver of what it sends, the sender of what we send.",
          required=True, fields=_party("Our")),
    Field("them", "group", "Who it is: the sender of what it sends.", required=True, fields=_party("Its")),
    Field("version", "text", "What our interchanges are written in: the EDIFACT syntax version, 1 to 4 (none: 3), or "
          "the X12 interchange version, e.g. 00401 or 00501 (none: 00401).", default=""),
    Field("directory", "text", "The release that it trades in: D96A or 004010, with the association code of UNH behind "
          "a blank (D96A EAN008) or what follows in GS08 (004010VICS). Our messages are of it where their mapping is "
          "right for it.", default=""),
    Field("application_reference", "text", "EDIFACT: what stands in UNB as 0026 of what we send; {type} is the message "
          "type.", default=""),
    Field("agreement", "text", "EDIFACT: what stands in UNB as 0032 of what we send, such as EANCOM.", default=""),
    Field("charset", "text", "EDIFACT: the syntax level of ours, UNOA to UNOY (none: UNOC); it says its own. X12, both "
          "ways: basic (capitals, digits, usual marks), extended (small letters and the other marks, too), ascii, "
          "latin-1 or utf-8 (none: utf-8).", default=""),
    Field("delimiters", "group", "The characters our interchanges separate with; none: those of the standard.", fields=(
        Field("element", "text", "Between elements: + or *.", default=""),
        Field("component", "text", "Between components: a colon or >.", default=""),
        Field("terminator", "text", "Behind a segment: ' or ~.", default=""),
        Field("release", "text", "EDIFACT: before a character that is data: ?.", default=""),
        Field("repetition", "text", "Between repetitions, where the version has them: * or ^.", default=""),
        Field("line_end", "boolean", "Whether each segment ends its line.", default=False),
    )),
    Field("strict", "boolean", "What else is read as meant (an ISA that is not padded, characters that the envelope or "
          "charset: does not announce, a line end within a segment) makes a dead letter of the message, or of the "
          "interchange where its header has it, and is told in the acknowledgement.", default=False),
    Field("overlays", "map", "The grammar of messages that deviate, by message type: ORDERS: edifact/acme/ORDERS.",
          default={}, fields=(Field(""),)),
    Field("time_zone", "text", "The zone of its dates (IANA name); none: the hub's.", default=""),
    Field("test", "boolean", "It is a partner to try things with: what we send carries the test flag, and what comes "
          "without it is held.", default=False),
    Field("wrong_test_flag", "choice", "What becomes of a test interchange of a partner that is none to test with, and "
          "of a real one of a test partner: refuse makes a dead letter of it, accept takes it in.", default="refuse",
          choices=("refuse", "accept")),
    Field("same_number", "choice", "What becomes of an interchange with a control number that came before, and other "
          "content: refuse makes a dead letter of it, accept takes it in. The same content is a repeat and left out.",
          default="refuse", choices=("refuse", "accept")),
    Field("same_document", "choice", "What becomes of a document that is the same in every field as one that came "
          "before, under another control number: refuse makes a dead letter of it, accept takes it in.",
          default="refuse", choices=("refuse", "accept")),
    Field("bad_envelope", "choice", "What becomes of the messages of an interchange whose envelope is at fault (a "
          "trailer is missing, a count is wrong): accept takes in those that are good, and the others once they come, "
          "under the same control number; refuse holds all of them.",
          default="accept", choices=("refuse", "accept")),
    Field("ack", "group", "How its interchanges are acknowledged, and until when it must acknowledge ours. What is at "
          "fault by its syntax is told; acknowledgements are not acknowledged.", fields=(
        *(Field(name, "choice", text, default="never", choices=("always", "on_error", "never")) for name, text in (
            ("contrl", "EDIFACT: a CONTRL for each interchange."),
            ("997", "X12: a 997 for each group, in its version."),
            ("999", "X12 005010: a 999 for each group."),
            ("ta1", "X12: a TA1 for each interchange."),
            ("aperak", "EDIFACT: an APERAK for each message, once it is known what became of it by its content."),
            ("824", "X12: an 824 for each message, once it is known what became of it by its content."),
        )),
        Field("within", "duration", "Its CONTRL, 997 or 999 must come so long after ours was delivered, else it is a "
              "dead letter; none: nothing is awaited."),
    )),
    Field("numbers", "group", "The control numbers of what we send.", fields=(
        Field("interchange", "integer", "The first interchange control number.", default=1),
        Field("group", "integer", "The first group control number.", default=1),
        Field("message", "integer", "The first message reference.", default=1),
        Field("digits", "integer", "EDIFACT: leading zeros make numbers so long; 0: none. Those of X12 are as its "
              "standard says.", default=0),
    )),
)  # fmt: skip
