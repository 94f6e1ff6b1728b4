"""What `import cfmock` gives."""

from __future__ import annotations

import pytest

import cfmock


@pytest.mark.parametrize("name", cfmock.__all__)
def test_every_public_name_is_there_under_its_own_name(name: str) -> None:
    found = getattr(cfmock, name)
    assert name == "__version__" or found.__name__ == name


def test_what_is_not_public_is_not_there() -> None:
    assert dir(cfmock) == cfmock.__all__
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = cfmock.Nothing
