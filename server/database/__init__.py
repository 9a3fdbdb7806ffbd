"""The one database: SQLite in a folder by default, Postgres by URL; nobody above names either."""
