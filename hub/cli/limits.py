"""What systems bear, whether they are sent to, how full quotas are: ``o2c limits`` and ``o2c circuit``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from hub.cli.hub_at_hand import hub_at_hand
from hub.cli.terminal import Json, ProjectFolder, complain, say, say_json, say_table
from hub.client import HubClient
from hub.errors import NotFound, UsageError
from hub.fields import listed
from hub.units import rate_of, share_of, share_text, size_text

_COLUMNS = ("system", "circuit", "rate", "at a time", "retries", "waiting", "remark")
_QUOTA_COLUMNS = ("quota", "size", "messages", "remark")
_STEPS = ("open", "close", "probe")
_SWITCHES = ("stop", "start")
Reason = Annotated[str, typer.Option("--reason", help="Why, for the audit.")]


def limits(
    system: Annotated[str, typer.Argument(metavar="[SYSTEM]", help="Only this one; the one to change.")] = "",
    rate: Annotated[str, typer.Option("--rate", help="Bear so many requests, e.g. 20/s or 600/m.")] = "",
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", min=1, max=1000, help="Bear so many requests at a time.")
    ] = None,
    retry_budget: Annotated[
        str, typer.Option("--retry-budget", help="Let this share of what is sent be retries, e.g. 20%.")
    ] = "",
    reset: Annotated[bool, typer.Option("--reset", help="Go back to what is configured.")] = False,
    reason: Reason = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Show what each system bears, its circuit and the quotas; or change what one bears, for all workers at once.

    A change holds over restarts, beside the configuration, until --reset; what is not named stays as it is.
    """
    change = _change(rate, concurrency, retry_budget)
    if (change or reset) and not system:
        raise UsageError("say which system: o2c limits SYSTEM --rate 20/s --reason TEXT")
    if change and reset:
        raise UsageError("--reset goes back to what is configured; leave it out to change limits")
    if change and not reason:
        raise UsageError("say why: --reason TEXT; it stands in the audit")
    with hub_at_hand(project) as hub:
        if reset:
            hub.post(f"{_path(system)}/limits/reset", {"reason": reason})
        elif change:
            hub.post(f"{_path(system)}/limits", {**_in_force(_found(hub, system)[0]), **change, "reason": reason})
        found = _found(hub, system)
        quotas = [] if system else hub.get("/quotas")["items"]
    if as_json:
        say_json({"systems": found, "quotas": quotas})
        return
    say_table(_COLUMNS, [_row(item) for item in found])
    if quotas:
        say("")
        say_table(_QUOTA_COLUMNS, [_quota_row(item) for item in quotas])


def circuit(
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="The system.")],
    step: Annotated[
        str,
        typer.Argument(
            metavar="open|close|probe|stop|start",
            help="open: send and fetch nothing until it is closed by hand; close: send at once; probe: let one "
            "delivery, or the next look, through; start: go on with a system that was stopped, by hand or by the "
            "hub when its credentials failed; stop: send and fetch nothing until it is started.",
        ),
    ],
    reason: Reason = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Open or close the circuit of a system, or let one delivery, or look, through to find out how it is; stop a system
    and start it again."""
    if step not in (*_STEPS, *_SWITCHES):
        expected = listed((*_STEPS, *_SWITCHES))
        raise UsageError(f"'{step}' is no step; expected {expected}, as in: o2c circuit {system} open")
    if step in ("open", "stop") and not reason:
        where = "the circuit" if step == "open" else "the system"
        raise UsageError(f"say why: --reason TEXT; it stands in the audit, and with {where}")
    with hub_at_hand(project) as hub:
        if step in _SWITCHES:
            view = _switched(hub, system, step, reason)
        else:
            view = hub.post(f"{_path(system)}/circuit/{step}", {"reason": reason})
    if as_json:
        say_json(view)
        return
    if view.keys() == {"name"}:
        say(f"'{system}' is no longer stopped; it is no system of the files in force")
        return
    say_table(_COLUMNS, [_row(view)])
    if step == "probe":
        complain("the next look at it is let through" if view["fetches"] else "the next delivery to it goes now")


def _switched(hub: HubClient, system: str, step: str, reason: str) -> dict[str, Any]:
    """How the system is afterwards. One that was stopped and is no longer configured can be started too, which ends
    what is told of it."""
    if step == "stop":
        _found(hub, system)
    hub.post(f"{_path(system)}/{step}", {"reason": reason})
    return next((item for item in hub.get("/systems")["items"] if item["name"] == system), {"name": system})


def _change(rate: str, concurrency: int | None, retry_budget: str) -> dict[str, Any]:
    """What the options say, as the API takes it."""
    change: dict[str, Any] = {} if concurrency is None else {"concurrency": concurrency}
    if rate:
        change["rate"] = rate_of(rate)
        if change["rate"] is None:
            raise UsageError(f"--rate: expected a rate such as 20/s or 600/m, got '{rate}'")
    if retry_budget:
        change["retry_budget"] = share_of(retry_budget)
        if change["retry_budget"] is None:
            raise UsageError(f"--retry-budget: expected a share from 0% to 100%, such as 20%, got '{retry_budget}'")
    return change


def _path(system: str) -> str:
    return f"/systems/{quote(system, safe='')}"


def _found(hub: HubClient, system: str) -> list[dict[str, Any]]:
    """The systems that are sent to or fetched from, or the one that is named."""
    items = [item for item in hub.get("/systems")["items"] if item["sends"] or item["fetches"]]
    named = [item for item in items if item["name"] == system]
    if system and not named:
        known = ", ".join(item["name"] for item in items) or "none"
        raise NotFound(f"nothing is sent to a system '{system}', or fetched from one; those that are: {known}")
    return named if system else items


def _in_force(item: Mapping[str, Any]) -> dict[str, Any]:
    """What was changed before, so that changing one limit leaves the others."""
    now = item.get("limits") or {}
    plain = now.get("configured") or {}
    names = ("rate", "concurrency", "retry_budget")
    return {name: now[name] for name in names if now.get(name) is not None and now.get(name) != plain.get(name)}


def _row(item: Mapping[str, Any]) -> Sequence[str]:
    return (
        item["name"], str(item["circuit"]["state"]).replace("_", " "), *_limits(item.get("limits")),
        f"{item['waiting']:,}", "; ".join(_remarks(item)),
    )  # fmt: skip


def _limits(now: Mapping[str, Any] | None) -> Sequence[str]:
    """Rate, number at a time and retries; nothing where nothing is sent."""
    if now is None:
        return ("", "", "")
    plain = now["configured"]
    return (
        _beside(_rate(now), _rate(plain)), _beside(str(now["concurrency"]), str(plain["concurrency"])),
        _beside(*(share_text(float(bearing["retry_budget"])) for bearing in (now, plain))),
    )  # fmt: skip


def _rate(bearing: Mapping[str, Any]) -> str:
    return f"{float(bearing['rate']):g}/s" if bearing.get("rate") else "any"


def _beside(now: str, configured: str) -> str:
    return now if now == configured else f"{now} (configured: {configured})"


def _remarks(item: Mapping[str, Any]) -> list[str]:
    state, found = item["circuit"], []
    if off := item.get("off"):
        found.append(f"{off['state']}: {off['reason']}; to start it: o2c circuit {item['name']} start")
    if state["state"] != "closed":
        probe = f"next probe {_time(state['next_probe_at'])}" if state.get("next_probe_at") else "no probe"
        found.append(f"since {_time(state['since'])} by {state['actor']}: {state['reason']} ({probe})")
    if item.get("paused_until"):
        found.append(f"asked to be left alone until {_time(item['paused_until'])}")
    if adjusted := (item.get("limits") or {}).get("adjusted"):
        found.append(f"changed {_time(adjusted['since'])} by {adjusted['actor']}: {adjusted['reason']}")
    return found


def _quota_row(item: Mapping[str, Any]) -> Sequence[str]:
    size, messages = item.get("size"), item.get("messages")
    remarks = []
    if item.get("full_since"):
        remarks.append(f"full since {_time(item['full_since'])}: answered 503")
    if item.get("pruned_at"):
        remarks.append(f"removed things up to {_time(item['pruned_to'])}, last at {_time(item['pruned_at'])}")
    return (
        f"{item['kind']} {item['name']}".strip(),
        f"{size['used'] / 1e6:,.1f} MB of {size_text(size['limit'])}" if size else "any",
        f"{messages['used']:,} of {messages['limit']:,}" if messages else "any", "; ".join(remarks),
    )  # fmt: skip


def _time(text: str) -> str:
    return text[:19].replace("T", " ")


COMMANDS = (limits, circuit)
