"""Parties, agents, accounts and addresses, as all messages of ISO 20022 have them."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import msgspec

from hub.formats._iso_kinds import Choice, Words
from hub.formats._iso_tables import NEVER, Flat, Group, Item, Read, Text, compiled, fill, table
from hub.formats._iso_values import Into, Tell, Writer, children, content, local, mapped, named, text_of
from hub.formats._xml import Element

_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[a-zA-Z0-9]{1,30}")

_SCHEMES = re.compile(r"(?!SEPA)[A-Z0-9]{1,4}")  # SEPA is no code of ISO's list
ADDRESS = table(
    Item("Dept", "department", Text(70)),
    Item("SubDept", "sub_department", Text(70)),
    Item("StrtNm", "street_name", Text(70), until=7),
    Item("StrtNm", "street_name", Text(140), since=8),
    Item("BldgNb", "building_number", Text(16)),
    Item("BldgNm", "building_name", Text(35), since=8),
    Item("Flr", "floor", Text(70), since=8),
    Item("PstBx", "post_box", Text(16), since=8),
    Item("Room", "room", Text(70), since=8),
    Item("PstCd", "postal_zone", Text(16)),
    Item("TwnNm", "city_name", Text(35), until=7),
    Item("TwnNm", "city_name", Text(140), since=8),
    Item("TwnLctnNm", "city_subdivision_name", Text(35), since=8),
    Item("DstrctNm", "district", Text(35), since=8),
    Item("CtrySubDvsn", "country_subentity", Text(35)),
    Item("Ctry", "country_code", Text(2)),
    Item("AdrLine", "lines", Words(70)),
    skipped="AdrTp CareOf UnitNb",
)
_OTHER_ID = table(
    Item("Id", "id", Text(35)), Item("SchmeNm", "scheme_code", Choice(_SCHEMES)), Item("Issr", "issuer", Text(35))
)  # fmt: skip


class FirstId(Flat, frozen=True):
    """The identification of a party: of several the first, none of whose parts another one may change."""

    repeats: ClassVar = True

    def reader(self, name: str, namespace: str) -> Read:
        every = Flat(self.table).reader(name, namespace)

        def read(element: Element, into: Into, tell: Tell) -> None:
            inner: Into = {}
            every(element, inner, tell)
            if "id" not in into:
                into.update(inner)

        return read


_ORGANISATION = table(
    Item("BICOrBEI", "bic", Text(11), until=2),
    Item("AnyBIC", "bic", Text(11), since=3),
    Item("LEI", "lei", Text(20), since=8),
    Item("Othr", "", FirstId(_OTHER_ID)),
)
_PERSON = table(Item("Othr", "", FirstId(_OTHER_ID)), skipped="DtAndPlcOfBirth")
_PARTY_ID = table(Item("OrgId", "", Flat(_ORGANISATION)), Item("PrvtId", "", Flat(_PERSON), since=NEVER))
PERSON_ID = table(Item("PrvtId", "", Flat(_PERSON)), skipped="OrgId")

_INSTITUTION = table(
    Item("BIC", "bic", Text(11), until=2),
    Item("BICFI", "bic", Text(11), since=3),
    Item("ClrSysMmbId", "", Flat(table(
        Item("ClrSysId", "clearing_system_code", Choice(re.compile(r"[A-Z0-9]{1,5}"))),
        Item("MmbId", "clearing_id", Text(35)),
    ))),
    Item("LEI", "lei", Text(20), since=8),
    Item("Nm", "name", Text(140)),
    Item("PstlAdr", "address", Group(ADDRESS)),
    Item("Othr", "", Flat(table(Item("Id", "id", Text(35)), skipped="SchmeNm Issr"))),
)  # fmt: skip
AGENT = table(Item("FinInstnId", "", Flat(_INSTITUTION)), skipped="BrnchId")
PARTY = table(
    Item("Nm", "name", Text(140)),
    Item("PstlAdr", "address", Group(ADDRESS)),
    Item("Id", "", Flat(_PARTY_ID)),
    Item("CtryOfRes", "country_of_residence", Text(2)),
    skipped="CtctDtls",
)
# From version 07 of the statements on, a party of a transaction may be an agent, and stands within one element more.
EITHER = table(*PARTY.items, Item("Pty", "", Flat(PARTY)), Item("Agt", "", Flat(AGENT)), skipped="CtctDtls")


class Party(msgspec.Struct, frozen=True):
    """A party of a transaction. ``wrapped_since``: the version from which it stands within ``Pty``."""

    wrapped_since: int = NEVER

    def reader(self, name: str, namespace: str) -> Read:
        readers = compiled(EITHER, namespace)

        def read(element: Element, into: Into, tell: Tell) -> None:
            inner: Into = {}
            fill(readers, children(element), inner, tell)
            if inner:
                into[name] = inner

        return read

    def write(self, tag: str, value: Any, out: Writer) -> None:
        tags = (tag, "Pty") if out.version >= self.wrapped_since else (tag,)
        out.pieces += [f"<{each}>" for each in tags]
        PARTY.write(mapped(value, out), out)
        out.pieces += [f"</{each}>" for each in reversed(tags)]


class NamedParty(Flat, frozen=True):
    """The same whose name is a field of the transaction itself, ``debtor_name``, and all else in ``debtor``."""

    role: str = ""
    wrapped_since: int = NEVER

    def reader(self, name: str, namespace: str) -> Read:
        readers, role, role_name = compiled(EITHER, namespace), self.role, f"{self.role}_name"

        def read(element: Element, into: Into, tell: Tell) -> None:
            inner: Into = {}
            fill(readers, children(element), inner, tell)
            if "name" in inner:
                into[role_name] = inner.pop("name")
            if inner:
                into[role] = inner

        return read

    def names(self, version: int) -> frozenset[str]:
        return frozenset((self.role, f"{self.role}_name"))

    def write(self, tag: str, value: Any, out: Writer) -> None:
        name, more = value.get(f"{self.role}_name"), mapped(value.get(self.role) or {}, out)
        if name is not None or more:
            out.path.append(self.role)
            Party(self.wrapped_since).write(tag, {**more, **({"name": name} if name is not None else {})}, out)
            out.path.pop()


class NamedAgent(Flat, frozen=True):
    """A bank of a transaction, whose BIC is a field of the transaction, ``debtor_bic``, and all else ``debtor_agent``.
    ``or_not_provided``: where there is none it is written as such, since it must stand there."""

    role: str = ""
    or_not_provided: bool = False

    def reader(self, name: str, namespace: str) -> Read:
        readers, role, role_bic = compiled(AGENT, namespace), f"{self.role}_agent", f"{self.role}_bic"

        def read(element: Element, into: Into, tell: Tell) -> None:
            inner: Into = {}
            fill(readers, children(element), inner, tell)
            if inner.get("id") == "NOTPROVIDED":
                del inner["id"]
            if "bic" in inner:
                into[role_bic] = inner.pop("bic")
            if inner:
                into[role] = inner

        return read

    def names(self, version: int) -> frozenset[str]:
        return frozenset((f"{self.role}_agent", f"{self.role}_bic"))

    def write(self, tag: str, value: Any, out: Writer) -> None:
        bic, more = value.get(f"{self.role}_bic"), mapped(value.get(f"{self.role}_agent") or {}, out)
        if bic is not None:
            more = {**more, "bic": bic}
        if not more and self.or_not_provided:
            more = {"id": "NOTPROVIDED"}
        if more:
            out.path.append(f"{self.role}_agent")
            Group(AGENT).write(tag, more, out)
            out.path.pop()


class AccountNumber(msgspec.Struct, frozen=True):
    """An IBAN, or the bank's own number of an account where it has none: the children of ``Id``."""

    def reader(self, name: str, namespace: str) -> Read:
        iban = named("IBAN", namespace)

        def read(element: Element, into: Into, tell: Tell) -> None:
            for child in children(element):
                if child.tag == iban:
                    text = content(child, tell)
                    known = text.replace(" ", "").upper()
                    if known != text:
                        tell(child, "iban", f"the IBAN is written '{text[:50]}'", seen=text[:50], expected=known[:34])
                    if known:
                        into[name] = known
                else:
                    leaf = next((leaf for leaf in child if local(leaf) == "Id" and leaf.text), None)
                    if inner := content(leaf, tell) if leaf is not None else (child.text or "").strip():
                        into.setdefault(name, inner)

        return read

    def write(self, tag: str, value: Any, out: Writer) -> None:
        text = text_of(value, out)
        out.open(tag)
        if _IBAN.fullmatch(text):
            out.leaf("IBAN", text)
        else:
            out.open("Othr")
            Text(34).write("Id", text, out)
            out.close("Othr")
        out.close(tag)
