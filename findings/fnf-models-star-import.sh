#!/usr/bin/env bash
# alibabacloud-fnf20190315 2.0.1: `from alibabacloud_fnf20190315.models import *` is a TypeError.
#
# Guess:  it imports the request and response models; every example that imports them one by one works.
# Does:   the generated `__all__` lists the classes themselves in place of their names, so Python refuses the import; tools that
#         read `__all__` (documentation, re-exports) fail in the same place. In 2.0.0 the module is one file without `__all__`, and
#         the import works: the update breaks it.
# Seen:   2.0.0 imports
#         2.0.1 TypeError: Item in alibabacloud_fnf20190315.models.__all__ must be str, not type
#
# Exits with 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
seen() {
    venv/bin/pip install -q --disable-pip-version-check "alibabacloud-fnf20190315==$1" 2> /dev/null
    venv/bin/python - <<'PY'
try:
    exec("from alibabacloud_fnf20190315.models import *")
    print("imports")
except Exception as error:
    print(f"{type(error).__name__}: {error}")
PY
}
before=$(seen 2.0.0)
after=$(seen 2.0.1)
printf '%s\n' "2.0.0 $before" "2.0.1 $after"
[ "$before" = imports ] && [ "$after" = "TypeError: Item in alibabacloud_fnf20190315.models.__all__ must be str, not type" ]
