"""Interchanges for ``o2c bench edi``: orders as they are traded, all different, as EDIFACT (D96A) and as X12 (004010).

An order has 4 to 8 lines with texts, prices and dates; one text in three holds released characters in EDIFACT. They
are made one at a time, so that an interchange of any size takes no memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

_WORDS = ("BOLT", "NUT", "WASHER", "PUMP", "VALVE", "HOSE", "FILTER", "GASKET", "BEARING", "SPRING", "LEVER", "PANEL")
_CITIES = ("LYON", "GENT", "KOELN", "TORINO", "BILBAO", "MALMOE", "GRAZ", "PORTO")


def edifact_order(number: int, draw: Random) -> str:
    """One ORDERS message, UNH to UNT."""
    lines = draw.randrange(4, 9)
    found = [
        f"UNH+{number}+ORDERS:D:96A:UN:EAN008",
        f"BGM+220+PO{number:08d}+9",
        f"DTM+137:202611{draw.randrange(10, 29)}:102",
        f"DTM+2:202612{draw.randrange(10, 29)}:102",
        f"NAD+BY+{draw.randrange(10**12, 10**13)}::9++{_name(draw)}?'S STORE NO?: {number % 97}"
        f"+MAIN STREET {number % 211}+{draw.choice(_CITIES)}++{draw.randrange(10000, 99999)}+FR",
        "CTA+OC+:PURCHASING DEPT",
        "COM+PURCHASE@STORE.EXAMPLE:EM",
        f"NAD+SU+{draw.randrange(10**12, 10**13)}::9",
        f"NAD+DP+{draw.randrange(10**12, 10**13)}::9++DEPOT {number % 31}+QUAY {number % 17}"
        f"+{draw.choice(_CITIES)}++1000+BE",
        "CUX+2:EUR:9",
    ]
    for line in range(1, lines + 1):
        found += [
            f"LIN+{line}++{draw.randrange(10**12, 10**13)}:EN",
            f"IMD+F++:::{_name(draw)} {draw.randrange(5, 60)}MM{' (A?+B)' if draw.randrange(3) == 0 else ''}",
            f"QTY+21:{draw.randrange(1, 500)}:PCE",
            f"PRI+AAA:{draw.randrange(100, 99999) / 100:.2f}:CT::1:PCE",
        ]
    found += ["UNS+S", f"CNT+2:{lines}"]
    return "'".join([*found, f"UNT+{len(found) + 1}+{number}", ""])


def x12_order(number: int, draw: Random) -> str:
    """One 850 transaction set, ST to SE."""
    lines = draw.randrange(4, 9)
    found = [
        f"ST*850*{number:09d}",
        f"BEG*00*SA*PO{number:08d}**202611{draw.randrange(10, 29)}",
        "CUR*BY*USD",
        f"REF*DP*{draw.randrange(100, 999)}",
        f"DTM*002*202612{draw.randrange(10, 29)}",
        f"N1*BY*{_name(draw)} STORE {number % 97}*9*{draw.randrange(10**12, 10**13)}",
        f"N3*MAIN STREET {number % 211}",
        f"N4*{draw.choice(_CITIES)}*NY*{draw.randrange(10000, 99999)}*US",
        f"N1*ST*DEPOT {number % 31}*92*{draw.randrange(1000, 9999)}",
        "N3*QUAY 4*BUILDING B",
        f"N4*{draw.choice(_CITIES)}*NJ*{draw.randrange(10000, 99999)}*US",
    ]
    for line in range(1, lines + 1):
        found += [
            f"PO1*{line}*{draw.randrange(1, 500)}*EA*{draw.randrange(100, 99999) / 100:.2f}**UP"
            f"*{draw.randrange(10**11, 10**12)}*VN*{draw.randrange(10**5, 10**6)}",
            f"PID*F****{_name(draw)} {draw.randrange(5, 60)}MM",
        ]
    found.append(f"CTT*{lines}")
    return "~".join([*found, f"SE*{len(found) + 1}*{number:09d}", ""])


def _name(draw: Random) -> str:
    return f"{draw.choice(_WORDS)} {draw.choice(_WORDS)}"


def edifact_interchange(orders: int, seed: int = 7) -> Iterator[bytes]:
    """One interchange in pieces: a header, so many orders, a trailer."""
    draw = Random(seed)
    yield b"UNA:+.? 'UNB+UNOC:3+4012345000009:14+5412345000013:14+261128:1200+4711'"
    for number in range(1, orders + 1):
        yield edifact_order(number, draw).encode("ascii")
    yield f"UNZ+{orders}+4711'".encode()


def x12_interchange(orders: int, seed: int = 7) -> Iterator[bytes]:
    """The same in one group."""
    draw = Random(seed)
    yield (
        b"ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *261128*1200*U*00401*000004711*0*P*>~"
        b"GS*PO*BUYER*SELLER*20261128*1200*4711*X*004010~"
    )
    for number in range(1, orders + 1):
        yield x12_order(number, draw).encode("ascii")
    yield f"GE*{orders}*4711~IEA*1*000004711~".encode()
