"""What the admin API is asked, as models: a field that is not known is refused, with the nearest that is."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from hub.yamldoc import did_you_mean

Reason = Annotated[str, Field(min_length=1, max_length=500, description="Why; kept with the audit.")]


class Asked(BaseModel):
    """A request body: a field that is not known is refused, with the nearest that is."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _known_fields(cls, value: Any) -> Any:
        _refuse_broken_texts(value)
        names = {field.alias or name for name, field in cls.model_fields.items()}
        unknown = [key for key in value if key not in names] if isinstance(value, dict) else []
        if unknown:
            raise ValueError(f"unknown field '{str(unknown[0])[:80]}'{did_you_mean(str(unknown[0])[:80], names)}")
        return value


def _refuse_broken_texts(value: Any) -> None:
    """JSON can write half of a surrogate pair, which no text that is stored or sent can hold."""
    try:
        msgspec.json.encode(value)
    except UnicodeEncodeError:
        raise ValueError("a text holds half of a surrogate pair; write both halves, or the character itself") from None


class ReasonBody(Asked):
    """Why something is done."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "entered by hand, OPS-412"}]})
    reason: Reason


class ReleaseBody(ReasonBody):
    """Why a delivery is released; `look_up` false: somebody has looked in the system, and it is sent."""

    look_up: bool = True


class OptionalReason(Asked):
    """Why something is done; may be left out."""

    reason: str = Field(default="", max_length=500)


class LimitsBody(ReasonBody):
    """What a system shall bear; what is left out is as configured."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"rate": 5, "concurrency": 2, "reason": "their sale, OPS-9"}]}
    )
    rate: float | None = Field(default=None, ge=0.001, le=100_000, description="Requests a second.")
    concurrency: int | None = Field(default=None, ge=1, le=1000, description="Requests at a time.")
    retry_budget: float | None = Field(default=None, ge=0, le=1, description="The part of what is sent to be retries.")


class FilterBody(Asked):
    """The filters of the message list, all of which must match."""

    state: str = ""
    class_: str = Field(default="", alias="class")
    code: str = ""
    issue: str = ""
    route: str = ""
    source: str = ""
    destination: str = ""
    type: str = ""
    key: list[str] = Field(default_factory=list, description="scheme:value, each of which must match", max_length=10)
    received_from: AwareDatetime | None = None
    received_until: AwareDatetime | None = None
    text: str = ""
    replay_of: str = ""


class SelectBody(Asked):
    """Which things: by id, or all that a filter matches."""

    ids: list[str] = Field(default_factory=list, max_length=10_000)
    filter: FilterBody | None = None


class ReplayBody(Asked):
    """A replay. Without ``dry_run: false`` it is only planned."""

    model_config = ConfigDict(
        extra="forbid", populate_by_name=True,
        json_schema_extra={
            "examples": [
                {
                    "select": {"filter": {"issue": "5f0c8a1b2d3e4f60"}}, "from": "failed_step", "version": "current",
                    "rate_per_second": 5, "reason": "the ERP knows the item now", "ticket": "OPS-412",
                }
            ]
        },
    )  # fmt: skip
    select: SelectBody
    from_: Literal["failed_step", "start"] = Field(default="failed_step", alias="from")
    version: Literal["current", "as_run"] = "current"
    destinations: list[str] = Field(default_factory=list, max_length=50)
    superseded: Literal["skip", "send"] = "skip"
    delivered: Literal["skip", "send"] = "skip"
    max_items: int = Field(default=5000, ge=1, le=100_000)
    rate_per_second: float | None = Field(default=None, ge=0.01, le=10_000)
    dry_run: bool = True
    reason: str = Field(default="", max_length=500)
    ticket: str = Field(default="", max_length=100)


class StartBody(Asked):
    """What starts a plan: the hash it was given with."""

    plan_hash: str


class KeyBody(Asked):
    """A new API key."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "grafana", "role": "viewer"}]})
    name: str = Field(min_length=1, max_length=80)
    role: Literal["viewer", "operator", "admin"]
