"""Runs Rasa's server, its command line and the action server, fast and light, with Rasa's files unchanged."""
