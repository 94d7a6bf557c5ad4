"""The one database: what visitors asked, what they were given, and what waits to be sent or stored.

Nothing outside of this package imports SQLAlchemy.
"""
