"""How DBOS writes arguments, results and errors into its tables: as JSON, never pickled."""

import json
from typing import Any

from dbos import Serializer

ERROR = "__error__"


class JsonSerializer(Serializer):
    """Used by whoever puts jobs in line and by whoever works on them.

    An error comes back as a RuntimeError that says what it was; our steps return their errors.
    """

    def serialize(self, data: Any) -> str:
        """Plain JSON values, or an error."""
        return json.dumps(data, default=_describe, separators=(",", ":"))

    def deserialize(self, serialized_data: str) -> Any:
        """What ``serialize`` was given, with lists for tuples."""
        data = json.loads(serialized_data)
        if isinstance(data, dict) and ERROR in data:
            return RuntimeError(f"{data[ERROR]}: {data['message']}")
        return data

    def name(self) -> str:
        """Stands beside each value."""
        return "json"


def _describe(value: object) -> dict[str, str]:
    if isinstance(value, BaseException):
        return {ERROR: type(value).__name__, "message": str(value)}
    msg = f"{type(value).__name__} is not a JSON value"
    raise TypeError(msg)
