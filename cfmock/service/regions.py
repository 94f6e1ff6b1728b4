"""The regions of the service."""

from __future__ import annotations

from cfmock.service.world import World
from cfmock.wire.messages import Fields


def describe_regions(world: World, *, accept_language: str = "zh-CN") -> Fields:
    """All regions with their public endpoints, named in the language asked for."""
    found = [
        {
            "RegionId": region.id,
            "RegionEndpoint": f"{region.id}.fnf.aliyuncs.com",
            "LocalName": region.en if accept_language == "en-US" else region.zh,
        }
        for region in world.spec.regions.values()
    ]
    return {"Regions": {"Region": found}}
