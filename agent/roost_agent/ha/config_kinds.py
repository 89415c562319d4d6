"""What single values of ``ha.toml`` may be."""

from typing import Annotated

from msgspec import Meta

Name = Annotated[str, Meta(pattern="^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$")]
Words = Annotated[  # a program and its arguments: no shell reads them
    tuple[Annotated[str, Meta(min_length=1, max_length=1024)], ...],
    Meta(min_length=1, max_length=64),
]
Interface = Annotated[str, Meta(pattern="^[^/\\s]{1,15}$")]
Seconds = Annotated[float, Meta(ge=0.1, le=3600)]
Port = Annotated[int, Meta(ge=1, le=65_535)]
Absolute = Annotated[str, Meta(pattern="^/", max_length=255)]
