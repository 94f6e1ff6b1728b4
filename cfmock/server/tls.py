"""TLS: with a certificate of the user's, or with one of a CA that is made at the start and trusted by whoever reads its file."""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from cfmock.base.errors import SettingsError
from cfmock.protocol.spec.model import load
from cfmock.settings import Settings

SERVICE = "fnf.aliyuncs.com"


def own_names() -> tuple[str, ...]:
    """Names in our own certificate, beside the address bound: this machine, and the service's own host names, with a
    region (`cn-hangzhou.fnf.aliyuncs.com`) and with account and region (as Funcraft has them). A `*` stands for one label."""
    return "localhost", "127.0.0.1", "::1", f"*.{SERVICE}", *(f"*.{region}.{SERVICE}" for region in load().regions)


class Tls(Struct, frozen=True):
    """The TLS context of a server. `ca` is the PEM text of its own CA, None with the user's certificate."""

    context: ssl.SSLContext
    ca: bytes | None = None
    ca_out: str | None = None

    @contextlib.contextmanager
    def written_ca(self) -> Iterator[str | None]:
        """Write the CA where it is asked for, else to a file that goes with the block; None where there is no CA. Raises
        SettingsError if it cannot be written."""
        if self.ca is None:
            yield None
            return
        name = self.ca_out
        try:
            if name is None:
                number, name = tempfile.mkstemp(prefix="cfmock-ca-", suffix=".pem")
                os.close(number)
            Path(name).write_bytes(self.ca)
        except OSError as error:
            raise SettingsError(f"--tls-ca-out: cannot write {error.filename}: {error.strerror}") from None
        try:
            yield name
        finally:
            if self.ca_out is None:
                Path(name).unlink(missing_ok=True)


def tls_of(settings: Settings) -> Tls | None:
    """Build TLS from the settings; None: no TLS. Raises SettingsError for options that do not go together, a certificate that
    cannot be used, and, where the CA is to be our own, without the extra `tls`."""
    if settings.tls_cert is not None or settings.tls_key is not None:
        return _given(settings)
    if settings.tls:
        return _own(settings)
    if settings.tls_ca_out is not None:
        raise SettingsError("--tls-ca-out goes with --tls")
    return None


def _given(settings: Settings) -> Tls:
    if settings.tls_cert is None or settings.tls_key is None:
        raise SettingsError("--tls-cert and --tls-key go together")
    if settings.tls_ca_out is not None:
        raise SettingsError("--tls-ca-out cannot be used with --tls-cert: then cfmock makes no CA")
    context = _context()
    try:
        context.load_cert_chain(
            settings.tls_cert, settings.tls_key, password=lambda: ""
        )  # it is not asked for on the terminal
    except ssl.SSLError as error:
        reason = (error.reason or str(error)).replace("_", " ").lower()
        raise SettingsError(f"{settings.tls_cert} and {settings.tls_key} cannot be used: {reason}") from None
    except OSError as error:
        unreadable = next(
            (each for each in (settings.tls_cert, settings.tls_key) if not os.access(each, os.R_OK)), None
        )
        raise SettingsError(f"--tls-cert, --tls-key: cannot read {unreadable}: {error.strerror}") from None
    return Tls(context)


def _own(settings: Settings) -> Tls:
    try:
        import trustme
    except ImportError:
        raise SettingsError("--tls needs the extra 'tls': pip install 'cfmock[tls]'") from None
    authority = trustme.CA()
    names = own_names()
    wildcard = settings.host in ("", "0.0.0.0", "::")
    bound = () if wildcard or settings.host in names else (settings.host,)
    try:
        issued = authority.issue_cert(*names, *bound)
    except ValueError:  # a name that no certificate may hold, such as one with an underscore
        issued = authority.issue_cert(*names)
    context = _context()
    issued.configure_cert(context)
    return Tls(context, authority.cert_pem.bytes(), settings.tls_ca_out)


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    return context
