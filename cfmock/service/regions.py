"""The regions of the service."""

from __future__ import annotations

from cfmock.protocol.wire.messages import Fields
from cfmock.service.world import World


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
