"""A local stand-in for Alibaba Cloud CloudFlow (fnf), API 2019-03-15."""

__version__ = "0.1.0"
