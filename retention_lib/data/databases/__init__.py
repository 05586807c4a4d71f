"""Orders in a database."""

from retention_lib.data.databases.database import Database, open_database

__all__ = ["Database", "open_database"]
