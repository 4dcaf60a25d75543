"""The profiles that routes hold documents to, as ``o2c doctor`` looks at them."""

from __future__ import annotations

from collections.abc import Iterator

from hub.cli.doctor_checks import FAULT, OK, Finding
from hub.cli.workplace import Workplace
from hub.errors import ProjectError
from hub.profile_lint import used_profiles
from hub.profiles.judge import Judge


def look_at_profiles(place: Workplace) -> Iterator[Finding]:
    """A finding for each profile that a route names."""
    wanted = used_profiles(place.check().routes)
    if not wanted:
        return
    try:
        judge = Judge(place.files)
        for name in filter(judge.has, wanted):
            missing = judge.missing(name)
            detail = "; ".join(map(str, missing)) or f"{judge.profile(name).title}: its schema and rules are here"
            yield Finding(f"profile {name}", FAULT if missing else OK, detail)
    except ProjectError as error:
        yield Finding("profiles", FAULT, str(error), "see: o2c check")
