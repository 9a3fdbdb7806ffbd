"""Every setting of the server, in one table; read once, when it starts.

A flag goes before the environment (``SMART_RESIZE_...``), that before the default.
"""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from pipelines.errors import InvalidOption
from pipelines.weights.store import DEFAULT_FOLDER

TEN_YEARS = 315_360_000
"""Seconds; nothing that ends is meant to last longer, and no calendar reaches for ever."""


class EngineName(StrEnum):
    """Who describes and paints; ``preview`` needs no GPU and no weights."""

    PREVIEW = "preview"
    SDXL = "sdxl"


def _split(given: Any) -> Any:
    """A list as JSON, or with commas."""
    if not isinstance(given, str):
        return given
    if given.lstrip().startswith("["):
        return json.loads(given)
    return [entry.strip() for entry in given.split(",") if entry.strip()]


def _check_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        msg = "not the address of an http or https server"
        raise ValueError(msg)
    return text


Hosts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
WebAddress = Annotated[str, AfterValidator(_check_address)]


class Settings(BaseSettings):
    """What differs from machine to machine, never what differs from job to job."""

    model_config = SettingsConfigDict(
        env_prefix="SMART_RESIZE_", extra="forbid", frozen=True, hide_input_in_errors=True
    )

    data: Path = Field(Path("data"), description="Folder of the database and the pictures.")
    database_url: SecretStr | None = Field(
        None, description="PostgreSQL URL; without it, SQLite in the data folder."
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    public_url: WebAddress | None = Field(
        None, description="Base of the links that are handed out; else as the request came in."
    )
    page: bool = Field(True, description="Serve the page for people at /.")
    insecure_open: bool = Field(False, description="Serve other machines without any API key.")
    engine: EngineName = Field(EngineName.PREVIEW, description="Who describes and paints.")
    weights: Path = Field(DEFAULT_FOLDER, description="Folder of the models' weights.")
    lock: Path | None = Field(None, description="Another weights.lock than this installation's.")
    graphs: Path | None = Field(
        None, description="Folder for what is compiled of the models; without it nothing is."
    )
    eight_bits: bool = Field(False, description="Paint in FP8 on cards that can, less exactly.")
    presets: Path | None = Field(
        None, description="TOML file of presets, laid over the shipped ones."
    )
    allow_private_hosts: bool = Field(
        False, description="Fetch from and call back to loopback and private addresses too."
    )
    allow_hosts: Hosts = Field(
        (),
        description="Hosts and CIDR ranges to fetch from and call back to, though private; "
        "with commas between them.",
    )
    allow_http: bool = Field(False, description="Fetch from and call back to http, not only https.")
    max_body: int = Field(75_000_000, ge=1_000, description="Largest request body, bytes.")
    max_source: int = Field(50 * 2**20, ge=1_000, description="Largest source, bytes.")
    max_megapixels: float = Field(
        50, gt=0, allow_inf_nan=False, description="Largest source, megapixels."
    )
    max_queue: int = Field(10_000, ge=1, description="Jobs that may wait; more are turned away.")
    retention: int = Field(
        72 * 3600,
        ge=60,
        le=TEN_YEARS,
        description="Seconds that pictures and jobs are kept after their end.",
    )
    link_secret: SecretStr | None = Field(
        None,
        min_length=32,
        description="What links are signed with; else a secret of the data folder's own.",
    )
    link_lifetime: int = Field(
        72 * 3600,
        ge=60,
        le=TEN_YEARS,
        description="Seconds that a link to an output is valid.",
    )
    drain: float = Field(
        30, ge=0, le=86_400, description="Seconds that a stopping worker gives its jobs."
    )
    fetch_timeout: float = Field(30, gt=0, le=3600, description="Seconds to fetch a source in all.")
    min_free: int = Field(
        500 * 2**20, ge=0, description="Free bytes on the disk below which no job is taken."
    )
    bucket: str | None = Field(
        None, description="S3-compatible bucket for the pictures, as s3://NAME/PREFIX."
    )
    bucket_endpoint: WebAddress | None = Field(None, description="Address of the bucket's service.")
    price: float | None = Field(
        None, ge=0, description="What a picture costs, as the run API's records tell it."
    )
    balance: int = Field(
        1_000_000, ge=0, description="Credits that every key has, as FASHN's API tells it."
    )
    credits: int = Field(0, ge=0, description="Credits that a picture takes, told likewise.")
    callback_attempts: int = Field(3, ge=1, le=10, description="Tries to deliver a callback.")
    c2pa_certificate: Path | None = Field(
        None, description="PEM file of the certificate chain that outputs are signed with (C2PA)."
    )
    c2pa_key: Path | None = Field(
        None, description="PEM file of that certificate's private key, without a password."
    )
    c2pa_algorithm: Literal["es256", "es384", "es512", "ps256", "ps384", "ps512", "ed25519"] = (
        Field("es256", description="How to sign; it has to suit the key.")
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe event that is logged."
    )


def read_settings(**given: Any) -> Settings:
    """The settings, with what was given in front; None is nothing given.

    Raises:
        InvalidOption: one of them has a value that it cannot have.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = "-".join(str(part) for part in first["loc"]).replace("_", "-")
        words = first["msg"].removeprefix("Value error, ")
        msg = f"setting {name}: {words[:1].lower()}{words[1:]}"
        raise InvalidOption(msg) from error
