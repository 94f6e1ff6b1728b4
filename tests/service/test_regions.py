"""DescribeRegions."""

from __future__ import annotations

import pytest

from tests.support.calls import make_service

REGIONS = [
    "cn-hangzhou", "cn-shanghai", "cn-beijing", "cn-qingdao", "cn-shenzhen", "ap-southeast-1", "us-west-1",
]  # fmt: skip


@pytest.mark.parametrize(
    ("language", "name"), [(None, "华北1(青岛)"), ("zh-CN", "华北1(青岛)"), ("en-US", "China (Qingdao)")]
)
def test_the_seven_regions_are_named_in_the_language_asked_for(language: str | None, name: str) -> None:
    regions = make_service()("DescribeRegions", AcceptLanguage=language)["Regions"]["Region"]
    assert [each["RegionId"] for each in regions] == REGIONS
    expected = {"RegionId": "cn-qingdao", "RegionEndpoint": "cn-qingdao.fnf.aliyuncs.com", "LocalName": name}
    assert expected in regions
