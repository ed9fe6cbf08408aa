#!/bin/sh
# A row of SQLAlchemy answers to a column's key, but its own keys are the names: a row that was read cannot be written back.
#
# Expected: Column("known", Integer, key="x") is "x" to Python and "known" to SQL; so the docstring has it: the key is "the only identifier
# referencing the Column within the application", the name is used "only when rendering SQL". dict(row._mapping) then has "x".
# Seen (SQLAlchemy 2.1.9, Linux, Python 3.11): row.x, row._mapping["x"] and "x" in row._mapping work, and so do the same with "known"; but the keys
# of row._mapping, of row._asdict() and of the result are the names. So table.c and the statement list "x", its rows list "known", and
# insert().values(**row._mapping) raises "Unconsumed column names: known". What turns rows into JSON writes the names, without an error.
# A way round: {column.key: row._mapping[column] for column in table.c}, or row._mapping only to look keys up.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sqlalchemy==2.1.9
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import sqlalchemy
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, exc, select

table = Table("sounds", MetaData(), Column("known", Integer, key="x"))
engine = create_engine("sqlite://")
table.metadata.create_all(engine)
with engine.begin() as connection:
    connection.execute(table.insert(), {"x": 1})
    result = connection.execute(select(table))
    listed = list(result.keys())
    row = result.one()
    try:
        connection.execute(table.insert().values(**row._mapping))
        refused = ""
    except exc.CompileError as error:
        refused = str(error)
print("SQLAlchemy", sqlalchemy.__version__)
print("keys of the table and of the statement:", table.c.keys(), select(table).selected_columns.keys())
print("keys of the result and of the row:", listed, list(row._mapping), list(row._asdict()))
print('row.x, row._mapping["x"], "x" in row._mapping:', row.x, row._mapping["x"], "x" in row._mapping)
print("the row inserted again:", refused or "taken")
as_described = (
    table.c.keys() == select(table).selected_columns.keys() == ["x"]
    and listed == list(row._mapping) == list(row._asdict()) == ["known"]
    and row.x == row.known == row._mapping["x"] == 1
    and "x" in row._mapping
    and refused == "Unconsumed column names: known"
)
print("as described" if as_described else "CHANGED")
sys.exit(not as_described)
PYTHON
