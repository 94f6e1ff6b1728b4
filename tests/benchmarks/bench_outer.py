"""What `cfmock check` takes for definitions in files of deployment tools, against the same definitions alone."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from cfmock.tools.checks.report import Selection, check

COUNT = 200
RATIO = 2.5
MORE = 3.0
"""Limits: how many times the processor time of the bare definitions ROS and s.yaml files may take; seconds more for Terraform."""

BODY = "version: v1\ntype: flow\nsteps:\n" + "".join(
    f"""\
  - type: task
    name: step{number}
    resourceArn: acs:fc:::services/s/functions/f{number}
    retry:
      - errors: [FC.ResourceThrottled]
        intervalSeconds: 3
        maxAttempts: 10
        multiplier: 2
"""
    for number in range(8)
)

_ROS = """\
ROSTemplateFormatVersion: '2015-09-01'
Resources:
  F:
    Type: ALIYUN::FNF::Flow
    Properties:
      Name: {name}
      Definition:
        Fn::Sub: |
{body:10}"""
_S_YAML = """\
edition: 3.0.0
resources:
  f:
    component: fnf
    props:
      name: {name}
      definition:{block}
{body:8}"""
_TERRAFORM = 'resource "alicloud_fnf_flow" "f" {{\n  name       = "{name}"\n  definition = <<EOT\n{body:4}  EOT\n}}\n'


class _Indented:
    """The definition, indented by the number in a format: `{body:10}`."""

    def __format__(self, by: str) -> str:
        return "".join(f"{' ' * int(by)}{line}\n" for line in BODY.splitlines())


KINDS = {
    "bare": ("yaml", f"name: {{name}}\n{BODY.replace('{', '{{').replace('}', '}}')}"),
    "ROS": ("yaml", _ROS),
    "s.yaml, text": ("yaml", _S_YAML.replace("{block}", " |")),
    "s.yaml, mapping": ("yaml", _S_YAML.replace("{block}", "")),
    "Terraform": ("tf", _TERRAFORM),
}


def seconds(rounds: int = 3) -> dict[str, float]:
    """The least processor time of some interleaved rounds, by kind. Raises SystemExit where a flow is not found."""
    found: dict[str, float] = {}
    for _ in range(rounds):
        for kind, (ending, text) in KINDS.items():
            with tempfile.TemporaryDirectory() as folder:
                for number in range(COUNT):
                    name = f"f{number}"
                    Path(folder, f"{name}.{ending}").write_text(
                        text.format(name=name, body=_Indented()), encoding="utf-8"
                    )
                began = time.process_time()
                report = check([folder], Selection.of((), ()))
                took = time.process_time() - began
            if len(report.fixtures.flows) != COUNT:
                raise SystemExit(f"{kind}: {len(report.fixtures.flows)} flows")
            found[kind] = min(took, found.get(kind, took))
    return found
