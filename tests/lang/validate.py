#!/usr/bin/python3
"""Judges JSON documents by a JSON Schema with Debian's python3-jsonschema.

    validate.py SCHEMA DOCUMENTS

DOCUMENTS has one document on each line. Prints one character for each: 1 valid, 0 not.
"""

import json
import sys

import jsonschema


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    with open(sys.argv[2], encoding="utf-8") as file:
        for line in file.read().split("\n")[:-1]:
            sys.stdout.write("1" if validator.is_valid(json.loads(line)) else "0")


if __name__ == "__main__":
    sys.exit(main())
