#!/usr/bin/env bash
# @wmfs/asl-choice-processor 1.24.1: a Choice compares across types, and times as texts.
#
# Guess:  as in the States Language: a numeric comparison matches numbers only; a time is a moment, so 08:00+08:00 and 00:00Z are
#         equal; And, Or and Not may stand in each other.
# Does:   NumericLessThan takes null, "", false and [] for 0 and the text "10" for 10, so an order whose amount is null goes the way
#         of the small ones; only an absent one goes to Default. Times are compared letter by letter, so the same moment is another
#         one with another offset, and an earlier one is later. Neither is an error. A Not inside an And is one: AssertionError,
#         "we need a path".
# Seen:   NumericLessThan 100   5 Yes, null Yes, "" Yes, false Yes, absent No
#         NumericGreaterThan 5  "10" Yes
#         TimestampEquals   2026-01-01T00:00:00Z  2026-01-01T08:00:00+08:00 No
#         TimestampLessThan 2026-01-01T00:00:00Z  2026-01-01T01:00:00+08:00 No
#         And with a Not in it  AssertionError
#
# Exits with 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund @wmfs/asl-choice-processor@1.24.1 > /dev/null
cat > finding.js <<'JS'
const processor = require('@wmfs/asl-choice-processor');
const way = (rule, values) => {
  try {
    return processor({ Choices: [{ ...rule, Next: 'Yes' }], Default: 'No' })(values);
  } catch (error) {
    return error.name;
  }
};
const small = { Variable: '$.amount', NumericLessThan: 100 };
const numbers = [{ amount: 5 }, { amount: null }, { amount: '' }, { amount: false }, {}].map((values) => way(small, values));
const text = way({ Variable: '$.amount', NumericGreaterThan: 5 }, { amount: '10' });
const midnight = '2026-01-01T00:00:00Z';
const equal = way({ Variable: '$.at', TimestampEquals: midnight }, { at: '2026-01-01T08:00:00+08:00' });
const earlier = way({ Variable: '$.at', TimestampLessThan: midnight }, { at: '2026-01-01T01:00:00+08:00' });
const absent = { Not: { Variable: '$.error', IsPresent: true } };
const nested = way({ And: [absent, { Variable: '$.amount', IsPresent: true }] }, { amount: 1 });
const seen = `${numbers}; ${text}; ${equal} ${earlier}; ${nested}`;
console.log(seen);
process.exit(seen === 'Yes,Yes,Yes,Yes,No; Yes; No No; AssertionError' ? 0 : 1);
JS
node finding.js
