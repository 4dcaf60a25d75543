"""Partners that acknowledge and want to be acknowledged, and what went to them and came from them."""

from __future__ import annotations

from trading import PARTNERS, Trade, purchase

EDIFACT_ACK = b"  directory: D96A\n  ack: {contrl: always, within: 24h}\n"
X12_ACK = b'  directory: "004010"\n  ack: {"997": always, ta1: always, within: 2h}\n'
ACKING = PARTNERS.replace(b"  directory: D96A\n", EDIFACT_ACK).replace(b'  directory: "004010"\n', X12_ACK)


def sent(trade: Trade, kind: str) -> list[str]:
    """The interchanges that went out with this message or segment in them, from behind their envelope's header."""
    bodies = [parcel.body.decode() for parcel in trade.target("van").sent]
    return [body[body.index(kind) :] for body in bodies if kind in body]


def acks(trade: Trade) -> list[tuple[int, str]]:
    return trade.rows(
        "SELECT interchange, ack FROM interchanges_sent WHERE ack_within IS NOT NULL ORDER BY interchange"
    )


def carrier(trade: Trade) -> str:
    """What a rejection says of the answer that was rejected."""
    [(type, delivery)] = trade.rows("SELECT type, delivery_id FROM interchanges_sent WHERE ack_within IS NOT NULL")
    return f"; it went as {type}, delivery {delivery}"


def contrl(number: str, *of: int, action: str = "7", more: str = "") -> bytes:
    """An interchange of acme that acknowledges ours."""
    sides, count = "4012345000009:14+5412345000013:14", 3 + more.count("'")
    messages = "".join(
        f"UNH+{n}+CONTRL:D:3:UN'UCI+{ours}+{sides}+{action}'{more}UNT+{count}+{n}'" for n, ours in enumerate(of, 1)
    )
    head = f"UNB+UNOC:3+5412345000013:14+4012345000009:14+260305:0930+{number}'"
    return f"{head}{messages}UNZ+{len(of)}+{number}'".encode()


def functional(number: int, body: str, count: int, kind: str = "997") -> bytes:
    """An interchange of northwind with a 997, or a 999."""
    isa = purchase(number).partition(b"GS*")[0].decode()
    group = (
        f"GS*FA*NWSTORES*EXAMPLE*20260305*0930*{number}*X*004010~ST*{kind}*0001~{body}SE*{count}*0001~GE*1*{number}~"
    )
    return f"{isa}{group}IEA*1*{number:09}~".encode()


def note(of: str, status: str, number: int = 9) -> bytes:
    """An interchange of northwind with a TA1 of the interchange that it names."""
    isa = purchase(number).partition(b"GS*")[0]
    return isa + f"TA1*{of}*260921*1413*{status}~IEA*0*{number:09}~".encode()
