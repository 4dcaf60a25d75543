"""What partners prove themselves with, compared with their secrets, and what we prove ourselves with, put in when it is
sent. Only the process that stores and sends knows the secrets; what it tells holds none of them."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection, MutableMapping, Sequence

import msgspec
from msgspec.structs import replace

from connectors._discretion import forms_of
from connectors.base import REFUSED, Parcel, Verdict
from hub.errors import UsageError
from hub.formats._acks import for_another_reason
from hub.formats._edi_marks import MARK, filled_proofs
from hub.formats._edi_proofs import PLACES, fault_of
from hub.message import Came
from hub.outcome import Failure
from hub.partners import Identity, Partner
from hub.pipeline.deliver import Sent
from hub.pipeline.program import Program
from hub.pipeline.transformed import Transformed
from hub.secret import Secret

Resolve = Callable[[Secret], str]  # raises UsageError that names the reference
_END = 1 << 62
_MARK = MARK.encode()
_SEPARATORS = ("element", "component", "terminator", "release", "repetition")
_WRONG = ("is missing", "is wrong", "has another qualifier than was agreed on")


# -- theirs --------------------------------------------------------------------------------------------------------


def without_impostors(parts: Sequence[Transformed], program: Program, resolve: Resolve) -> list[Transformed]:
    """The parts with a dead letter for each interchange that does not prove its sender. Its number is not used."""
    found = []
    for part in parts:
        for came in part.came:
            partner = program.settings.partners.get(came.partner)
            if came.shown and partner is not None and (wrong := _wrong(partner, came, resolve)):
                part = _refused(part, came, *wrong)
        found.append(part)
    return found


def _wrong(partner: Partner, came: Came, resolve: Resolve) -> tuple[Failure, bytes] | None:
    """Why it is refused, and what its sender is told; None where all is right."""
    for kind, value, qualifier in came.shown:
        secret, wanted = _agreed(partner.them, kind)
        if secret is None:
            continue
        place = PLACES[partner.syntax][kind]
        try:
            expected = _value(secret, place.most, place.name, resolve)
        except UsageError as error:
            return _failure(came, str(error), "put the secret there, then replay this from the start"), b""
        is_right = hmac.compare_digest(value.encode(), expected.encode())
        number = 0 if not value else 1 if not is_right else 2 if wanted and qualifier != wanted else -1
        if number >= 0:
            told = b""
            if came.refusal:
                fault = fault_of(partner.syntax, kind, number)
                told = msgspec.json.encode(for_another_reason(msgspec.json.decode(came.refusal), fault))
            hint = (
                f"ask partner '{partner.name}' whether it has sent this; correct its them.{kind} in "
                "config/partners.yaml or the secret, then replay this from the start"
            )
            return _failure(came, f"its {kind} ({place.name}) {_WRONG[number]}", hint), told
    return None


def _agreed(identity: Identity, kind: str) -> tuple[Secret | None, str]:
    if kind == "password":
        return identity.password, identity.password_qualifier
    return identity.authorization, identity.authorization_qualifier


def _value(secret: Secret, most: int, name: str, resolve: Resolve) -> str:
    value = resolve(secret).rstrip(" ")
    if len(value) > most or not value.isprintable():
        raise UsageError(f"{secret}: {name} holds at most {most} characters that can be printed")
    return value


def _failure(came: Came, detail: str, hint: str) -> Failure:
    text = f"interchange {came.number} of partner '{came.partner}' is not taken in: {detail}"
    return Failure("auth", "sender_not_proved", text, step="decode", hint=hint).printed(came.partner)


def _refused(part: Transformed, came: Came, failure: Failure, told: bytes) -> Transformed:
    end = min((begin for begin in part.begins if begin > came.position), default=_END)
    here = [m for m in part.messages if came.position <= m.position < end]
    left = part.without({m.message_id for m in here})
    left = replace(left, came=[each for each in part.came if each != came])
    if not here or came.position not in part.begins:  # a large one comes in several parts, and is told of once
        return left
    dead = replace(
        here[0], position=came.position, place=f"interchange {came.number}", event="", route="", main_key="", keys=(),
        state="dead", failure=failure.as_dict(), fingerprint=failure.fingerprint,
    )  # fmt: skip
    refused = [*part.refused, (came, dead.message_id, told)] if told else part.refused
    return replace(left, messages=sorted([*left.messages, dead], key=lambda m: m.position), refused=refused)


# -- ours ----------------------------------------------------------------------------------------------------------


def proved(
    parcels: Sequence[Parcel], under_way: MutableMapping[str, Sent], resolve: Resolve | None
) -> tuple[list[Parcel], list[tuple[Parcel, Verdict]]]:
    """The parcels as they are sent, and those that are not since a secret is not there, or cannot stand where it
    belongs. What is under way learns which secrets stand in it. Without ``resolve``, as in a trial, stars stand for
    secrets."""
    ready, refused = list[Parcel](), list[tuple[Parcel, Verdict]]()
    for parcel in parcels:
        # Only what goes to partners is looked at: bytes of any other kind may hold what looks like a mark.
        if _MARK in parcel.body and (partner := (sent := under_way[parcel.delivery_id]).target.partner) is not None:
            entered = set[str]()
            try:
                parcel = replace(parcel, body=_entered(parcel, partner, resolve, entered))
            except UsageError as error:
                refused.append((parcel, Verdict(REFUSED, "no_secret", f"not sent: {error}")))
                continue
            under_way[parcel.delivery_id] = replace(sent, secrets=frozenset(entered))
        ready.append(parcel)
    return ready, refused


def hidden(verdict: Verdict, secrets: Collection[str]) -> Verdict:
    """The same with stars for the secrets: a receiver may send back what it was sent, as it is or in another form."""
    if not secrets:
        return verdict
    forms = {form for secret in secrets for form in (secret.encode(), *forms_of(secret))}
    detail, response = verdict.detail.encode("utf-8", "replace"), verdict.response
    for form in sorted(forms, key=len, reverse=True):
        detail, response = detail.replace(form, b"***"), response.replace(form, b"***")
    return replace(verdict, detail=detail.decode(), response=response)


def _entered(parcel: Parcel, partner: Partner, resolve: Resolve | None, entered: set[str]) -> bytes:
    def proof(kind: str) -> bytes:
        if resolve is None:
            return b"***"
        secret, _ = _agreed(partner.us, kind)
        if secret is None:
            raise UsageError(f"the bytes were made with a us.{kind} of partner '{partner.name}', which is gone")
        plain, written = _writable(secret, kind, partner, resolve)
        entered.update({plain, written} - {""})
        return written.encode()

    return filled_proofs(parcel.body, proof)


def _writable(secret: Secret, kind: str, partner: Partner, resolve: Resolve) -> tuple[str, str]:
    """A proof, and as it stands between the delimiters."""
    place, d = PLACES[partner.syntax][kind], partner.delimiters
    value = _value(secret, place.most, place.name, resolve)
    separators = {str(d[name]) for name in _SEPARATORS} - {""}
    if not value.isascii() or (separators & set(value) and not d["release"]):
        raise UsageError(f"{secret}: {place.name} holds ASCII characters, in X12 none that is a delimiter")
    return value, "".join(f"{d['release']}{char}" if char in separators else char for char in value)
