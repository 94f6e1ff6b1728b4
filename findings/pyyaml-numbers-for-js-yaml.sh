#!/usr/bin/env bash
# PyYAML 6.0.3 and js-yaml 3.14.1 (that of @alicloud/fun) and 4.1.0: texts that PyYAML writes plain are numbers for js-yaml.
#
# Guess:  yaml.safe_dump quotes a text wherever YAML could take it for something else, so a template written by Python comes out
#         of js-yaml as it went in; 'yes', '0x1F' and '12:30:45' are quoted.
# Does:   PyYAML goes by YAML 1.1, in which a float needs a dot and a sign and an octal number begins with 0: it writes the texts
#         '1e5' and '-1e5' plain, and js-yaml reads numbers; version 4, which goes by YAML 1.2, also '0o17' and '08'. An order
#         number 1e5 in the input or a definition of a flow arrives as 100000.
# Seen:   PyYAML      {a: 1e5, b: -1e5, c: 0o17, d: 08}
#         js-yaml 3   {"a":100000,"b":-100000,"c":"0o17","d":"08"}
#         js-yaml 4   {"a":100000,"b":-100000,"c":15,"d":8}
#
# Exits with 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check PyYAML==6.0.3 2> /dev/null
npm install --silent --no-audit --no-fund three@npm:js-yaml@3.14.1 four@npm:js-yaml@4.1.0 > /dev/null
written=$(venv/bin/python -c "
import yaml
texts = {'a': '1e5', 'b': '-1e5', 'c': '0o17', 'd': '08'}
text = yaml.safe_dump(texts, default_flow_style=True)
assert yaml.safe_load(text) == texts
print(text.strip())")
three=$(node -p "JSON.stringify(require('three').safeLoad(process.argv[1]))" "$written")
four=$(node -p "JSON.stringify(require('four').load(process.argv[1]))" "$written")
printf '%-11s %s\n' PyYAML "$written" 'js-yaml 3' "$three" 'js-yaml 4' "$four"
[ "$written" = '{a: 1e5, b: -1e5, c: 0o17, d: 08}' ]
[ "$three" = '{"a":100000,"b":-100000,"c":"0o17","d":"08"}' ]
[ "$four" = '{"a":100000,"b":-100000,"c":15,"d":8}' ]
