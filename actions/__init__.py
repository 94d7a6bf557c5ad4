"""Custom actions, one concern a file, each thin: from the tracker to a use case to events."""
