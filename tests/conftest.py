"""What holds for every test: hypothesis counts its examples and has no eye on the clock."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("counted", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("counted")
