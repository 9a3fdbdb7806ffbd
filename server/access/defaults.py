"""What a key's runs are where their callers say nothing: provenance, extras, storing."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from pipelines.errors import InvalidOption
from pipelines.export.wishes import Extra, Metadata


class Defaults(BaseModel):
    """Names and values as a run's input has them; None says nothing."""

    model_config = ConfigDict(extra="forbid")

    xmp: bool | None = None
    c2pa: bool | None = None
    metadata: Metadata | None = None
    extras: list[Extra] | None = None
    store: bool | None = None


def read_defaults(texts: Sequence[str]) -> dict[str, Any] | None:
    """``NAME=VALUE``, lists with commas, as JSON values; None where there are none.

    Raises:
        InvalidOption: a name or a value that there is not.
    """
    given: dict[str, Any] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in Defaults.model_fields:
            names = ", ".join(Defaults.model_fields)
            msg = f"a default is NAME=VALUE, and its name one of {names}, not {text!r}"
            raise InvalidOption(msg)
        given[name] = [part for part in value.split(",") if part] if name == "extras" else value
    try:
        return Defaults(**given).model_dump(mode="json", exclude_none=True) or None
    except ValidationError as error:
        first = error.errors()[0]
        msg = f"default {first['loc'][0]}: {first['msg']}"
        raise InvalidOption(msg) from error


def write_defaults(defaults: Mapping[str, Any] | None) -> str:
    """As ``read_defaults`` reads them, in one line."""
    return " ".join(f"{name}={_write(value)}" for name, value in (defaults or {}).items())


def apply_defaults(
    defaults: Mapping[str, Any] | None, wishes: Mapping[str, Any], *, hosted: bool
) -> dict[str, Any]:
    """The fields of an order, with the key's defaults for those that nobody wished.

    The ``hosted`` doors show no extras, and cannot ask for a picture to be stored.
    """
    known = {name: value for name, value in (defaults or {}).items() if value is not None}
    volatile = known.pop("store", True) is False
    if hosted:
        known.pop("extras", None)
        return {**known, **wishes, "volatile": volatile or wishes.get("volatile", False)}
    return {**known, "volatile": volatile, **wishes}


def _write(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case list():
            return ",".join(value)
        case _:
            return str(value)
