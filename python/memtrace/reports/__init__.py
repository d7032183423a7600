"""What the commands show, one module per report.

A report turns statistics into a ``table.Table`` or into JSON; ``output`` shows a table, with Rich on a
terminal and as plain text elsewhere. Names and source lines come from files that anybody may have written:
they are escaped where a table is shown, never before.
"""
