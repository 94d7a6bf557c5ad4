"""The staff app: what visitors asked, what staff decide, and what comes of it."""
