"""How the tables came to be what they are: one script for each change, run in order.

A change only adds: new tables, and new columns that may be empty, so that a program of before can
go on beside a newer one. There is no way back; a backup is.
"""
