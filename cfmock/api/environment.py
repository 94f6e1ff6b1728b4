"""The variables that point clients at a server."""

from __future__ import annotations

from pathlib import Path

from cfmock.server.lifecycle import Server


def environment(server: Server) -> dict[str, str]:
    """Return the variables that point clients at a server."""
    credential = server.emulator.first_credential
    variables = {
        "CFMOCK_URL": server.url,
        "CFMOCK_ENDPOINT": server.endpoint,
        "FNF_ENDPOINT": server.url,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": credential.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": credential.access_key_secret,
        "ALIBABA_CLOUD_REGION_ID": server.emulator.settings.region,
    }
    if credential.security_token is not None:
        variables["ALIBABA_CLOUD_SECURITY_TOKEN"] = credential.security_token
    if server.ca_file is not None:
        variables["CFMOCK_CA_FILE"] = str(Path(server.ca_file).absolute())  # clients may stand in another folder
    return variables
