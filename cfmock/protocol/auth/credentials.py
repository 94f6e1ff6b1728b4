"""Access keys: who may call."""

from __future__ import annotations

from dataclasses import dataclass, field

DEFAULT_ACCOUNT = ""
"""The account of credentials that name none."""


@dataclass(frozen=True, slots=True)
class Credential:
    """One access key. `expires` is in seconds since 1970; `allow` holds globs of RAM actions (`fnf:Describe*`), None: all."""

    access_key_id: str
    access_key_secret: str = field(default="", repr=False)
    security_token: str | None = field(default=None, repr=False)
    expires: float | None = None
    account: str = DEFAULT_ACCOUNT
    allow: tuple[str, ...] | None = None
    public_key: str | None = None
    bearer_token: str | None = field(default=None, repr=False)


DEFAULT_CREDENTIAL = Credential("cfmock", "cfmock-secret")
"""What everybody may use where no fixture names a key."""
