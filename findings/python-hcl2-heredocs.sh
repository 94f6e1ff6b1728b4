#!/usr/bin/env bash
# python-hcl2 8.1.4: a text of a Terraform file comes with its quotes, a heredoc with its markers and indentation.
#
# Guess:  hcl2.loads gives the values of a file, as 7.3.1 does: the name of an alicloud_fnf_flow, and its definition as Terraform
#         would send it.
# Does:   8.1.4 gives the source of the values: '"order_flow"' with the quotes in it, and for <<-EOT the text '"<<-EOT\n ... EOT"'.
#         A program that reads definitions of flows out of Terraform files gets YAML that no longer parses, without an error here.
# Seen:   7.3.1 order_flow | version: v1\ntype: flow
#         8.1.4 "order_flow" | "<<-EOT\n    version: v1\n    type: flow\n  EOT"
#
# Exits with 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
cat > finding.py <<'PY'
import hcl2

found = hcl2.loads('''flow {
  name       = "order_flow"
  definition = <<-EOT
    version: v1
    type: flow
  EOT
}
''')["flow"][0]
print(found["name"], "|", found["definition"].replace("\n", "\\n"))
PY
seen() {
    venv/bin/pip install -q --disable-pip-version-check "python-hcl2==$1" 2> /dev/null
    venv/bin/python finding.py
}
before=$(seen 7.3.1)
after=$(seen 8.1.4)
printf '%s\n' "7.3.1 $before" "8.1.4 $after"
[ "$before" = 'order_flow | version: v1\ntype: flow' ]
[ "$after" = '"order_flow" | "<<-EOT\n    version: v1\n    type: flow\n  EOT"' ]
