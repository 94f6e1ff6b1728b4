#!/usr/bin/env bash
# @serverless-devs/parse-spec 0.0.29 (Serverless Devs): texts in s.yaml that look like <%= ... %> are computed.
#
# Guess:  only `${...}` is computed, as the documents of Serverless Devs say (`${env('NAME')}`, `${vars.x}`, `${resources.y}`); what
#         stands in a block text, such as the definition of a flow, goes to the service as it is.
# Does:   the whole file is a template of art-template, which knows <%= ... %> and <% ... %>, too, as JavaScript, also in block
#         texts: a mail text of a task that is a template of its own loses its place-holders before it is deployed, without a
#         message where they can be computed, else with a CompileError or RuntimeError. {{ ... }} stays.
# Seen:   5 <%= 1 + 1 %> {{ name }} 100%  ->  5 2 {{ name }} 100%
#
# Exits with 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund @serverless-devs/parse-spec@0.0.29 > /dev/null
cat > s.yaml <<'YAML'
edition: 3.0.0
name: app
access: default
resources:
  flow:
    component: fnf
    props:
      name: order_flow
      definition: |
        5 <%= 1 + 1 %> {{ name }} 100%
YAML
cat > finding.js <<'JS'
const ParseSpec = require('@serverless-devs/parse-spec').default;
console.debug = () => {};
new ParseSpec('s.yaml', { argv: ['deploy'] }).start().then(({ steps }) => {
  const found = steps[0].props.definition.trim();
  console.log(`5 <%= 1 + 1 %> {{ name }} 100%  ->  ${found}`);
  process.exit(found === '5 2 {{ name }} 100%' ? 0 : 1);
});
JS
HOME=$folder node finding.js | grep -- '->'
