"""The rules of countries for numbers of companies and VAT, from python-stdnum; each is loaded when it is first
wanted."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

# The number a company is registered by, where the library knows a rule for it.
REGISTERS = {
    "AT": "at.businessid", "AU": "au.abn", "BE": "be.vat", "BG": "bg.vat", "BR": "br.cnpj", "CH": "ch.uid",
    "CN": "cn.uscc", "CZ": "cz.dic", "DK": "dk.cvr", "EE": "ee.registrikood",
    "ES": "es.cif", "FI": "fi.ytunnus", "FR": "fr.siren", "HR": "hr.oib", "IN": "in_.gstin", "IS": "is_.kennitala",
    "IT": "it.iva", "JP": "jp.cn", "LT": "lt.pvm", "LU": "lu.tva", "MX": "mx.rfc", "NL": "nl.btw", "NO": "no.orgnr",
    "NZ": "nz.ird", "PL": "pl.nip", "PT": "pt.nif", "RO": "ro.cui", "SE": "se.orgnr", "SI": "si.ddv", "SK": "sk.dph",
    "TR": "tr.vkn", "US": "us.ein",
}  # fmt: skip
_VAT = {
    "AT": "at.uid", "BE": "be.vat", "BG": "bg.vat", "CH": "ch.vat", "CY": "cy.vat", "CZ": "cz.dic", "DE": "de.vat",
    "DK": "dk.cvr", "EE": "ee.kmkr", "EL": "gr.vat", "ES": "es.nif", "FI": "fi.alv", "FR": "fr.tva", "GB": "gb.vat",
    "GR": "gr.vat", "HR": "hr.oib", "HU": "hu.anum", "IE": "ie.vat", "IT": "it.iva", "LT": "lt.pvm", "LU": "lu.tva",
    "LV": "lv.pvn", "MT": "mt.vat", "NL": "nl.btw", "NO": "no.mva", "PL": "pl.nip", "PT": "pt.nif", "RO": "ro.cf",
    "SE": "se.vat", "SI": "si.ddv", "SK": "sk.dph", "SM": "sm.coe", "XI": "gb.vat",
}  # fmt: skip


@cache
def _rule(name: str) -> Any:
    return import_module(f"stdnum.{name}")


def company_rule(country: str) -> Any | None:
    """The rule for numbers of a country's companies; None where there is none."""
    return _rule(REGISTERS[country]) if country in REGISTERS else None


def vat_rule(country: str) -> Any | None:
    """The rule for VAT numbers of a prefix; None where there is none."""
    return _rule(_VAT[country]) if country in _VAT else None


def holds(rule: Any, number: str) -> bool:
    """Whether a number of letters and digits is one by a rule. What is longer than any number is none."""
    return len(number) <= 40 and number.isascii() and bool(rule.is_valid(number))
