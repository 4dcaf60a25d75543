"""Typing mistakes in routes and in the files under config/."""

from __future__ import annotations

import re
from random import Random

from tests.mutants.in_expressions import one_of, put
from tests.mutants.places import Pair, pairs
from tests.mutants.typing_slips import mistyped

_NAMES = (
    "route",
    "description",
    "name",
    "street_name",
    "city_name",
    "electronic_mail",
    "telephone",
)  # say what they like


def _misspelt(text: str, pair: Pair | None, rng: Random) -> str | None:
    if pair is None or not pair.value:
        return None
    quotes = int(pair.is_quoted)
    return put(text, pair.value_start + quotes, pair.value_end - quotes, mistyped(pair.value, rng))


def _valued(text: str, *keys: str) -> list[Pair]:
    return [pair for pair in pairs(text) if pair.key in keys and pair.value]


def misspell_key(text: str, rng: Random) -> str | None:
    """A key is mistyped: evnt, conect, tmie_zone. Names of systems are an operator of their own."""
    pair = one_of((pair for pair in pairs(text) if pair.path or ": " in text[pair.end : pair.end + 2]), rng)
    return pair and put(text, pair.start, pair.end, mistyped(pair.key, rng))


def misspell_system(text: str, rng: Random) -> str | None:
    """The name of a system is mistyped where a route names it, or where it stands in the configuration."""
    named = _valued(text, "system")
    if named:
        return _misspelt(text, one_of(named, rng), rng)
    pair = one_of((pair for pair in pairs(text) if pair.value is None and pair.path in ((), ("systems",))), rng)
    return pair and put(text, pair.start, pair.end, mistyped(pair.key, rng))


def misspell_mapping(text: str, rng: Random) -> str | None:
    """The name of a mapping is mistyped."""
    return _misspelt(text, one_of(_valued(text, "map"), rng), rng)


def misspell_event(text: str, rng: Random) -> str | None:
    """The name of an event is mistyped: orders/craete."""
    return _misspelt(text, one_of(_valued(text, "event"), rng), rng)


def misspell_choice(text: str, rng: Random) -> str | None:
    """A word of which there are a few is mistyped: per_kye, ntive, bearre, shopfy."""
    choices = (
        "order",
        "on_error",
        "connector",
        "preset",
        "format",
        "type",
        "mode",
        "time_zone",
        "broker",
        "party_type",
    )
    return _misspelt(text, one_of(_valued(text, *choices), rng), rng)


def swap_systems(text: str, rng: Random) -> str | None:
    """The systems of two targets of a route are exchanged."""
    return _exchanged(text, re.compile(r"- \{system: ([\w-]+)"), rng)


def swap_mappings(text: str, rng: Random) -> str | None:
    """The mappings of two targets of a route are exchanged, or that of a target with that of its answer."""
    return _exchanged(text, re.compile(r"map: ([\w-]+)"), rng)


def _exchanged(text: str, pattern: re.Pattern[str], rng: Random) -> str | None:
    found = list(pattern.finditer(text))
    pairs_of = [(one, other) for one in found for other in found if one.start() < other.start() and one[1] != other[1]]
    chosen = one_of(pairs_of, rng)
    if chosen is None:
        return None
    one, other = chosen
    return put(put(text, other.start(1), other.end(1), one[1]), one.start(1), one.end(1), other[1])


def break_after(text: str, rng: Random) -> str | None:
    """after: names no target, the target itself, or one that waits for it."""
    changed = [
        re.sub(r"after: erp", f"after: {name}", text)
        for name in (mistyped("erp", rng), "wms", "order-to-erp", "webshop")
    ]
    changed += [re.sub(r"(map: order-to-erp)(, reply)", r"\1, after: wms\2", text, count=1)]
    changed += [re.sub(r"on_error: skip", f"after: {name}", text) for name in ("wms", "crm")]
    return rng.choice(changed)


_IMPOSSIBLE = (
    "src.channel == 'ECOMMERCE'", "src.channel == 'shop-{n}'", "src.document_currency_code == 'EURO'",
    "src.document_currency_code == 'eur'", "src.order_id == {n}", "src.delivery_location == 'yes'",
    "has(src.delivery_location) == 'true'", "count(src.order_lines) < 0", "count(src.order_lines) == '1'",
    "src.channel == 'ecommerce' and src.channel == 'edi'",
    "has(src.delivery_location) and not has(src.delivery_location)",
    "src.order_lines == 1", "src.anticipated_monetary_total.payable_amount > {n}",
    "src.anticipated_monetary_total.payable_amount.amount > {n}", "dec(src.order_id) > 5 and dec(src.order_id) < 5",
    "src.buyer.party_type == 'company'", "src.buyer.party_type in ['company', 'firm']",
    "src.issue_date == 2026", "'FR' in src.buyer.postal_address", "src.delivery_location.country_code == 'FR'",
    "src.delivery_location.address.country_code == 'France'", "src.order_lines.item.item_type == 'goods'",
)  # fmt: skip


def impossible_when(text: str, rng: Random) -> str | None:
    """when: is a condition that no order fulfils: a code in the wrong case, a number that is text, both at once."""
    condition = rng.choice(_IMPOSSIBLE).format(n=rng.randrange(1, 1000))
    return text.replace("when: has(src.delivery_location)", f'when: "{condition}"')


def misspell_when(text: str, rng: Random) -> str | None:
    """A word of the condition is mistyped."""
    words = list(re.finditer(r"\w+", "has(src.delivery_location)"))
    word = rng.choice(words)
    changed = put("has(src.delivery_location)", word.start(), word.end(), mistyped(word[0], rng))
    return text.replace("has(src.delivery_location)", changed)


_KEYS = ("src.ordr_id", "'src.order_id'", "'order_id'", "src.order_lines", "src.buyer", "order_id", "envelope.order_id",
         "src.order_id.value", "src.order_lines.line_id", "src[order_id]", "src.orderId", "count(src.order_id)",
         "true", "1001", "src.order_id ==", "src.order_id + 1", "envelope.key", "src.buyer.id")  # fmt: skip


def wrong_lane_key(text: str, rng: Random) -> str | None:
    """key: is mistyped, the same for every document, or no text: lanes of everything, or of nothing."""
    at = rng.choice(["  order: per_key\n", "  map: csv-order\n"])
    return text.replace(at, f'{at}  key: "{rng.choice(_KEYS)}"\n')


_UNITS = (
    (r"\b(\d+)s\b", ["{}sec", "{} s", "{}S", "{}", "{}seconds"]),
    (r"\b(\d+)m\b", ["{}min", "{} m", "{}", "{}M"]),
    (r"\b(\d+)d\b", ["{} days", "{}D", "{}", "{}days"]),
    (r"\b(\d+)MB\b", ["{}mb", "{} MB", "{}M", "{}MiB"]),
)


def wrong_unit(text: str, rng: Random) -> str | None:
    """A duration or a size has a unit that is none, or none at all: 10sec, 90 days, 5."""
    found = [(match, forms) for pattern, forms in _UNITS for match in re.finditer(pattern, text)]
    chosen = one_of(found, rng)
    return chosen and put(text, chosen[0].start(), chosen[0].end(), rng.choice(chosen[1]).format(chosen[0][1]))


def wrong_number(text: str, rng: Random) -> str | None:
    """A number is written as a word, with a decimal too many, or below what it may be."""
    found = re.finditer(r"(?:attempts|factor|concurrency): (\d+)", text)
    match = one_of(found, rng)
    return match and put(
        text, match.start(1), match.end(1), rng.choice(["many", "0", "-1", "3x", "eight", "8.5.1", ""])
    )


def write_secret_out(text: str, rng: Random) -> str | None:
    """A secret stands in the file instead of a reference to it."""
    match = one_of(re.finditer(r"(?<!reference: )secret://\w+/\w+(?! or)", text), rng)
    return match and put(
        text, match.start(), match.end(), rng.choice(["hunter2", "shpss_0a1b2c3d4e5f", "s3cr3t!", "Zm9vYmFy"])
    )


def break_secret(text: str, rng: Random) -> str | None:
    """The reference to a secret is mistyped."""
    match = one_of(re.finditer(r"(?<!reference: )secret://(\w+)/(\w+)(?! or)", text), rng)
    forms = ["secret:/{0}/{1}", "secret://{1}", "secrets://{0}/{1}", "secret//{0}/{1}", "secret://evn/{1}", "${{{1}}}",
             "{0}/{1}", "secret://{0}/", "secret://{0}:{1}"]  # fmt: skip
    return match and put(text, match.start(), match.end(), rng.choice(forms).format(match[1], match[2]))


def break_address(text: str, rng: Random) -> str | None:
    """An address is mistyped: its scheme is lost or misspelt, its port is no number."""
    match = one_of(re.finditer(r"(http)(://)([\d.]+):(\d+)", text), rng)
    forms = ["{3}:{4}", "htp{2}{3}:{4}", "http:/{3}:{4}", "http{2}{3}:{4}x", "http//{3}:{4}", "http{2}:{4}", "http {3}"]
    return match and put(text, match.start(), match.end(), rng.choice(forms).format(match[0], *match.groups()))


def drop_setting(text: str, rng: Random) -> str | None:
    """The line of a setting that its system cannot be without is lost."""
    match = one_of(re.finditer(r"^  (connector|root|base_url|preset|verify|fetch): .*\n", text, re.MULTILINE), rng)
    return match and put(text, match.start(), match.end(), "")


def swap_digits(text: str, rng: Random) -> str | None:
    """Two digits of an identifier are exchanged: a GLN, a VAT number, a postal code is spared."""
    match = one_of(re.finditer(r'(?:id: "|vat_id: DE)(\d{9,})', text), rng)
    if match is None:
        return None
    places = [at for at in range(len(match[1]) - 1) if match[1][at] != match[1][at + 1]]
    at = match.start(1) + rng.choice(places)
    return put(text, at, at + 2, text[at + 1] + text[at])


def double_key(text: str, rng: Random) -> str | None:
    """A line of settings stands twice."""
    match = one_of(re.finditer(r"^ *[\w-]+: .+\n", text, re.MULTILINE), rng)
    return match and put(text, match.end(), match.end(), match[0])


def move_setting(text: str, rng: Random) -> str | None:
    """A line of settings stands two blanks further in or out than it should."""
    match = one_of(re.finditer(r"^  [ \w-]+: .*\n", text, re.MULTILINE), rng)
    return match and put(text, match.start(), match.end(), rng.choice([f"  {match[0]}", match[0][2:]]))


def drop_brace(text: str, rng: Random) -> str | None:
    """A brace, a bracket or a comma between settings is lost."""
    match = one_of(re.finditer(r"[{}\[\]]|, ", text), rng)
    return match and put(text, match.start(), match.end(), " " * (match[0] == ", "))
