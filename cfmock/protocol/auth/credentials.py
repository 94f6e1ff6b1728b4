"""Access keys: who may call."""

from __future__ import annotations

from msgspec import Struct

DEFAULT_ACCOUNT = ""
"""The account of credentials that name none."""


class Credential(Struct, frozen=True):
    """One access key. `expires` is in seconds since 1970; `allow` holds globs of RAM actions (`fnf:Describe*`), None: all."""

    access_key_id: str
    access_key_secret: str = ""
    security_token: str | None = None
    expires: float | None = None
    account: str = DEFAULT_ACCOUNT
    allow: tuple[str, ...] | None = None
    public_key: str | None = None
    bearer_token: str | None = None

    def __repr__(self) -> str:
        return f"Credential({self.access_key_id!r})"  # without what is secret


DEFAULT_CREDENTIAL = Credential("cfmock", "cfmock-secret")
"""What everybody may use where no fixture names a key."""
