"""camt.053 files of any size, as a bank writes them: one statement, a transaction with its parties to each entry."""

from __future__ import annotations

from collections.abc import Iterator

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">'
    "<BkToCstmrStmt><GrpHdr><MsgId>M-1</MsgId><CreDtTm>2026-03-09T18:00:00+01:00</CreDtTm></GrpHdr>"
    "<Stmt><Id>2026-060</Id><ElctrncSeqNb>60</ElctrncSeqNb><CreDtTm>2026-03-09T18:00:00+01:00</CreDtTm>"
    "<Acct><Id><IBAN>DE02120300000000202051</IBAN></Id><Ccy>EUR</Ccy></Acct>"
)
_BALANCE = (
    '<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
    "<Dt><Dt>2026-03-09</Dt></Dt></Bal>"
)
_ENTRY = (
    '<Ntry><NtryRef>{n}</NtryRef><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
    "<BookgDt><Dt>2026-03-09</Dt></BookgDt><ValDt><Dt>2026-03-09</Dt></ValDt><AcctSvcrRef>2026030900{n:08}</AcctSvcrRef>"
    "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
    "<NtryDtls><TxDtls><Refs><EndToEndId>E2E-{n:08}</EndToEndId></Refs>"
    '<Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
    "<RltdPties><Dbtr><Pty><Nm>Customer {n} Manufacturing GmbH</Nm></Pty></Dbtr>"
    "<DbtrAcct><Id><IBAN>DE{check:02}37040044{n:010}</IBAN></Id></DbtrAcct></RltdPties>"
    "<RltdAgts><DbtrAgt><FinInstnId><BICFI>COBADEFFXXX</BICFI></FinInstnId></DbtrAgt></RltdAgts>"
    "<RmtInf><Ustrd>Invoice 2026-{n:07} of 2026-02-27, less discount, thank you</Ustrd></RmtInf></TxDtls></NtryDtls>"
    "</Ntry>\n"
)


def statement(entries: int) -> Iterator[bytes]:
    """The file in pieces of some hundred entries; 855 bytes for each."""
    cents = [1_00 + (n * 7919) % 1_000_000 for n in range(entries)]
    yield _HEAD.encode()
    yield _BALANCE.format(code="OPBD", amount="0.00").encode()
    yield _BALANCE.format(code="CLBD", amount=_amount(sum(cents))).encode()
    for start in range(0, entries, 500):
        yield "".join(
            _ENTRY.format(n=n, amount=_amount(cents[n]), check=n % 97) for n in range(start, min(start + 500, entries))
        ).encode()
    yield b"</Stmt></BkToCstmrStmt></Document>"


def _amount(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
