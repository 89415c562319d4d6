"""What single values of ``ha.toml`` may be; a description is what a refusal says of them."""

from typing import Annotated

from msgspec import Meta

from roost_protocol.patterns import END

Name = Annotated[
    str,
    Meta(
        pattern="^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?" + END,
        description="a name of 1 to 32 lower-case letters, digits and inner dashes",
    ),
]
Words = Annotated[  # no shell reads them
    tuple[Annotated[str, Meta(min_length=1, max_length=1024)], ...],
    Meta(
        min_length=1,
        max_length=64,
        description="a program and its arguments, a list of 1 to 64 texts that are not empty",
    ),
]
Interface = Annotated[
    str,
    Meta(pattern="^[^/\\s]{1,15}" + END, description="a network interface, 1 to 15 characters"),
]
Seconds = Annotated[float, Meta(ge=0.1, le=3600)]
Port = Annotated[int, Meta(ge=1, le=65_535)]
Absolute = Annotated[
    str,
    Meta(pattern="^/", max_length=255, description="an absolute path of at most 255 characters"),
]
Unit = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9:_.@\\-]{1,240}\.service" + END,
        description="the name of a systemd unit that ends in .service",
    ),
]
Container = Annotated[
    str,
    Meta(
        pattern="^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}" + END,
        description="the name of a container, 1 to 128 letters, digits, dots, dashes and _",
    ),
]
