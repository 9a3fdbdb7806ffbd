"""Settings on their way into a child process: as variables, which no other user can read."""

import json
import os

from pydantic import SecretStr

from server.settings import Settings

PREFIX = str(Settings.model_config["env_prefix"])


def make_environment(settings: Settings) -> dict[str, str]:
    """This process's variables, with every setting as it is here."""
    inherited = os.environ  # noqa: TID251  children live in the same surroundings
    variables = {
        name: value for name, value in inherited.items() if not name.upper().startswith(PREFIX)
    }
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if value is not None:
            variables[PREFIX + name.upper()] = _write(value)
    return variables


def _write(value: object) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case tuple():
            return json.dumps(value)
        case _:
            return str(value)
