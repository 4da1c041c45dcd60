#!/bin/sh
# toml-types-in-json-schema.sh: an editor and a script judge one TOML file by one JSON schema, and differ; neither as TOML does.
#
# TOML tells integers from floats, and has dates; JSON has neither. So a schema's "integer" takes 1.0 and 1e3 (since draft 6 a
# number without a fraction is one), which a program that reads TOML gets as floats: both taplo and Python's jsonschema pass
# them. And a bare date passes as a "string" in taplo, which hands it to its validator as text, and is nothing at all in Python,
# where it is a datetime.date. A schema for editors is no checker: who reads the file has to look at the types again.
#
# Tried: @taplo/cli 0.7.0 (npm; says 0.9.0), python3-jsonschema 4.10.3-1 of Debian 12 (has to be installed).
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
have=$(dpkg-query -W -f '${Version}' python3-jsonschema 2>/dev/null) || fail "apt-get install python3-jsonschema first" 2
[ "$have" = 4.10.3-1 ] || fail "python3-jsonschema is $have, not 4.10.3-1" 2
command -v npm >/dev/null || fail "no npm: install Node.js" 2
npm install --silent @taplo/cli@0.7.0 >log 2>&1 || fail "@taplo/cli can't be had: $(tail -n 1 log)" 2

cat >schema.json <<'SCHEMA'
{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
 "properties": {"count": {"type": "integer"}, "since": {"type": "string"}}}
SCHEMA
cat >python.py <<'PYTHON'
import json, sys, tomllib
import jsonschema
data = tomllib.load(open(sys.argv[1], "rb"))
errors = list(jsonschema.Draft7Validator(json.load(open("schema.json"))).iter_errors(data))
print("refuses" if errors else "passes", *(type(value).__name__ for value in data.values()))
PYTHON
# judged LINE: what both say of it
judged() {
    echo "$1" >file.toml
    taplo=passes
    node_modules/.bin/taplo lint --schema "file://$PWD/schema.json" file.toml >log 2>&1 || taplo=refuses
    echo "taplo $taplo, jsonschema $(/usr/bin/python3 python.py file.toml)"
}
for row in 'count = 1000|taplo passes, jsonschema passes int' 'count = 1e3|taplo passes, jsonschema passes float' \
    'count = 1.0|taplo passes, jsonschema passes float' 'count = 1.5|taplo refuses, jsonschema refuses float' \
    'since = "2009-09-14"|taplo passes, jsonschema passes str' 'since = 2009-09-14|taplo passes, jsonschema refuses date'; do
    said=$(judged "${row%%|*}")
    echo "${row%%|*}: $said"
    [ "$said" = "${row#*|}" ] || fail "changed"
done
