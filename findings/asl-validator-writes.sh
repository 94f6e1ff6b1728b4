#!/usr/bin/env bash
# asl-validator 4.0.0 (with @wmfs/statelint 1.30.0): the validator writes into the definition that it checks.
#
# Guess:  it reads the definition and returns {isValid, errors}; the object is the same afterwards, so it can be deployed, compared
#         with the deployed one, frozen, or handed to a second validator.
# Does:   it adds QueryLanguage to every state, also inside Map and Parallel, of a definition that has none. Written out after the
#         check, it has a field in each state that no author wrote (a change in every state for who compares); a validator that
#         knows no QueryLanguage then refuses each state; a frozen definition is a TypeError, not an answer.
#         Give it a copy: structuredClone(definition).
# Seen:   before  {"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}
#         after   {"StartAt":"A","States":{"A":{"Type":"Pass","End":true,"QueryLanguage":"JSONPath"}}}
#         statelint before: [], after: Field "QueryLanguage" not allowed in State Machine.States.A
#         frozen: TypeError Cannot add property QueryLanguage, object is not extensible
#
# Exits with 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund asl-validator@4.0.0 @wmfs/statelint@1.30.0 > /dev/null
cat > finding.js <<'JS'
const { default: named } = require('asl-validator');
const validate = named ?? require('asl-validator');
const stateLint = require('@wmfs/statelint');
const written = '{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}';
const changed = '{"StartAt":"A","States":{"A":{"Type":"Pass","End":true,"QueryLanguage":"JSONPath"}}}';
const definition = JSON.parse(written);
const before = stateLint().validate(definition);
const { isValid } = validate(definition);
const after = stateLint().validate(definition);
const text = JSON.stringify(definition);
console.log(`valid ${isValid}: ${text}`);
console.log(`statelint before: ${JSON.stringify(before)}, after: ${after}`);
let frozen = 'no error';
try {
  const other = JSON.parse(written);
  Object.freeze(other.States.A);
  validate(other);
} catch (error) {
  frozen = `${error.name} ${error.message}`;
}
console.log(`frozen: ${frozen}`);
const same =
  isValid && text === changed && before.length === 0 &&
  `${after}` === 'Field "QueryLanguage" not allowed in State Machine.States.A' &&
  frozen === 'TypeError Cannot add property QueryLanguage, object is not extensible';
process.exit(same ? 0 : 1);
JS
node finding.js
