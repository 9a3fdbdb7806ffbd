"""The hosted APIs in their own words: what comes in as wishes of ours, what goes out as theirs.

Pure: no HTTP, no database. The routes are in ``server/api``; callbacks are told in these words too.
"""
