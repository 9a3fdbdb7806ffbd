"""Every setting of the server, in one table; read once, when it starts.

A flag goes before the environment (``SMART_RESIZE_...``), that before the default.
"""

from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipelines.weights.store import DEFAULT_FOLDER


class EngineName(StrEnum):
    """Who describes and paints; ``preview`` needs no GPU and no weights."""

    PREVIEW = "preview"
    SDXL = "sdxl"


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
    public_url: str | None = Field(
        None, description="Base of the links that are handed out; else as the request came in."
    )
    insecure_open: bool = Field(False, description="Serve other machines without any API key.")
    engine: EngineName = Field(EngineName.PREVIEW, description="Who describes and paints.")
    weights: Path = Field(DEFAULT_FOLDER, description="Folder of the models' weights.")
    graphs: Path | None = Field(
        None, description="Folder to keep a compiled UNet in; without it nothing is compiled."
    )
    eight_bits: bool = Field(False, description="Paint in FP8 on cards that can, less exactly.")
    presets: Path | None = Field(
        None, description="TOML file of presets, laid over the shipped ones."
    )
    allow_private_hosts: bool = Field(
        False, description="Fetch from and call back to loopback and private addresses too."
    )
    allow_hosts: tuple[str, ...] = Field(
        (), description="Hosts and CIDR ranges to fetch from and call back to, though private."
    )
    allow_http: bool = Field(False, description="Fetch from and call back to http, not only https.")
    max_body: int = Field(75_000_000, ge=1_000, description="Largest request body, bytes.")
    max_source: int = Field(50 * 2**20, ge=1_000, description="Largest source, bytes.")
    max_megapixels: float = Field(50, gt=0, description="Largest source, megapixels.")
    max_queue: int = Field(10_000, ge=1, description="Jobs that may wait; more are turned away.")
    retention: int = Field(
        72 * 3600, ge=60, description="Seconds that pictures and jobs are kept after their end."
    )
    link_secret: SecretStr | None = Field(
        None,
        min_length=32,
        description="What links are signed with; else a secret of the data folder's own.",
    )
    link_lifetime: int = Field(
        72 * 3600, ge=60, description="Seconds that a link to an output is valid."
    )
    drain: float = Field(30, ge=0, description="Seconds that a stopping worker gives its jobs.")
    fetch_timeout: float = Field(30, gt=0, description="Seconds to fetch a source in all.")
    min_free: int = Field(
        500 * 2**20, ge=0, description="Free bytes on the disk below which no job is taken."
    )
    bucket: str | None = Field(
        None, description="S3-compatible bucket for the pictures, as s3://NAME/PREFIX."
    )
    bucket_endpoint: str | None = Field(None, description="Address of the bucket's service.")
    callback_attempts: int = Field(3, ge=1, le=10, description="Tries to deliver a callback.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe event that is logged."
    )
